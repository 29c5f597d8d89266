"""What the table says of a classifier and of a row of two stages: shares, and times measured side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from model.data.samples import Picture, Sample
from model.evaluation.judging import judge
from model.evaluation.metrics import class_accuracy, found, measure
from model.evaluation.predictions import Found
from model.evaluation.speed import interleaved
from services.core.types import MASK_CLASSES

LARGE_PX = 48.0
"""Longer side of a face from which on it is as large as those of papers."""


class Predicting(Protocol):
    """Whatever finds faces with their classes in a picture."""

    def predict(self, picture_bgr: Picture) -> Found:
        """Faces in a picture's pixels."""


def confusion_of(said: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(classes, classes): how often a crop of the row's class was given the column's."""
    counts = np.zeros((len(MASK_CLASSES), len(MASK_CLASSES)), np.int64)
    np.add.at(counts, (labels, said.argmax(1)), 1)
    return counts


@dataclass(frozen=True)
class CropFigures:
    """Shares of a confusion matrix; NaN where a class does not occur."""

    crops: int
    accuracy: float
    two_classes: float
    """Accuracy where a badly worn mask is no mask, as in papers of two classes."""
    by_class: tuple[float, ...]
    """Accuracy of each class, which is its recall."""
    precision: float
    recall: float
    f1: float
    """Of these three the mean over the classes that occur."""

    @classmethod
    def of(cls, counts: npt.NDArray[np.int64]) -> "CropFigures":
        """The shares of a confusion matrix (classes, classes) with at least one crop."""
        right = np.diag(counts).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            recall = right / counts.sum(1)
            precision = np.where(counts.sum(0) > 0, right / counts.sum(0), 0.0)
            f1 = np.where(right > 0, 2 * precision * recall / (precision + recall), 0.0)
        present = counts.sum(1) > 0
        return cls(
            crops=int(counts.sum()),
            accuracy=float(right.sum() / counts.sum()),
            two_classes=float((counts[0, 0] + counts[1:, 1:].sum()) / counts.sum()),
            by_class=tuple(float(one) for one in recall),
            precision=float(precision[present].mean()),
            recall=float(recall[present].mean()),
            f1=float(f1[present].mean()),
        )


@dataclass(frozen=True)
class PictureFigures:
    """What a row finds on whole pictures."""

    by_class: dict[str, float]
    """Share of the found faces of each class that have their class."""
    found: float
    """Share of all faces that were found, which is the recall that this accuracy was taken at."""
    map50: float
    confusion: npt.NDArray[np.int64]
    """(classes, classes + 1): of each true class, how many were given which; last: not found."""


def measure_pictures(row: Predicting, samples: Sequence[Sample]) -> PictureFigures:
    """A row's figures over pictures, at the confidence from which a detection counts as sure."""
    judged = [judge(row.predict(sample.picture), sample.labels) for sample in samples]
    counts = np.zeros((len(MASK_CLASSES), len(MASK_CLASSES) + 1), np.int64)
    for one in judged:
        named = np.where(one.named < 0, len(MASK_CLASSES), one.named)
        np.add.at(counts, (one.labels.astype(np.int64), named), 1)
    return PictureFigures(
        by_class={name: share.share for name, share in class_accuracy(judged, MASK_CLASSES).items()},
        found=found(judged).share,
        map50=measure(judged, MASK_CLASSES).map50,
        confusion=counts,
    )


def time_pictures(
    rows: Sequence[Callable[[Picture], Found]], pictures: Sequence[Picture], rounds: int
) -> list[tuple[float, ...]]:
    """Processor milliseconds a picture of each row, the mean over the pictures of each of the rounds."""

    def run(row: Callable[[Picture], Found]) -> None:
        for picture in pictures:
            row(picture)

    samples = interleaved([lambda row=row: run(row) for row in rows], rounds)  # type: ignore[misc]
    return [tuple(one / len(pictures) for one in of_row) for of_row in samples]
