"""Drawing of boxes and lines into pictures (BGR arrays, changed in place)."""

import colorsys
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from services.core.types import Box, Detection, Line, Point, TrackedObject

Canvas = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

CLASS_COLORS: dict[str, Color] = {
    "person": (80, 175, 76),
    "bicycle": (180, 170, 0),
    "car": (243, 150, 33),
    "motorbike": (176, 39, 156),
    "bus": (34, 87, 255),
    "truck": (59, 193, 255),
    "mask": (160, 160, 0),
    "no_mask": (60, 60, 230),
    "mask_incorrect": (0, 170, 245),
}
WORDS = {"no_mask": "no mask", "mask_incorrect": "worn wrongly"}
"""Classes that people read as other words."""
SHADES = (0.42, 0.54, 0.66)
HUES, SATURATION = 72, 0.65
NOTE_COLOR: Color = (60, 180, 255)
ARROW_SHARE = 0.05
"""Length of a direction arrow in picture heights."""


def words_of(class_name: str) -> str:
    """Give what a person reads for a class."""
    return WORDS.get(class_name, class_name)


@lru_cache(maxsize=1024)
def color_of(class_name: str) -> Color:
    """Give the colour of a class: of any other name always the same, as the page has it.

    FNV-1a (Fowler, Noll and Vo) of the name, its bits mixed once more, chooses a hue and a shade.
    """
    if class_name in CLASS_COLORS:
        return CLASS_COLORS[class_name]
    number = 0x811C9DC5
    for byte in class_name.encode("utf-8", "replace"):
        number = (number ^ byte) * 0x01000193 & 0xFFFFFFFF
    number ^= number >> 15
    light = SHADES[number // HUES % len(SHADES)]
    shares = colorsys.hls_to_rgb(number % HUES / HUES, light, SATURATION)
    red, green, blue = (math.floor(255 * share + 0.5) for share in shares)
    return blue, green, red


def draw_objects(canvas: Canvas, objects: Sequence[TrackedObject]) -> None:
    """Draw each track's box with its class and number."""
    for item in objects:
        _box(canvas, item.box, item.class_name, f"{words_of(item.class_name)} {item.track}")


def draw_detections(canvas: Canvas, detections: Sequence[Detection]) -> None:
    """Draw each detection's box with its class and confidence."""
    for item in detections:
        _box(canvas, item.box, item.class_name, f"{words_of(item.class_name)} {item.confidence:.2f}")


def _box(canvas: Canvas, box: Box, class_name: str, text: str) -> None:
    height, width = canvas.shape[:2]
    color = color_of(class_name)
    x1, y1, x2, y2 = box
    top_left = round(x1 * width), round(y1 * height)
    bottom_right = round(x2 * width), round(y2 * height)
    cv2.rectangle(canvas, top_left, bottom_right, color, _thickness(height), cv2.LINE_AA)
    _label(canvas, text, top_left, color)


def draw_lines(canvas: Canvas, lines: Sequence[Line], labels: Mapping[str, str] | None = None) -> None:
    """Draw each line with an arrow in its forward direction, its name, and a label by line id."""
    height, width = canvas.shape[:2]
    for line in lines:
        color = _bgr(line.color)
        points = [(x * width, y * height) for x, y in line.points]
        corners = np.array(points, np.float64).round().astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(canvas, [corners], False, color, _thickness(height) + 1, cv2.LINE_AA)
        start, end = _arrow(points, ARROW_SHARE * height)
        cv2.arrowedLine(canvas, start, end, color, _thickness(height), cv2.LINE_AA, tipLength=0.4)
        extra = (labels or {}).get(line.id)
        text = line.name if extra is None else f"{line.name}: {extra}"
        _label(canvas, text, (round(points[0][0]), round(points[0][1])), color)


def draw_note(canvas: Canvas, text: str) -> None:
    """Write a note about the whole picture into its lower left corner."""
    _label(canvas, text, (0, canvas.shape[0] - 1), NOTE_COLOR)


def _arrow(points: Sequence[Point], length: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Give an arrow from the middle of the longest segment to the right hand of someone walking on it."""
    a, b = max(pairwise(points), key=lambda pair: math.dist(*pair))
    size = math.dist(a, b) or 1.0
    x, y = (a[0] + b[0]) / 2, (a[1] + b[1]) / 2
    tip = x - (b[1] - a[1]) / size * length, y + (b[0] - a[0]) / size * length
    return (round(x), round(y)), (round(tip[0]), round(tip[1]))


def _label(canvas: Canvas, text: str, place: tuple[int, int], color: Color) -> None:
    """Write a text above a place, moved into the picture; characters that the font lacks become `?`."""
    shown = text.encode("ascii", "replace").decode("ascii")
    height, width = canvas.shape[:2]
    scale = max(0.35, height / 1300)
    (text_width, text_height), baseline = cv2.getTextSize(shown, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = max(0, min(place[0], width - text_width - 4))
    y = max(text_height + baseline + 2, min(place[1], height - 1))
    cv2.rectangle(canvas, (x, y - text_height - baseline - 2), (x + text_width + 4, y), color, cv2.FILLED)
    ink = (0, 0, 0) if sum(color) > 380 else (255, 255, 255)
    cv2.putText(canvas, shown, (x + 2, y - baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)


def _thickness(height: int) -> int:
    return max(1, round(height / 400))


def _bgr(color: str) -> Color:
    return int(color[5:7], 16), int(color[3:5], 16), int(color[1:3], 16)
