"""Boxes grown, and assigned to each other. Boxes are (n, 4) corners in height units."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


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
