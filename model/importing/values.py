"""What values look like that an output gives: whether they can be boxes, scores or labels. Pure."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 0.99
"""Share of the rows that have to be as a form demands: a network that nobody trained has odd ones."""

LARGEST_SHARE = 2.0
"""Largest value of boxes in shares of the picture; boxes in pixels are larger."""

SLACK = 1e-3

LARGEST_LOGIT = 100.0
"""A network's raw scores are smaller: their sigmoid is 0 or 1 long before."""

Floats = NDArray[np.floating[Any]]


def are_probabilities(values: Floats) -> bool:
    """Return whether all lie in 0..1; -1 stands for rows that are empty."""
    if not values.size:
        return True
    is_empty = values == -1
    return bool(np.all(is_empty | ((values >= -SLACK) & (values <= 1 + SLACK))))


def may_be_logits(values: Floats) -> bool:
    """Return whether columns (n, columns) can be scores before their sigmoid or softmax.

    Keypoints and sizes in pixels are larger, and where some columns are shares and others are not, as beside
    angles and the coefficients of outlines, not all of them are classes.
    """
    if not len(values):
        return True
    shares = [are_probabilities(column) for column in values.T]
    return bool(np.abs(values).max() <= LARGEST_LOGIT) and (not any(shares) or all(shares))


def are_corners(boxes: Floats) -> bool:
    """Return whether the second corner of each box (n, 4) is right of and below the first."""
    if not len(boxes):
        return True
    ordered = (boxes[:, 2] >= boxes[:, 0] - SLACK) & (boxes[:, 3] >= boxes[:, 1] - SLACK)
    return bool(ordered.mean() >= MOST)


def are_sizes(boxes: Floats) -> bool:
    """Return whether the last two values of each box (n, 4) can be a width and a height."""
    if not len(boxes):
        return True
    return bool(((boxes[:, 2] >= -SLACK) & (boxes[:, 3] >= -SLACK)).mean() >= MOST)


def is_normalised(boxes: Floats) -> bool:
    """Return whether boxes are shares of the picture, and not pixels."""
    return bool(len(boxes)) and bool(np.abs(boxes).max() <= LARGEST_SHARE)


def are_whole(values: Sequence[NDArray[Any]]) -> bool:
    """Return whether all are whole numbers, as labels are."""
    return all(bool(np.all(one == np.round(one))) for one in values)


def background_of(scores: Floats) -> int:
    """Say which end of the columns (n, classes + 1) is the background: the one that scores more on average.

    Most places of a picture show nothing. Gives 0 or the last column's number.
    """
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = scores if are_probabilities(scores) else exponents / exponents.sum(axis=1, keepdims=True)
    first, last = float(shares[:, 0].mean()), float(shares[:, -1].mean())
    return 0 if first >= last else scores.shape[1] - 1
