"""Augmentation: scale and place, mosaic, mirror, colour, and what cameras do to pictures."""

from dataclasses import dataclass

import cv2
import numpy as np

from model.data.corrections import IGNORED_LABEL
from model.data.samples import Labels, Picture, Sample

GREY = 114
MIN_BOX_PX = 8.0
"""Boxes with a smaller geometric mean side are ignored: their labels are too often missing."""
VISIBLE_OBJECT, VISIBLE_TRACE = 0.4, 0.1
"""A cut box is an object from the first share of its area on, ignored from the second, else gone."""


@dataclass(frozen=True)
class Window:
    """A rectangle of the output in pixels."""

    x1: int
    y1: int
    x2: int
    y2: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.x2 - self.x1, self.y2 - self.y1


def place(canvas: Picture, window: Window, sample: Sample, scale: float, rng: np.random.Generator) -> Labels:
    """Draws a scaled picture into a window of the canvas, at a random offset, and returns its boxes.

    A picture larger than the window is cut, a smaller one lies anywhere inside.
    """
    height, width = sample.picture.shape[:2]
    window_width, window_height = window.size
    left = _offset(window_width, width * scale, rng)
    top = _offset(window_height, height * scale, rng)
    source_x1, source_y1 = max(0, int(-left / scale)), max(0, int(-top / scale))
    source_x2 = min(width, int(np.ceil((window_width - left) / scale)))
    source_y2 = min(height, int(np.ceil((window_height - top) / scale)))
    part = sample.picture[source_y1:source_y2, source_x1:source_x2]
    x1, y1 = max(0, round(left + source_x1 * scale)), max(0, round(top + source_y1 * scale))
    x2 = min(window_width, max(x1 + 1, round(left + source_x2 * scale)))
    y2 = min(window_height, max(y1 + 1, round(top + source_y2 * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[window.y1 + y1 : window.y1 + y2, window.x1 + x1 : window.x1 + x2] = cv2.resize(
        part, (x2 - x1, y2 - y1), interpolation=method
    )
    labels = sample.labels.copy()
    labels[:, 1:] = labels[:, 1:] * scale + np.array((left, top, left, top), np.float32)
    labels = clip_labels(labels, window_width, window_height)
    labels[:, 1:] += np.array((window.x1, window.y1, window.x1, window.y1), np.float32)
    return labels


def _offset(window_px: int, picture_px: float, rng: np.random.Generator) -> float:
    """Where the picture starts in the window: negative when it is larger than the window."""
    return float(rng.uniform(min(0.0, window_px - picture_px), max(0.0, window_px - picture_px)))


def clip_labels(labels: Labels, width: int, height: int) -> Labels:
    """Cuts boxes to the picture and marks cut and small ones as ignored; drops what is hardly seen."""
    area = np.maximum((labels[:, 3] - labels[:, 1]) * (labels[:, 4] - labels[:, 2]), 1e-6)
    clipped = labels.copy()
    clipped[:, 1::2] = labels[:, 1::2].clip(0, width)
    clipped[:, 2::2] = labels[:, 2::2].clip(0, height)
    sides = clipped[:, 3:] - clipped[:, 1:3]
    visible = sides.prod(1) / area
    clipped[(visible < VISIBLE_OBJECT) | (np.sqrt(sides.prod(1)) < MIN_BOX_PX), 0] = IGNORED_LABEL
    kept: Labels = clipped[(visible >= VISIBLE_TRACE) & (sides > 1).all(1)]
    return kept


def single(sample: Sample, input_px: int, rng: np.random.Generator) -> tuple[Picture, Labels]:
    """One picture at half to twice the scale at which it just fits."""
    canvas = np.full((input_px, input_px, 3), GREY, np.uint8)
    scale = input_px / max(sample.picture.shape[:2]) * _log_uniform(0.5, 2.0, rng)
    return canvas, place(canvas, Window(0, 0, input_px, input_px), sample, scale, rng)


def mosaic(samples: list[Sample], input_px: int, rng: np.random.Generator) -> tuple[Picture, Labels]:
    """Four pictures around a random centre, each at 0.4 to 1.5 times the scale at which it just fits."""
    canvas = np.full((input_px, input_px, 3), GREY, np.uint8)
    x, y = (int(input_px * rng.uniform(0.35, 0.65)) for _ in range(2))
    windows = (
        Window(0, 0, x, y),
        Window(x, 0, input_px, y),
        Window(0, y, x, input_px),
        Window(x, y, input_px, input_px),
    )
    parts = []
    for sample, window in zip(samples, windows, strict=True):
        scale = input_px / max(sample.picture.shape[:2]) * _log_uniform(0.4, 1.5, rng)
        parts.append(place(canvas, window, sample, scale, rng))
    return canvas, np.concatenate(parts)


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def mirror(picture: Picture, labels: Labels) -> tuple[Picture, Labels]:
    """Left and right exchanged."""
    mirrored = labels.copy()
    mirrored[:, [1, 3]] = picture.shape[1] - labels[:, [3, 1]]
    return np.ascontiguousarray(picture[:, ::-1]), mirrored


def shift_colour(picture: Picture, rng: np.random.Generator) -> Picture:
    """Random gains of hue (1.5 %), saturation (60 %) and value (40 %)."""
    gains = 1 + rng.uniform(-1, 1, 3) * (0.015, 0.6, 0.4)
    levels = np.arange(256)
    hue, saturation, value = cv2.split(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV))
    channels = (
        cv2.LUT(hue, ((levels * gains[0]) % 180).astype(np.uint8)),
        cv2.LUT(saturation, np.clip(levels * gains[1], 0, 255).astype(np.uint8)),
        cv2.LUT(value, np.clip(levels * gains[2], 0, 255).astype(np.uint8)),
    )
    return np.asarray(cv2.cvtColor(cv2.merge(channels), cv2.COLOR_HSV2BGR), np.uint8)


def degrade(picture: Picture, rng: np.random.Generator) -> Picture:
    """Now and then what a camera does: night (dark with noise), blur, grey, strong compression."""
    if rng.random() < 0.08:
        dark = picture.astype(np.float32) * rng.uniform(0.2, 0.5)
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(1, 6)
        picture = np.clip(dark + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.08:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.5)), np.uint8)
    if rng.random() < 0.04:
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        picture = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    if rng.random() < 0.1:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 60))]
        packed = cv2.imencode(".jpg", picture, quality)[1]
        picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return picture


def augment(samples: list[Sample], input_px: int, rng: np.random.Generator) -> tuple[Picture, Labels]:
    """A training picture (input_px, input_px, 3) BGR and its boxes (n, 5) in pixels.

    Of one sample a scaled part, of four a mosaic. Class -1 marks boxes to ignore.
    """
    picture, labels = (
        mosaic(samples, input_px, rng) if len(samples) == 4 else single(samples[0], input_px, rng)
    )
    picture = degrade(shift_colour(picture, rng), rng)
    return mirror(picture, labels) if rng.random() < 0.5 else (picture, labels)
