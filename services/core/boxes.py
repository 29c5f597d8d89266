"""Boxes (n, 4) given by corners x1, y1, x2, y2 or by centre, width and height; and one for each object."""

from dataclasses import dataclass
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.floating[Any])

CANDIDATE_LIMIT = 1000
"""Predictions of a picture that are looked at, strongest first."""

MERGE_OVERLAP = 0.6
"""Intersection over union from which a suppressed box helps to place the one that is kept."""


def corners(boxes: NDArray[Number]) -> NDArray[Number]:
    """Turn centre x, centre y, width, height into x1, y1, x2, y2."""
    half = boxes[:, 2:4] / boxes.dtype.type(2)
    return np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])


def centres(boxes: NDArray[Number]) -> NDArray[Number]:
    """Turn x1, y1, x2, y2 into centre x, centre y, width, height."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.hstack([boxes[:, :2] + size / boxes.dtype.type(2), size])


def intersections(a: NDArray[Number], b: NDArray[Number]) -> NDArray[Number]:
    """Give the area that each box of a (n; corners) shares with each of b (m), shape (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared: NDArray[Number] = np.clip(high - low, 0, None).prod(axis=2)
    return shared


def areas(boxes: NDArray[Number]) -> NDArray[Number]:
    """Give the area of each box (n; corners)."""
    area: NDArray[Number] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return area


def overlaps(a: NDArray[Number], b: NDArray[Number]) -> NDArray[Number]:
    """Give intersection over union of each box of a (n; corners) with each of b (m), shape (n, m)."""
    shared = intersections(a, b)
    union = areas(a)[:, None] + areas(b)[None, :] - shared
    share: NDArray[Number] = shared / np.maximum(union, a.dtype.type(1e-12))
    return share


@dataclass(frozen=True)
class Boxes:
    """Boxes (n, 4; corners in input pixels) with scores (n,) and classes (n,)."""

    corners: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.intp]


def boxes_from(predictions: NDArray[np.float32], confidence: float, overlap: float) -> Boxes:
    """Turn predictions (n, 4 + classes: centre, size in input pixels, scores) into one box for one object.

    `overlap` is the intersection over union from which the weaker of two boxes of one class is dropped.
    """
    scores = predictions[:, 4:]
    best = scores.max(axis=1)
    rows = np.flatnonzero(best >= confidence)
    if len(rows) > CANDIDATE_LIMIT:
        rows = rows[np.argsort(-best[rows], kind="stable")[:CANDIDATE_LIMIT]]
    best, names = best[rows], scores[rows].argmax(axis=1)
    kept, placed = suppress(corners(predictions[rows, :4]), best, names, confidence, overlap)
    return Boxes(placed, best[kept], names[kept])


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
