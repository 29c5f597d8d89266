"""Anchors fitted to the boxes of a data set."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.data.samples import Sample
from model.network.gbyolo.head import ANCHORS_PER_CELL, DEFAULT_ANCHORS, STRIDES, Anchors

COUNT = ANCHORS_PER_CELL * len(STRIDES)
SCALES = (0.5, 1.0, 1.5)
"""The augmentation shows every picture at about these multiples of the scale at which it fits."""
MIN_SIDE_PX = 4.0


def box_sizes(samples: Sequence[Sample], input_px: int) -> npt.NDArray[np.float32]:
    """Widths and heights (n, 2) in pixels of the training size, at the scales of the augmentation."""
    fitted = [
        (sample.labels[:, 3:] - sample.labels[:, 1:3]) * (input_px / max(sample.picture.shape[:2]))
        for sample in samples
    ]
    sizes = np.concatenate(fitted) if fitted else np.zeros((0, 2), np.float32)
    scaled = np.concatenate([sizes * scale for scale in SCALES])
    return scaled[(scaled >= MIN_SIDE_PX).all(1)].astype(np.float32)


def fit_anchors(sizes: npt.NDArray[np.float32], iterations: int = 30) -> Anchors:
    """Nine anchors by k-means on the worse of the width and height ratio, small ones first.

    Starts from quantiles, so it is deterministic. With fewer than 100 boxes YOLOv5's anchors.
    """
    if len(sizes) < 100:
        return DEFAULT_ANCHORS
    centres = np.stack([np.quantile(sizes, share, 0) for share in np.linspace(0.05, 0.95, COUNT)])
    for _ in range(iterations):
        ratio = sizes[:, None] / centres[None]
        nearest = np.minimum(ratio, 1 / ratio).min(2).argmax(1)
        centres = np.stack(
            [
                np.median(sizes[nearest == index], 0) if (nearest == index).any() else centres[index]
                for index in range(COUNT)
            ]
        )
    ordered = centres[centres.prod(1).argsort()]
    pairs = [(float(width), float(height)) for width, height in ordered]
    return tuple(tuple(pairs[level * 3 : level * 3 + 3]) for level in range(len(STRIDES)))
