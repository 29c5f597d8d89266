from pathlib import Path

import numpy as np
import pytest
import torch

from model.data.batches import EpochPlan
from model.data.samples import DataSource, Sample
from model.network.checkpoint import FILE_NAME, read_checkpoint
from model.training.config import TrainConfig
from model.zoo.rival import Schedule
from model.zoo.small_faces import training
from model.zoo.small_faces.schedule import (
    EPOCHS,
    multi_scale_batches,
    one_scale_batches,
    scaled_samples,
    train_config,
)
from model.zoo.small_faces.training import FacesVariant, SmallFacesTrainer, read_history
from services.core.errors import ConflictError

SIDE_PX, SHOWN = 64, 96


class KilledError(Exception):
    """Ends a training where a kill would."""


def config_in(run: Path, seed: int = 0) -> TrainConfig:
    return train_config([DataSource(Path("masks"))], run, Schedule(SHOWN, SIDE_PX, seed), 1.0)


def trainer_in(run: Path, squares: list[Sample], variant: FacesVariant | None = None) -> SmallFacesTrainer:
    torch.manual_seed(0)
    variant = variant or FacesVariant()
    samples, _ = scaled_samples(squares, SHOWN)
    return SmallFacesTrainer(variant, variant.build(), samples, config_in(run))


def test_a_killed_training_ends_as_an_unbroken_one(
    squares: list[Sample], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SAVE_EVERY", 1)
    shares: list[float] = []
    trainer_in(tmp_path / "whole", squares).run(shares.append)
    steps = len(set(shares)) - 1
    assert shares == sorted(shares) and shares[-1] == 1.0 and steps > EPOCHS

    for survived in (3, 5):  # within an epoch before the mining, and after it
        left = survived

        def killed(share: float) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError

        with pytest.raises(KilledError):
            trainer_in(tmp_path / "killed", squares).run(killed)
    trainer_in(tmp_path / "killed", squares).run(lambda share: None)
    whole, resumed = (read_checkpoint(tmp_path / name / FILE_NAME) for name in ("whole", "killed"))
    assert all(torch.equal(resumed["averaged"][name], value) for name, value in whole["averaged"].items())
    assert (tmp_path / "killed/history.csv").read_text() == (tmp_path / "whole/history.csv").read_text()
    history = read_history(tmp_path / "whole/history.csv")
    assert [row["epoch"] for row in history] == list(range(1, EPOCHS + 1))
    assert abs(history[-1]["shown"] - SHOWN) <= 3 * 8

    with pytest.raises(ConflictError, match="other settings"):
        trainer_in(tmp_path / "whole", squares, FacesVariant(focal=False))


def test_some_steps_lower_the_loss(squares: list[Sample], tmp_path: Path) -> None:
    trainer = trainer_in(tmp_path, squares)
    plan = EpochPlan(0, 0, 8, SIDE_PX, mosaic=0.0)
    _, batch = next(iter(one_scale_batches(squares, np.ones(len(squares)), plan)))
    losses = []
    for number in range(10):
        trainer.step = 99 + number  # past the warm-up
        losses.append(trainer.train_batch(batch, 0.0).total.item())
    assert losses[-1] < 0.7 * losses[0]


def test_without_multi_scale_pictures_are_whole_and_of_one_size(squares: list[Sample]) -> None:
    plan = EpochPlan(0, 0, 8, SIDE_PX, mosaic=0.7, spread=0.3)
    counts = np.ones(len(squares))
    one = [batch for _, batch in one_scale_batches(squares, counts, plan)]
    many = [batch for _, batch in multi_scale_batches(squares, counts, plan)]
    assert len(one) == len(many) == 2
    sides = {round(float(side) * 96) for batch in one for side in batch.targets[batch.targets[:, 1] >= 0, 4]}
    assert sides == {round(float(s.labels[0, 3] - s.labels[0, 1])) for s in squares}
    assert {batch.pictures.shape[1] for batch in one} == {SIDE_PX}
    again = [
        batch for _, batch in one_scale_batches(squares, counts, EpochPlan(0, 0, 8, SIDE_PX, 0.7, 0.3, 1))
    ]
    assert (again[0].pictures == one[1].pictures).all()


def test_the_schedule_shows_as_many_pictures_as_it_says(squares: list[Sample]) -> None:
    samples, repeat = scaled_samples(squares, 600)
    again, factor = scaled_samples(samples, 600)
    assert factor == pytest.approx(1) and again[0].repeat == pytest.approx(squares[0].repeat * repeat)
