"""Boxes (n, 4) given by their corners x1, y1, x2, y2, or by centre x, centre y, width and height."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.floating[Any])


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
