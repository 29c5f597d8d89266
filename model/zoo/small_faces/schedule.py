"""What all rows of the table share: pictures, their order, the optimiser, and the start of the backbone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.data.augment import clip_labels, degrade, mirror, shift_colour
from model.data.batches import Batch, EpochPlan, make_batches, schedule, to_targets
from model.data.samples import DataSource, Sample, check_classes, load_split, show_counts
from model.data.synthetic_masks import wear_masks
from model.evaluation.predictions import letterbox
from model.training.config import TrainConfig
from model.training.starting import Start, read_start
from model.training.trainer import rare_classes
from model.zoo.rival import Schedule
from services.core.types import MASK_CLASSES

TASK = "mask"
EPOCHS = 6
"""FacesLoss of the schedule, after each of which there is a line in history.csv."""
MINE_AT = 0.5
"""The share of the schedule after which what is hard is shown more often."""
BATCH, LEARNING_RATE, EMA_DECAY = 8, 1.5e-3, 0.99
START = Path(__file__).resolve().parents[2] / "weights" / "traffic-n.onnx"
"""Its backbone is the start of all, as a backbone that was trained on ImageNet is in the papers."""
BACKBONE = "backbone."

Counts = npt.NDArray[np.float64]


def train_config(sources: Sequence[DataSource], run: Path, planned: Schedule, repeat: float) -> TrainConfig:
    """The settings of our own trainer for a row, with folders shown `repeat` times as often as they ask."""
    return TrainConfig(
        data=tuple(replace(one, repeat=one.repeat * repeat) for one in sources),
        run=run,
        task=TASK,
        input_px=planned.input_px,
        batch=BATCH,
        minutes=None,
        epochs=EPOCHS,
        learning_rate=LEARNING_RATE,
        ema_decay=EMA_DECAY,
        threads=planned.threads,
        seed=planned.seed,
        mine_at=(MINE_AT,),
        evaluate_every=EPOCHS,
        checkpoint_s=60.0,
    )


@lru_cache(maxsize=1)
def training_samples(sources: tuple[DataSource, ...], side_px: int) -> list[Sample]:
    """The pictures to train on, kept for the next row."""
    samples = load_split(sources, "train", side_px)
    check_classes(samples, len(MASK_CLASSES))
    return samples


def scaled_samples(samples: Sequence[Sample], shown: int) -> tuple[list[Sample], float]:
    """The samples with repeats such that all epochs together show so many, and what scaled them."""
    repeat = shown / EPOCHS / show_counts(samples, rare_classes(TASK)).sum()
    return [replace(one, repeat=one.repeat * repeat) for one in samples], repeat


def epoch_plan(config: TrainConfig, epoch: int, first_batch: int) -> EpochPlan:
    """What an epoch shows, the same as our own trainer shows in it."""
    mosaic = config.mosaic if config.progress(0, epoch) < config.mosaic_until else 0.0
    return EpochPlan(
        config.seed, epoch, config.batch, config.input_px, mosaic, config.multi_scale, first_batch
    )


def one_scale_batches(
    samples: Sequence[Sample], counts: Counts, plan: EpochPlan
) -> Iterator[tuple[int, Batch]]:
    """As make_batches, without multi-scale: every picture whole and as large as fits into the input.

    Colours, cameras' flaws, drawn masks and mirroring are as ever.
    """
    batches = schedule({TASK: counts}, plan)
    for index in range(plan.first_batch, len(batches)):
        rng = np.random.default_rng((plan.seed, plan.epoch, index))
        pictures, targets = [], []
        for position, chosen in enumerate(batches[index][1]):
            picture, labels = letterbox(wear_masks(samples[int(chosen)], rng), plan.input_px, plan.input_px)
            labels = clip_labels(labels, plan.input_px, plan.input_px)
            picture = degrade(shift_colour(picture, rng), rng)
            if rng.random() < 0.5:
                picture, labels = mirror(picture, labels)
            pictures.append(picture)
            targets.append(to_targets(labels, position, plan.input_px))
        yield len(batches), Batch(TASK, np.stack(pictures), np.concatenate(targets))


def multi_scale_batches(
    samples: Sequence[Sample], counts: Counts, plan: EpochPlan
) -> Iterator[tuple[int, Batch]]:
    """The batches of an epoch: pictures at half to twice the scale at which they fit, or four in one.

    RetinaFace cuts random squares out of its pictures instead; both show a face at many sizes.
    """
    return make_batches({TASK: samples}, {TASK: counts}, plan)


def start_weights(samples: Sequence[Sample]) -> tuple[Start, dict[str, Tensor]]:
    """The network of whose weights all begin with the backbone, and those of its backbone by name."""
    start = read_start(START, samples)
    return start, {name: value for name, value in start.weights.items() if name.startswith(BACKBONE)}


def seed_all(seed: int) -> None:
    """What is random from here on follows from the seed."""
    torch.manual_seed(seed)
    np.random.seed(seed)
