"""Augmented batches of an epoch, the same for the same plan."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.data.augment import augment
from model.data.samples import Labels, Picture, Sample, epoch_order
from model.data.synthetic_masks import wear_masks

SIDE_STEP_PX = 32


@dataclass(frozen=True)
class Batch:
    """Pictures (B, S, S, 3) BGR of one task; targets (n, 6): picture, class or -1, x, y, w, h in shares."""

    task: str
    pictures: Picture
    targets: Labels


@dataclass(frozen=True)
class EpochPlan:
    """What one epoch shows; the same plan always gives the same batches, from any `first_batch` on."""

    seed: int
    epoch: int
    batch: int
    input_px: int
    mosaic: float
    spread: float = 0.0
    """How far the side of a batch's pictures may be from `input_px`, as a share of it (multi-scale)."""
    first_batch: int = 0


def schedule(
    counts: Mapping[str, npt.NDArray[np.float64]], plan: EpochPlan
) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """The task and the pictures of each batch of an epoch, the tasks mixed.

    Only full batches; a task with fewer pictures than a batch makes one, with some shown twice.
    """
    rng = np.random.default_rng((plan.seed, plan.epoch))
    batches = []
    for task, of_task in counts.items():
        order = epoch_order(of_task, rng)
        total = max(1, len(order) // plan.batch)
        order = np.resize(order, total * plan.batch)
        batches += [(task, chosen) for chosen in np.split(order, total)]
    return [batches[index] for index in rng.permutation(len(batches))]


def make_batches(
    samples: Mapping[str, Sequence[Sample]],
    counts: Mapping[str, npt.NDArray[np.float64]],
    plan: EpochPlan,
    part: int = 0,
    parts: int = 1,
) -> Iterator[tuple[int, Batch]]:
    """Yields the number of batches of the epoch with each batch from `plan.first_batch` on.

    Of several parts, each gives every `parts`-th batch, the first beginning with the first.
    """
    batches = schedule(counts, plan)
    for index in range(plan.first_batch + part, len(batches), parts):
        task, chosen = batches[index]
        rng = np.random.default_rng((plan.seed, plan.epoch, index))
        yield len(batches), _batch(task, samples[task], chosen, plan, rng)


def _batch(
    task: str,
    samples: Sequence[Sample],
    chosen: npt.NDArray[np.int64],
    plan: EpochPlan,
    rng: np.random.Generator,
) -> Batch:
    pictures, targets = [], []
    side_px = batch_side_px(plan, rng)
    for position, index in enumerate(chosen):
        others = rng.integers(0, len(samples), 3) if rng.random() < plan.mosaic else ()
        group = [samples[int(number)] for number in (index, *others)]
        if task == "mask":
            group = [wear_masks(sample, rng) for sample in group]
        picture, labels = augment(group, side_px, rng)
        pictures.append(picture)
        targets.append(to_targets(labels, position, side_px))
    return Batch(task, np.stack(pictures), np.concatenate(targets))


def batch_side_px(plan: EpochPlan, rng: np.random.Generator) -> int:
    """The side of a batch's pictures: `input_px` give or take the spread, a multiple of 32."""
    side_px = plan.input_px * (1 + rng.uniform(-plan.spread, plan.spread))
    return max(SIDE_STEP_PX, SIDE_STEP_PX * round(side_px / SIDE_STEP_PX))


def to_targets(labels: Labels, position: int, input_px: int) -> Labels:
    """Boxes (n, 5) in pixels as rows of Batch.targets for the picture at `position`."""
    targets = np.zeros((len(labels), 6), np.float32)
    targets[:, 0], targets[:, 1] = position, labels[:, 0]
    targets[:, 2:4] = (labels[:, 1:3] + labels[:, 3:]) / 2 / input_px
    targets[:, 4:] = (labels[:, 3:] - labels[:, 1:3]) / input_px
    return targets
