"""What every method that is compared does, whatever it is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from model.data.samples import DataSource, Sample
from model.evaluation.predictions import Found
from services.core.frames import Picture

if TYPE_CHECKING:
    from model.zoo.measuring import Evaluation


@dataclass(frozen=True)
class Schedule:
    """How long a method trains: the same for all of a table, else its row says so."""

    shown: int
    """Pictures, or faces cut out of them, that are shown in all, each augmented anew."""
    input_px: int
    seed: int = 0
    threads: int = 1


@dataclass(frozen=True)
class Cost:
    """What a method costs on paper; several stages together."""

    parameters: int
    gflops: float
    """Twice the multiplications of a picture, in thousands of millions, at the size that it is timed with."""
    size_bytes: int
    """Of the exported files."""


class Rival(Protocol):
    """One row of a table."""

    @property
    def name(self) -> str:
        """Names the row in commands, and the folder of its run: `faster-rcnn`."""

    @property
    def title(self) -> str:
        """As papers write it: `Faster R-CNN`."""

    def build(self, seed: int) -> None:
        """Make the network anew, with weights that follow from the seed."""

    def train(
        self,
        sources: Sequence[DataSource],
        run: Path,
        schedule: Schedule,
        step: Callable[[float], None],
    ) -> None:
        """Train to the end of the schedule and keep weights and history.csv in the folder of the run.

        Killed at any moment, the same call goes on. `step` is called with the share that is done.
        """

    def load(self, run: Path) -> None:
        """Take the weights that a training has kept; BadInputError where there are none."""

    def predict(self, picture_bgr: Picture) -> Found:
        """Find objects in a picture, in its pixels, however unsure."""

    def evaluate(
        self, samples: Sequence[Sample], step: Callable[[float], None], confidence: float | None = None
    ) -> "Evaluation":
        """Measure it on labelled pictures, at the confidence where its F1 is highest, or at another.

        `step` is called with the share that is done.
        """

    def export(self, path: Path) -> None:
        """Write the network as ONNX; BadInputError says why one cannot be."""

    def cost(self) -> Cost:
        """Count what it costs."""
