"""From pictures to network input and from its output to boxes, for evaluation."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model.data.augment import GREY
from model.data.samples import Labels, Picture, Sample
from services.core.boxes import boxes_from

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """Boxes (n, 4) x1, y1, x2, y2 in input pixels, scores (n,) and classes (n,), best first."""

    boxes: FloatArray
    scores: FloatArray
    classes: npt.NDArray[np.int64]


def letterbox(sample: Sample, width: int, height: int) -> tuple[Picture, Labels]:
    """The picture fitted into width x height with grey margins, and its boxes (n, 5) there."""
    picture_height, picture_width = sample.picture.shape[:2]
    scale = min(width / picture_width, height / picture_height)
    fitted_width, fitted_height = round(picture_width * scale), round(picture_height * scale)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    x, y = (width - fitted_width) // 2, (height - fitted_height) // 2
    canvas = np.full((height, width, 3), GREY, np.uint8)
    fitted = cv2.resize(sample.picture, (fitted_width, fitted_height), interpolation=method)
    canvas[y : y + fitted_height, x : x + fitted_width] = fitted
    labels = sample.labels.copy()
    labels[:, 1:] = labels[:, 1:] * scale + np.array((x, y, x, y), np.float32)
    return canvas, labels


def to_input(pictures: Picture) -> FloatArray:
    """Pictures (B, H, W, 3) BGR 0..255 as network input (B, 3, H, W) RGB 0..1."""
    return np.ascontiguousarray(pictures[..., ::-1].transpose(0, 3, 1, 2), np.float32) / np.float32(255)


def select(output: FloatArray, confidence: float, iou: float, keep: int = 300) -> Found:
    """The boxes of one picture from network output (N, 4 + classes), as the detector service takes them."""
    found = boxes_from(output, confidence, iou)
    order = found.scores.argsort()[::-1][:keep]
    return Found(found.corners[order], found.scores[order], found.classes[order])
