"""Which detections of a picture are right: matched with the true boxes once, for every figure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.data.corrections import IGNORED_LABEL
from model.data.samples import Labels
from model.evaluation.predictions import Found
from services.core.boxes import overlaps

THRESHOLDS = np.arange(0.5, 1.0, 0.05)
"""The IoU thresholds of COCO."""
NAMING_CONFIDENCE = 0.25
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """The detections of one picture (n) beside its true boxes (m). Sides are longer sides in pixels."""

    scores: npt.NDArray[np.float32]
    classes: npt.NDArray[np.int64]
    sides: npt.NDArray[np.float32]
    right: BoolArray
    """(n, 10): whether a true box of its class is overlapped, by threshold."""
    box: npt.NDArray[np.int64]
    """(n,) the true box that it is right about at half overlap, -1 for none."""
    labels: npt.NDArray[np.float32]
    label_sides: npt.NDArray[np.float32]
    named: npt.NDArray[np.int64]
    """(m,) the class that the best sure detection of whatever class gives a true box, -1 for none."""

    def counts_for(self, low_px: float, high_px: float) -> BoolArray:
        """Which detections count for a size: by the true box they found, else by their own side."""
        sides = self.sides.copy()
        sides[self.box >= 0] = self.label_sides[self.box[self.box >= 0]]
        counts: BoolArray = (sides >= low_px) & (sides < high_px)
        return counts


def judge(found: Found, labels: Labels, scale: float = 1.0) -> Judged:
    """Matches detections, best first, with true boxes (n, 5) in the same pixels.

    `scale` turns these pixels into those of a picture whose long side is 640. Boxes of class -1 do not
    count, nor does what is found there.
    """
    found, labels = without_ignored(found, labels)
    right, box = match(found, labels)
    sides, label_sides = (
        (b[:, 2:] - b[:, :2]).max(1, initial=0) * scale for b in (found.boxes, labels[:, 1:])
    )
    return Judged(
        scores=found.scores,
        classes=found.classes,
        sides=sides.astype(np.float32),
        right=right,
        box=box,
        labels=labels[:, 0],
        label_sides=label_sides.astype(np.float32),
        named=name(found, labels),
    )


def without_ignored(found: Found, labels: Labels) -> tuple[Found, Labels]:
    """Without the boxes to ignore, and without the detections that overlap one of them most."""
    ignored = labels[:, 0] == IGNORED_LABEL
    if not ignored.any():
        return found, labels
    overlap = overlaps(found.boxes, labels[:, 1:])
    there = ignored[overlap.argmax(1)] & (overlap.max(1) >= THRESHOLDS[0])
    return Found(found.boxes[~there], found.scores[~there], found.classes[~there]), labels[~ignored]


def match(found: Found, labels: Labels) -> tuple[BoolArray, npt.NDArray[np.int64]]:
    """Which detections are right at each threshold (n, 10), and about which box at the first (n,).

    Best score first, each box used once.
    """
    right = np.zeros((len(found.scores), len(THRESHOLDS)), np.bool_)
    box = np.full(len(found.scores), -1, np.int64)
    if not len(labels) or not len(found.scores):
        return right, box
    overlap = overlaps(found.boxes, labels[:, 1:])
    overlap[found.classes[:, None] != labels[None, :, 0]] = 0
    hopeful = np.flatnonzero(overlap.max(1) >= THRESHOLDS[0])
    for column, threshold in enumerate(THRESHOLDS):
        for row, index in greedy(overlap[hopeful], threshold):
            right[hopeful[row], column] = True
            if column == 0:
                box[hopeful[row]] = index
    return right, box


def greedy(overlap: npt.NDArray[np.float32], threshold: float) -> list[tuple[int, int]]:
    """Pairs of rows and columns: each row in turn takes the free column that it overlaps most."""
    free, pairs = np.ones(overlap.shape[1], np.bool_), []
    for row in range(len(overlap)):
        candidates = np.where(free, overlap[row], 0)
        best = int(candidates.argmax())
        if candidates[best] >= threshold:
            free[best] = False
            pairs.append((row, best))
    return pairs


def name(found: Found, labels: Labels) -> npt.NDArray[np.int64]:
    """The class that each true box is given by whatever finds it first, (m,); -1 where nothing does."""
    named = np.full(len(labels), -1, np.int64)
    sure = np.flatnonzero(found.scores >= NAMING_CONFIDENCE)
    if len(sure) and len(labels):
        for row, index in greedy(overlaps(found.boxes[sure], labels[:, 1:]), THRESHOLDS[0]):
            named[index] = found.classes[sure[row]]
    return named
