"""Which classes can be one object, and what a track's class is by vote."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.core.boxes import areas, intersections
from services.core.types import Detection

VEHICLES = ("car", "truck", "bus")
"""A van is called car in one frame and truck in the next: their boxes on one object are one track."""

GROUPS: tuple[tuple[str, ...], ...] = (VEHICLES, ("mask", "no_mask", "mask_incorrect"))

SAME_OBJECT_OVERLAP = 0.36
"""Intersection over union from which two boxes of one group are one object.

Boxes of the whole vehicle and of its visible front overlap by 0.4 to 0.6; two vehicles that stand close
in dense traffic seen from a mast by less.
"""

INSIDE_SHARE = 0.85
"""Share of a weaker box that lies inside a stronger one of its group from which it is a part of it."""

PART_SIZE = 0.25
"""Least size of such a part, in areas of the whole: a smaller one is another, farther object."""


def group_of(class_name: str) -> str:
    """Name the group of classes that one track may go through."""
    for group in GROUPS:
        if class_name in group:
            return group[0]
    return class_name


def merge_same_objects(detections: Sequence[Detection], aspect: float) -> list[Detection]:
    """Keep the strongest of the boxes of one group that lie on one object.

    The detector suppresses doubles of one class only; here a van that is both car and truck, and the
    cab of a lorry inside the lorry, become one detection.
    """
    order = sorted(detections, key=lambda detection: -detection.confidence)
    if len(order) < 2:
        return order
    scale = np.array([aspect, 1.0, aspect, 1.0])
    boxes = np.array([detection.box for detection in order]) * scale
    groups = np.array([group_of(detection.class_name) for detection in order])
    doubled = _doubles(boxes) & (groups[:, None] == groups[None, :])
    kept: list[int] = []
    for i in range(len(order)):
        if not doubled[i, kept].any():
            kept.append(i)
    return [order[i] for i in kept]


def _doubles(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each pair (weaker, stronger) whether both lie on one object."""
    shared, area = intersections(boxes, boxes), areas(boxes)
    union = area[:, None] + area[None, :] - shared
    same = shared >= SAME_OBJECT_OVERLAP * union
    part = (shared >= INSIDE_SHARE * area[:, None]) & (area[:, None] >= PART_SIZE * area[None, :])
    result: NDArray[np.bool_] = same | part
    return result


SECOND_OPINION_WEIGHT = 0.5
"""What the mean of a second opinion's looks weighs beside the mean of the detector's votes: it decides where
the detector is unsure."""


class ClassVote:
    """Sums the confidence of each class over a track, weighted by the size of the box.

    A near object shows its class better than the same object far away, hence the weight. A second opinion is
    summed for itself, and the means of both are added: it looks more rarely than the detector, which sees
    nearly the same picture many times.
    """

    def __init__(self) -> None:
        self._votes: dict[str, float] = {}
        self._weight = 0.0
        self._opinions: dict[str, float] = {}

    def add(self, class_name: str, confidence: float, weight: float) -> None:
        """Count one observation."""
        self._votes[class_name] = self._votes.get(class_name, 0.0) + confidence * weight
        self._weight += weight

    def add_opinion(self, votes: Mapping[str, float]) -> None:
        """Count what a second opinion says of one observation."""
        for class_name, weight in votes.items():
            self._opinions[class_name] = self._opinions.get(class_name, 0.0) + weight

    @property
    def winner(self) -> str:
        """The class with most votes; the first by name where two are equal."""
        if not any(self._opinions.values()):
            return min(self._votes, key=lambda name: (-self._votes[name], name))
        share = SECOND_OPINION_WEIGHT * self._weight / sum(self._opinions.values())
        summed = {
            name: self._votes.get(name, 0.0) + share * self._opinions.get(name, 0.0)
            for name in self._votes | self._opinions
        }
        return min(summed, key=lambda name: (-summed[name], name))
