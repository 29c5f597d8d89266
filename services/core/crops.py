"""Faces cut out of pictures for a classifier: the same squares in training and in use."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def cut_square(picture: Picture, box: NDArray[np.floating], margin: float, side_px: int) -> Picture:
    """Cut the square around a box (4,; corners in pixels) out of a picture (H, W, 3), as (side, side, 3).

    The square lies around the box's middle. Its side is the longer one of the box, and `margin` times that
    more at each end. What lies beyond the picture repeats the picture's edge; a box beside it gives that edge
    alone.
    """
    height, width = picture.shape[:2]
    limits = np.array((width, height, width, height), np.float64)
    x1, y1, x2, y2 = (float(value) for value in np.clip(box, 0, limits))
    side = max(1, round(max(x2 - x1, y2 - y1) * (1 + 2 * margin)))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    columns = (min(max(left, 0), width - 1), max(min(left + side, width), 1))
    rows = (min(max(top, 0), height - 1), max(min(top + side, height), 1))
    part = picture[rows[0] : rows[1], columns[0] : columns[1]]
    above, below = max(0, rows[0] - top), max(0, top + side - rows[1])
    before, after = max(0, columns[0] - left), max(0, left + side - columns[1])
    if above or below or before or after:
        whole = cv2.copyMakeBorder(part, above, below, before, after, cv2.BORDER_REPLICATE)
        part = np.asarray(whole, np.uint8)
    method = cv2.INTER_AREA if side > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (side_px, side_px), interpolation=method), np.uint8)


def to_blob(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn crops (n, S, S, 3) BGR into a classifier's input (n, 3, S, S) RGB from 0 to 1."""
    return np.ascontiguousarray(crops[..., ::-1].transpose(0, 3, 1, 2), np.float32) / np.float32(255)
