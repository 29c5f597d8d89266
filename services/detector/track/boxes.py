"""Overlap of boxes and their assignment. Boxes are (n, 4) corners in height units."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def corners(boxes: Floats) -> Floats:
    """Turn centre x, centre y, width, height into x1, y1, x2, y2."""
    half = boxes[:, 2:4] / 2
    return np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])


def centres(boxes: Floats) -> Floats:
    """Turn x1, y1, x2, y2 into centre x, centre y, width, height."""
    size = boxes[:, 2:] - boxes[:, :2]
    return np.hstack([boxes[:, :2] + size / 2, size])


def intersections(a: Floats, b: Floats) -> Floats:
    """Give the area that each box of a (n) shares with each of b (m), shape (n, m)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared: Floats = np.clip(high - low, 0, None).prod(axis=2)
    return shared


def areas(boxes: Floats) -> Floats:
    """Give the area of each box."""
    area: Floats = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return area


def overlap(a: Floats, b: Floats) -> Floats:
    """Give intersection over union of each box of a with each of b, shape (n, m)."""
    shared = intersections(a, b)
    return shared / (areas(a)[:, None] + areas(b)[None, :] - shared + 1e-12)


def grown(boxes: Floats, share: float) -> Floats:
    """Grow boxes on each side by a share of their size (the buffer of C-BIoU, Yang et al., WACV 2023)."""
    margin = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.hstack([boxes[:, :2] - margin, boxes[:, 2:] + margin])


def assign(similarity: Floats, least: float) -> tuple[Rows, Rows]:
    """Pair rows with columns so that the sum of similarities is greatest; pairs below least are left out."""
    if not similarity.size:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    usable = np.where(similarity >= least, similarity, -1.0)
    rows, columns = linear_sum_assignment(-usable)
    good = usable[rows, columns] >= least
    return rows[good], columns[good]
