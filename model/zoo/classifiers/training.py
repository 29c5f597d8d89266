"""One training loop for all that is trained here: AdamW, a cosine schedule, going on after a kill.

What a step sees follows from the seed and the step alone, so that a training that was killed goes on as if it
had not been.
"""

import csv
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from model.files import replacing
from services.core.errors import BadInputError, ConflictError

WEIGHTS_NAME, HISTORY_NAME = "weights.pt", "history.csv"
WARM_UP_STEPS = 100
WEIGHT_DECAY = 0.02
MAX_GRADIENT_NORM = 5.0
HISTORY_ROWS = 12
"""Parts of a schedule after each of which the lesson measures what was learned."""
KEEP_EVERY_S = 60.0
LONGEST_STEP_S = 60.0
"""Most of the time between two steps that counts: a machine may have slept."""


@dataclass(frozen=True)
class Answered:
    """What a network made of one batch."""

    loss: Tensor
    """A scalar to learn from, the mean over what was shown."""
    right: int
    counted: int
    """How many answers there were, of which so many were right."""


class Lesson(Protocol):
    """What is taught: a network, its batches, and how what it learned is measured."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Plain values that say what is taught, beside its length."""

    @property
    def steps(self) -> int:
        """Steps in all."""

    @property
    def batch(self) -> int:
        """Crops or pictures a step."""

    @property
    def pool(self) -> int:
        """How many crops or pictures there are, which is an epoch."""

    @property
    def learning_rate(self) -> float:
        """At its highest."""

    def build(self) -> nn.Module:
        """The network with new weights."""

    def answer(self, network: nn.Module, rng: np.random.Generator) -> Answered:
        """Show a batch, drawn by the generator, to a network in training mode."""

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """Columns for history.csv, of a network in evaluation mode; the same each time."""


@dataclass
class LessonStanding:
    """Where a training stands, and sums since the last row of its history."""

    step: int = 0
    elapsed_s: float = 0.0
    loss: float = 0.0
    right: int = 0
    counted: int = 0
    finished: bool = False


