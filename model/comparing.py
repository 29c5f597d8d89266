"""Two models on the same pictures: the difference of their figures, and how sure it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.judging import Judged

Figure = Callable[[Sequence[Judged]], float]
"""A figure over pictures, such as mAP50."""


@dataclass(frozen=True)
class Difference:
    """Second minus first, with the interval in which 95 of 100 draws of the pictures lie."""

    difference: float
    low: float
    high: float


def bootstrap_difference(
    first: Sequence[Sequence[Judged]],
    second: Sequence[Sequence[Judged]],
    figure: Figure,
    rounds: int = 1000,
    seed: int = 0,
) -> Difference:
    """Compares two models over the same pictures, each trained with one or more seeds.

    The figure of a model is the mean over its seeds. Each round draws pictures with replacement, the same
    for both models, so that what is hard for both does not widen the interval, and seeds too.
    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, the percentile interval.
    """
    pictures = {len(judged) for judged in (*first, *second)}
    if len(pictures) != 1:
        raise ValueError("both models have to be judged on the same pictures")
    (count,) = pictures
    rng = np.random.default_rng(seed)

    def mean(runs: Sequence[Sequence[Judged]], chosen: Sequence[int]) -> float:
        return float(np.mean([figure([run[index] for index in chosen]) for run in runs]))

    def drawn(runs: Sequence[Sequence[Judged]]) -> list[Sequence[Judged]]:
        return [runs[index] for index in rng.integers(0, len(runs), len(runs))]

    everything = range(count)
    values = []
    for _ in range(rounds):
        chosen = rng.integers(0, count, count).tolist()
        values.append(mean(drawn(second), chosen) - mean(drawn(first), chosen))
    low, high = np.percentile(values, (2.5, 97.5))
    return Difference(mean(second, everything) - mean(first, everything), float(low), float(high))
