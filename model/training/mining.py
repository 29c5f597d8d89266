"""Hard examples: pictures that a half-trained network still gets wrong are shown more often.

A false detection in a picture with labelled objects is often an object that nobody labelled, so such
pictures are hard by what is missed or misnamed; pictures without any object by what is found in them.
Source of the idea: Shrivastava et al., "Training Region-based Object Detectors with Online Hard Example
Mining", CVPR 2016; here by pictures and now and then, since a small network's time is better spent on steps.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.evaluation.judging import Judged
from model.evaluation.metrics import SURE

LEAST_SIDE_PX = 16.0
"""Smaller objects, in a picture with a long side of 640, are missed by every network of this size."""
HARDEST_SHARE = 0.15
"""Of the pictures with objects, how many are hard at most."""
HARD_TIMES = 2.0
HARD_BACKGROUND_TIMES = 4.0
"""How many times as often as before hard pictures, with and without objects, are shown."""


def error_share(judged: Judged) -> float:
    """The share of a picture's objects from 16 px on that are missed or misnamed; 0 without objects."""
    counted = judged.label_sides >= LEAST_SIDE_PX
    wrong = judged.named[counted] != judged.labels[counted]
    return float(wrong.mean()) if len(wrong) else 0.0


def is_hard_background(judged: Judged) -> bool:
    """Whether something is surely found in a picture that has no object."""
    return not len(judged.labels) and bool((judged.scores >= SURE).any())


def emphasise(counts: npt.NDArray[np.float64], judged: Sequence[Judged]) -> npt.NDArray[np.float64]:
    """How often an epoch shows each picture (n,), with the hard ones shown more often."""
    shares = np.array([error_share(one) for one in judged])
    least = max(float(np.quantile(shares, 1 - HARDEST_SHARE)), 1e-9)
    times = np.where(shares > least, HARD_TIMES, 1.0)
    times[[is_hard_background(one) for one in judged]] = HARD_BACKGROUND_TIMES
    emphasised: npt.NDArray[np.float64] = counts * times
    return emphasised