class LessonRun:
    """A training in its folder: the network, the optimiser, and where they stand."""

    def __init__(self, lesson: Lesson, seed: int, run: Path) -> None:
        self.lesson, self.seed, self.run = lesson, seed, run
        run.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(seed)
        network = lesson.build()
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lesson.learning_rate, weight_decay=WEIGHT_DECAY
        )
        self.standing = LessonStanding()
        if (run / WEIGHTS_NAME).exists():
            self._resume()

    def _resume(self) -> None:
        content = read_weights(self.run)
        check_plan(content, plan_of(self.lesson, self.seed), self.run)
        self.network.load_state_dict(content["network"])
        if "optimizer" in content:
            self.optimizer.load_state_dict(content["optimizer"])
        self.standing = LessonStanding(**content["standing"])

    def step(self) -> None:
        """Learn from one batch."""
        standing, lesson = self.standing, self.lesson
        warm = min(1.0, (standing.step + 1) / min(WARM_UP_STEPS, max(1, lesson.steps // 10)))
        fall = 0.5 * (1 + np.cos(np.pi * standing.step / lesson.steps))
        for group in self.optimizer.param_groups:
            group["lr"] = float(lesson.learning_rate * warm * fall)
        rng = np.random.default_rng((self.seed, standing.step))
        torch.manual_seed(int(rng.integers(2**31)))
        answered = lesson.answer(self.network.train(), rng)
        self.optimizer.zero_grad(set_to_none=True)
        answered.loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self.optimizer.step()
        standing.step += 1
        standing.loss += float(answered.loss.detach()) * lesson.batch
        standing.right += answered.right
        standing.counted += answered.counted

    @property
    def ends_part(self) -> bool:
        """Whether the last step ended a part of the schedule."""
        step, steps = self.standing.step, self.lesson.steps
        return step * HISTORY_ROWS // steps > (step - 1) * HISTORY_ROWS // steps

    def write_history(self) -> None:
        """Add a row; rows that a killed training wrote after it last kept its weights are written anew."""
        standing, lesson = self.standing, self.lesson
        shown = standing.step * lesson.batch
        former = [one for one in read_history(self.run) if one["shown"] < shown]
        since = shown - (former[-1]["shown"] if former else 0)
        row = {
            "epoch": shown / lesson.pool,
            "shown": shown,
            "loss": standing.loss / max(1, since),
            "accuracy": standing.right / max(1, standing.counted),
            **lesson.measure(self.network.eval()),
            "seconds": standing.elapsed_s,
        }
        write_rows(self.run, [*former, row])
        standing.loss, standing.right, standing.counted = 0.0, 0, 0

    def keep(self) -> None:
        """Write the weights, and what going on takes while there is more to come, atomically."""
        self.standing.finished = self.standing.step >= self.lesson.steps
        content = {
            "plan": plan_of(self.lesson, self.seed),
            "standing": vars(self.standing),
            "network": self.network.state_dict(),
        }
        if not self.standing.finished:
            content["optimizer"] = self.optimizer.state_dict()
        with replacing(self.run / WEIGHTS_NAME) as partial:
            torch.save(content, partial)


def plan_of(lesson: Lesson, seed: int) -> dict[str, Any]:
    """What must be the same for a training to go on, or to be the one that is asked for."""
    return {**lesson.identity, "steps": lesson.steps, "pool": lesson.pool, "seed": seed}


def check_plan(content: Mapping[str, Any], plan: Mapping[str, Any], run: Path) -> None:
    """Raise ConflictError where a folder holds another training than the one that is asked for."""
    if content.get("plan") != plan:
        raise ConflictError(f"{run} holds a run with other settings or data: name another folder")


def teach(
    lesson: Lesson,
    seed: int,
    run: Path,
    step: Callable[[float], None] = lambda share: None,
    clock: Callable[[], float] = time.monotonic,
) -> nn.Module:
    """Train to the end, keeping weights and history.csv in the folder; the same call goes on after a kill.

    `step` is called with the share that is done. ConflictError where the folder holds another training.
    """
    training = LessonRun(lesson, seed, run)
    standing = training.standing
    last_s = kept_s = clock()
    while not standing.finished:
        training.step()
        now_s = clock()
        standing.elapsed_s += min(now_s - last_s, LONGEST_STEP_S)
        last_s = now_s
        if training.ends_part:
            training.write_history()
        if training.ends_part or now_s - kept_s >= KEEP_EVERY_S:
            training.keep()
            last_s = kept_s = clock()
        step(standing.step / lesson.steps)
    return training.network.eval()


def write_rows(run: Path, rows: Sequence[Mapping[str, float]]) -> None:
    """Write history.csv anew, atomically; the rows have the same columns."""
    with replacing(run / HISTORY_NAME) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)


def read_history(run: Path) -> list[dict[str, float]]:
    """The rows of history.csv; none where there is none."""
    path = run / HISTORY_NAME
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def read_weights(run: Path) -> dict[str, Any]:
    """What a training has kept; BadInputError where there is nothing that can be read."""
    path = run / WEIGHTS_NAME
    if not path.is_file():
        raise BadInputError(f"no weights in {run}: train this row first")
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, LookupError, pickle.UnpicklingError) as error:
        raise BadInputError(f"{path} cannot be read: {error}") from error
    return content


def is_trained(run: Path) -> bool:
    """Whether a training in this folder came to its end."""
    return (run / WEIGHTS_NAME).is_file() and bool(read_weights(run)["standing"]["finished"])


def load_weights(network: nn.Module, run: Path) -> nn.Module:
    """The network with what a training has kept, in evaluation mode; BadInputError if it is another's."""
    try:
        network.load_state_dict(read_weights(run)["network"])
    except (RuntimeError, KeyError) as error:
        raise BadInputError(f"{run} holds weights of another network") from error
    return network.eval()
