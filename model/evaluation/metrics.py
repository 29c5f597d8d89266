"""Average precision of detections: mAP50, mAP50-95 and AP50 by class and by object size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.evaluation.judging import THRESHOLDS, BoolArray, Judged

SURE = 0.25
"""The confidence from which recall, precision and class accuracy count a detection."""
SIZES: dict[str, tuple[float, float]] = {
    "8-16": (8, 16),
    "16-32": (16, 32),
    "32-96": (32, 96),
    "over 96": (96, float("inf")),
}
"""Longer sides in pixels, with the picture scaled to a long side of 640; the upper end is not in it."""


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


@dataclass(frozen=True)
class Share:
    """A share and of how many."""

    share: float
    of: int


@dataclass(frozen=True)
class Detections:
    """The detections of all pictures, best first."""

    right: BoolArray
    scores: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]
    labels: npt.NDArray[np.float32]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> "Detections":
        """Joins pictures; raises ValueError when there is none."""
        if not judged:
            raise ValueError("no picture was evaluated")
        scores = np.concatenate([one.scores for one in judged])
        order = scores.argsort(kind="stable")[::-1]
        return cls(
            np.concatenate([one.right for one in judged])[order],
            scores[order],
            np.concatenate([one.classes for one in judged])[order],
            np.concatenate([one.labels for one in judged]),
        )


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


def measure(judged: Sequence[Judged], classes: Sequence[str]) -> Metrics:
    """The figures over pictures; raises ValueError when there is none."""
    found = Detections.of(judged)
    precisions = np.full((len(classes), len(THRESHOLDS)), np.nan)
    recall, precision, boxes = {}, {}, {}
    for index, name in enumerate(classes):
        of_class, boxes[name] = found.classes == index, int((found.labels == index).sum())
        sure = found.right[of_class & (found.scores >= SURE), 0]
        recall[name] = float(sure.sum() / boxes[name]) if boxes[name] else float("nan")
        precision[name] = float(sure.mean()) if len(sure) else float("nan")
        if boxes[name]:
            precisions[index] = [average_precision(column, boxes[name]) for column in found.right[of_class].T]
    present = precisions[~np.isnan(precisions[:, 0])]
    map50, map50_95 = (float(present[:, 0].mean()), float(present.mean())) if len(present) else (0.0, 0.0)
    ap50 = {name: float(precisions[index, 0]) for index, name in enumerate(classes)}
    return Metrics(map50, map50_95, ap50, recall, precision, boxes)


def ap50_by_size(judged: Sequence[Judged], classes: Sequence[str]) -> dict[str, dict[str, Share]]:
    """AP50 of each class among the boxes of each size, with their number.

    As in COCO, boxes of other sizes and what finds them count neither way, nor do false detections whose
    own size is another.
    """
    result: dict[str, dict[str, Share]] = {}
    for index, name in enumerate(classes):
        result[name] = {}
        for size, (low, high) in SIZES.items():
            rows, boxes = [], 0
            for one in judged:
                boxes += int(((one.labels == index) & within(one.label_sides, low, high)).sum())
                chosen = (one.classes == index) & one.counts_for(low, high)
                rows.append(np.stack((one.scores[chosen], one.right[chosen, 0].astype(np.float32)), 1))
            table = np.concatenate(rows)
            right = table[table[:, 0].argsort(kind="stable")[::-1], 1] > 0
            result[name][size] = Share(average_precision(right, boxes) if boxes else float("nan"), boxes)
    return result


def within(sides: npt.NDArray[np.float32], low: float, high: float) -> BoolArray:
    """Which sides are of a size."""
    inside: BoolArray = (sides >= low) & (sides < high)
    return inside


def class_accuracy(judged: Sequence[Judged], classes: Sequence[str]) -> dict[str, Share]:
    """The share of the found boxes of each class that were given their class.

    Found by any detection of confidence 0.25 that overlaps by half, which is what the GB-YOLO paper
    calls accuracy; say it beside `found`, because what was not found does not count.
    """
    labels = np.concatenate([one.labels for one in judged])
    named = np.concatenate([one.named for one in judged])
    result = {}
    for index, name in enumerate(classes):
        of_class = named[(labels == index) & (named >= 0)]
        result[name] = share_of(of_class == index)
    return result


def share_of(answers: BoolArray) -> Share:
    """The share of true answers; NaN of none."""
    return Share(float(answers.mean()) if len(answers) else float("nan"), len(answers))


def found(judged: Sequence[Judged], least_side_px: float = 0.0) -> Share:
    """The share of the boxes of all classes, from a size on, that any detection of confidence 0.25 found."""
    sides = np.concatenate([one.label_sides for one in judged])
    named = np.concatenate([one.named for one in judged])[sides >= least_side_px]
    return share_of(named >= 0)


def found_with_class(judged: Sequence[Judged]) -> Share:
    """The share of the boxes of all classes that a detection of their class and confidence 0.25 found."""
    boxes = sum(len(one.labels) for one in judged)
    right = sum(int(one.right[one.scores >= SURE, 0].sum()) for one in judged)
    return Share(right / boxes if boxes else float("nan"), boxes)


def recall_at_false_detections(judged: Sequence[Judged], a_picture: float = 1.0) -> float:
    """The share of the boxes found with the right class where so many detections a picture are false."""
    detections = Detections.of(judged)
    if not len(detections.labels):
        return float("nan")
    right = detections.right[:, 0]
    allowed = (~right).cumsum() <= a_picture * len(judged)
    return float(right[allowed].sum() / len(detections.labels))
