"""Average precision of detections: mAP50, mAP50-95 and AP50 by class."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from model.data import Labels
from model.predictions import Found

THRESHOLDS = np.arange(0.5, 1.0, 0.05)
"""The IoU thresholds of COCO."""
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Metrics:
    """Means over the classes that occur; by class NaN for those that do not."""

    map50: float
    map50_95: float
    ap50: dict[str, float]
    recall: dict[str, float]
    """Share of the boxes that a detection of their class overlaps by half at confidence 0.25."""
    precision: dict[str, float]
    """Share of the detections at confidence 0.25 that are right."""
    boxes: dict[str, int]


def iou_matrix(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> FloatArray:
    """IoU (n, m) of boxes (n, 4) and (m, 4) given by their corners."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (first, second)]
    result: FloatArray = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
    return result


def match(found: Found, labels: Labels) -> BoolArray:
    """Which detections are right at each threshold, (n, 10): best score first, each box used once."""
    right = np.zeros((len(found.scores), len(THRESHOLDS)), np.bool_)
    if not len(labels) or not len(found.scores):
        return right
    overlap = iou_matrix(found.boxes, labels[:, 1:])
    overlap[found.classes[:, None] != labels[None, :, 0]] = 0
    hopeful = np.flatnonzero(overlap.max(1) >= THRESHOLDS[0])
    for column, threshold in enumerate(THRESHOLDS):
        free = np.ones(len(labels), np.bool_)
        for row in hopeful:
            candidates = np.where(free, overlap[row], 0)
            best = int(candidates.argmax())
            if candidates[best] >= threshold:
                free[best] = False
                right[row, column] = True
    return right


def average_precision(right: BoolArray, boxes: int) -> float:
    """Mean precision at 101 recalls (COCO), of detections in the order of falling scores."""
    if not len(right):
        return 0.0
    hits = right.cumsum()
    recall, precision = hits / boxes, hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    points = np.linspace(0, 1, 101)
    position = np.searchsorted(recall, points, side="left")
    values = np.append(envelope, 0.0)[position]
    return float(values.mean())


@dataclass
class Collector:
    """Gathers the detections of picture after picture."""

    classes: Sequence[str]
    confidence: float = 0.25
    _right: list[BoolArray] = field(default_factory=list)
    _scores: list[npt.NDArray[np.float32]] = field(default_factory=list)
    _found_classes: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _labels: list[npt.NDArray[np.float32]] = field(default_factory=list)

    def add(self, found: Found, labels: Labels) -> None:
        """Takes the detections of one picture and its true boxes (n, 5), both in the same pixels."""
        self._right.append(match(found, labels))
        self._scores.append(found.scores)
        self._found_classes.append(found.classes)
        self._labels.append(labels[:, 0])

    def result(self) -> Metrics:
        """The figures over all pictures so far; raises ValueError when there was none."""
        if not self._labels:
            raise ValueError("no picture was evaluated")
        right, scores = np.concatenate(self._right), np.concatenate(self._scores)
        found_classes, labels = np.concatenate(self._found_classes), np.concatenate(self._labels)
        order = scores.argsort(kind="stable")[::-1]
        right, scores, found_classes = right[order], scores[order], found_classes[order]
        precisions = np.full((len(self.classes), len(THRESHOLDS)), np.nan)
        recall, precision, boxes = {}, {}, {}
        for index, name in enumerate(self.classes):
            of_class, boxes[name] = found_classes == index, int((labels == index).sum())
            sure = right[of_class & (scores >= self.confidence), 0]
            recall[name] = float(sure.sum() / boxes[name]) if boxes[name] else float("nan")
            precision[name] = float(sure.mean()) if len(sure) else float("nan")
            if boxes[name]:
                precisions[index] = [average_precision(column, boxes[name]) for column in right[of_class].T]
        present = precisions[~np.isnan(precisions[:, 0])]
        map50, map50_95 = (float(present[:, 0].mean()), float(present.mean())) if len(present) else (0.0, 0.0)
        ap50 = {name: float(precisions[index, 0]) for index, name in enumerate(self.classes)}
        return Metrics(map50, map50_95, ap50, recall, precision, boxes)
