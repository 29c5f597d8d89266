"""One box for one object, of the many that a network predicts for it."""

import cv2
import numpy as np
from numpy.typing import NDArray

MERGE_OVERLAP = 0.6
"""Intersection over union from which a suppressed box helps to place the one that is kept."""


def suppress(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.integer],
    confidence: float,
    overlap: float,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Keep the strongest of the boxes (n, 4; corners) of one class that overlap; give rows and places.

    `overlap` is the intersection over union from which the weaker of two is dropped. A kept box (k, 4) is
    placed at the mean of those of its class that overlap it most, each as heavy as its score times the
    overlap: a small network's boxes scatter around the object. Source of the idea: Zhou et al., "CAD: Scale
    Invariant Framework for Real-Time Object Detection", ICCV Workshops 2017, weighted suppression.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    strongest = cv2.dnn.NMSBoxesBatched(
        np.hstack([boxes[:, :2], sides]).tolist(), scores.tolist(), classes.tolist(), confidence, overlap
    )
    rows = np.asarray(strongest, np.intp).reshape(-1)
    shared = overlaps(boxes[rows], boxes)
    close = (shared >= MERGE_OVERLAP) & (classes[rows, None] == classes[None, :])
    close[np.arange(len(rows)), rows] = True
    weights = np.where(close, shared * scores[None, :], 0.0)
    weights[np.arange(len(rows)), rows] = scores[rows]
    placed = (weights @ boxes) / weights.sum(axis=1, keepdims=True)
    return rows, placed.astype(np.float32)


def overlaps(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union (n, m) of boxes (n, 4) and (m, 4) given by their corners."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first, second)]
    result: NDArray[np.float32] = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-12)
    return result
