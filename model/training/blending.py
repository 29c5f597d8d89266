"""Weights between those that a training started from and those that it ended with.

A short fine-tuning forgets some of what its start knew; a mean of both is often better than either.
Source: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, section 3.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

START_NAME, BLENDS_NAME = "start.pt", "blends.csv"
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the end; 0 is the start itself."""


@dataclass(frozen=True)
class Blend:
    """A share of the end's weights, and the figures of the mean on the validation pictures."""

    share: float
    map50: float
    map50_95: float


def blend(start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The mean of two states of one network, `share` of it from the end; counters are the end's."""
    return {
        name: start[name].to(value.device).lerp(value, share) if value.dtype.is_floating_point else value
        for name, value in end.items()
    }


def write_blends(run: Path, blends: Sequence[Blend]) -> None:
    """Writes the run's blends.csv."""
    with (run / BLENDS_NAME).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["share", "map50", "map50_95"])
        writer.writerows([one.share, f"{one.map50:.5g}", f"{one.map50_95:.5g}"] for one in blends)
