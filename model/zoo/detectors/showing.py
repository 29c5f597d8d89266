"""What the trainings of a table are shown: for all rows the same pictures, cut alike and in the same order.

The batches of a training follow from its plan alone. All rows have the same plan, so that what differs
between them is the network and its loss. A tenth of a schedule is called an epoch, however many pictures
there are.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from model.data.samples import (
    DataSource,
    Sample,
    check_classes,
    load_split,
    picture_paths,
    show_counts,
)
from model.network.build import Architecture, Size
from model.training.config import TrainConfig
from model.training.train import DETAIL
from model.training.trainer import rare_classes
from model.zoo.rival import Schedule
from services.core.errors import BadInputError
from services.core.types import MASK_CLASSES

TASK = "mask"
EPOCHS = 10
BATCH = 8
MEASURED_SIDE_PX = 640


def settings(
    sources: Sequence[DataSource],
    run: Path,
    schedule: Schedule,
    learning_rate: float,
    architecture: Architecture = "gbyolo",
    size: Size = "n",
) -> TrainConfig:
    """The settings of one training; nothing is mined, and all pictures have the size of the schedule."""
    return TrainConfig(
        data=tuple(sources),
        run=run,
        task=TASK,
        architecture=architecture,
        size=size,
        input_px=schedule.input_px,
        batch=BATCH,
        minutes=None,
        epochs=EPOCHS,
        learning_rate=learning_rate,
        multi_scale=0.0,
        threads=schedule.threads,
        seed=schedule.seed,
        mine_at=(),
        evaluate_every=1,
    )


def training_samples(sources: Sequence[DataSource], schedule: Schedule) -> list[Sample]:
    """The training pictures, each with how often an epoch shows it, so that all epochs show `shown`."""
    samples = _loaded(tuple(sources), round(schedule.input_px * DETAIL))
    in_all = float(show_counts(samples, rare_classes(TASK)).sum())
    share = schedule.shown / EPOCHS / in_all
    return [replace(one, repeat=one.repeat * share) for one in samples]


def validation_samples(sources: Sequence[DataSource]) -> list[Sample]:
    """The pictures on which every epoch is measured, and by which no weights are chosen."""
    return measured_samples(sources)["val"]


@lru_cache(maxsize=1)
def _loaded(sources: tuple[DataSource, ...], side_px: int) -> list[Sample]:
    samples = load_split(_of_faces(sources), "train", side_px)
    check_classes(samples, len(MASK_CLASSES))
    return samples


def measured_samples(sources: Sequence[DataSource]) -> dict[str, list[Sample]]:
    """By split what a table is measured on: `val` of the first folder with one, and `unseen` if there is any.

    BadInputError where no folder has pictures for `val`.
    """
    return _measured(tuple(sources))


@lru_cache(maxsize=1)
def _measured(sources: tuple[DataSource, ...]) -> dict[str, list[Sample]]:
    faces = _of_faces(sources)
    first = next((one for one in faces if (one.folder / "images" / "val").is_dir()), None)
    if first is None:
        raise BadInputError("none of the data folders has pictures in images/val to measure on")
    chosen = {"val": [first], "unseen": [one for one in faces if picture_paths(one.folder, "unseen")]}
    samples = {
        split: load_split(folders, split, MEASURED_SIDE_PX) for split, folders in chosen.items() if folders
    }
    for of_split in samples.values():
        check_classes(of_split, len(MASK_CLASSES))
    return samples


def _of_faces(sources: Sequence[DataSource]) -> Sequence[DataSource]:
    if other := [one for one in sources if one.task not in (None, TASK)]:
        raise BadInputError(f"--data {other[0].folder}: the table is of faces with and without masks")
    return sources
