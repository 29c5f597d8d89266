"""The loop learns, goes on after a kill as if there had been none, and keeps what is to be read."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.data.samples import Sample
from model.zoo.classifiers.crops import FaceCrop
from model.zoo.classifiers.lessons import CropLesson
from model.zoo.classifiers.networks import NetworkKind, lenet5
from model.zoo.classifiers.ssd import SsdLesson, shown_faces
from model.zoo.classifiers.training import (
    HISTORY_ROWS,
    LessonRun,
    is_trained,
    load_weights,
    read_history,
    read_weights,
    teach,
)
from services.core.errors import BadInputError, ConflictError

KIND = NetworkKind("tiny", "Tiny", lenet5, 32, learning_rate=3e-3)


class _Killed(Exception):
    """Ends a training in the middle."""


def _lesson(crops: list[FaceCrop], shown: int = 960) -> CropLesson:
    return CropLesson(KIND, shown, crops, crops, batch=16)


def test_it_learns_and_writes_what_it_has_learned(crops: list[FaceCrop], tmp_path: Path) -> None:
    shares: list[float] = []
    teach(_lesson(crops, 4000), 0, tmp_path, shares.append)
    rows = read_history(tmp_path)
    assert len(rows) == HISTORY_ROWS
    assert rows[-1]["val_accuracy"] > 0.9
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert rows[-1]["shown"] == 4000
    assert (shares[0] < 0.01, shares[-1]) == (True, 1.0)
    assert is_trained(tmp_path)


def test_a_killed_training_goes_on_as_if_it_had_not_been(crops: list[FaceCrop], tmp_path: Path) -> None:
    whole = teach(_lesson(crops), 3, tmp_path / "whole")

    def kill(share: float) -> None:
        if share > 0.45:
            raise _Killed

    with pytest.raises(_Killed):
        teach(_lesson(crops), 3, tmp_path / "killed", kill)
    assert not is_trained(tmp_path / "killed")
    again = teach(_lesson(crops), 3, tmp_path / "killed")
    for first, second in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(first, second)
    kept = [
        {name: row[name] for name in row if name != "seconds"} for row in read_history(tmp_path / "killed")
    ]
    assert kept == [
        {name: row[name] for name in row if name != "seconds"} for row in read_history(tmp_path / "whole")
    ]


def test_a_finished_training_is_not_done_again(crops: list[FaceCrop], tmp_path: Path) -> None:
    lesson = _lesson(crops, 64)
    teach(lesson, 0, tmp_path)
    before = read_weights(tmp_path)["network"]
    teach(lesson, 0, tmp_path, lambda share: pytest.fail("it has trained again"))
    assert all(torch.equal(before[name], value) for name, value in read_weights(tmp_path)["network"].items())


def test_other_settings_want_another_folder(crops: list[FaceCrop], tmp_path: Path) -> None:
    teach(_lesson(crops, 64), 0, tmp_path)
    with pytest.raises(ConflictError, match="other settings"):
        teach(_lesson(crops, 128), 0, tmp_path)
    with pytest.raises(BadInputError, match="another network"):
        load_weights(torch.nn.Linear(2, 2), tmp_path)


def test_missing_and_broken_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="train this row first"):
        load_weights(KIND.build(), tmp_path)
    (tmp_path / "weights.pt").write_bytes(b"broken")
    with pytest.raises(BadInputError, match="cannot be read"):
        read_weights(tmp_path)


def test_the_rate_rises_and_falls_to_nothing(crops: list[FaceCrop], tmp_path: Path) -> None:
    run = LessonRun(_lesson(crops, 640), 0, tmp_path)
    rates = []
    for _ in range(40):
        run.step()
        rates.append(run.optimizer.param_groups[0]["lr"])
    assert rates[0] < max(rates) <= KIND.learning_rate
    assert rates[-1] < 0.05 * KIND.learning_rate


def test_the_finder_learns_from_pictures(faces: list[Sample], tmp_path: Path) -> None:
    lesson = SsdLesson(8, faces, faces[:2], batch=2)
    run = LessonRun(lesson, 0, tmp_path)
    run.step()
    run.step()
    run.write_history()
    (row,) = read_history(tmp_path)
    assert np.isfinite(row["loss"])
    assert np.isfinite(row["val_loss"])
    assert row["epoch"] == pytest.approx(4 / len(faces), rel=1e-4)


def test_what_is_ignored_is_covered_for_the_finder() -> None:
    picture = np.full((20, 20, 3), 255, np.uint8)
    labels = np.array([[-1, 2, 2, 6, 6], [1, 10, 10, 18, 18]], np.float32)
    shown, boxes = shown_faces((picture, labels))
    assert boxes.tolist() == [[10, 10, 18, 18]]
    assert shown[:, 3, 3] == pytest.approx(np.full(3, 114 / 255))
    assert shown[:, 12, 12] == pytest.approx(np.ones(3))
    assert picture.min() == 255
