"""Pictures into the network and boxes out of it: letterboxing and decoding of predictions."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from services.core.boxes import boxes_from
from services.core.types import Detection

Picture = NDArray[np.uint8]
"""Height, width, 3 colours."""

GREY = 114
"""Value of the bars beside a picture whose shape is not the network's; the same as in training."""


@dataclass(frozen=True)
class Letterbox:
    """How a picture lies in the network's input: scaled as one, in the middle, grey bars beside it."""

    input_width: int
    input_height: int
    picture_width: int
    picture_height: int

    @cached_property
    def scale(self) -> float:
        """Input pixels a picture pixel."""
        return min(self.input_width / self.picture_width, self.input_height / self.picture_height)

    @cached_property
    def size(self) -> tuple[int, int]:
        """Width and height of the scaled picture in input pixels."""
        return (
            max(1, min(self.input_width, round(self.picture_width * self.scale))),
            max(1, min(self.input_height, round(self.picture_height * self.scale))),
        )

    @cached_property
    def offset(self) -> tuple[int, int]:
        """Left and top bar in input pixels."""
        width, height = self.size
        return (self.input_width - width) // 2, (self.input_height - height) // 2

    def blob(self, scaled: Picture) -> NDArray[np.float32]:
        """Turn the scaled RGB picture (of `size`) into the network's input (1, 3, H, W), 0..1."""
        left, top = self.offset
        width, height = self.size
        canvas = np.full((self.input_height, self.input_width, 3), GREY, np.uint8)
        canvas[top : top + height, left : left + width] = scaled
        return np.asarray(cv2.dnn.blobFromImage(canvas, 1 / 255.0), np.float32)

    def resize(self, picture_bgr: Picture) -> Picture:
        """Scale a BGR picture to `size` and turn it to RGB."""
        method = cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR
        scaled = cv2.resize(picture_bgr, self.size, interpolation=method)
        rgb: Picture = cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB)  # type: ignore[assignment]
        return rgb

    def normalised(self, corners: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn boxes (n, 4) in input pixels into normalised ones, clipped to the picture."""
        left, top = self.offset
        width, height = self.size
        shift = np.array([left, top, left, top], np.float32)
        scale = np.array([width, height, width, height], np.float32)
        boxes: NDArray[np.float32] = np.clip((corners - shift) / scale, 0, 1).astype(np.float32)
        return boxes


def detections_from(
    predictions: NDArray[np.float32],
    letterbox: Letterbox,
    classes: tuple[str, ...],
    confidence: float,
    overlap: float,
) -> list[Detection]:
    """Turn predictions (n, 4 + classes: centre, size in input pixels, scores) into detections.

    `overlap` is the intersection over union from which the weaker of two boxes of one class is dropped.
    """
    found = boxes_from(predictions, confidence, overlap)
    boxes = letterbox.normalised(found.corners)
    return [
        Detection((float(x1), float(y1), float(x2), float(y2)), classes[int(name)], float(score))
        for (x1, y1, x2, y2), name, score in zip(boxes, found.classes, found.scores, strict=True)
        if x2 > x1 and y2 > y1
    ]
