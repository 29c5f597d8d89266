"""The table of detectors over tiny pictures: two rows of it, trained for a step or two."""

import json
import shutil
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from model.data.samples import DataSource, picture_paths
from model.zoo.detectors import making, showing
from model.zoo.detectors.making import choose, has_ultralytics, make_ready, make_table, rivals
from model.zoo.detectors.showing import EPOCHS, measured_samples, training_samples
from model.zoo.rival import Schedule
from model.zoo.table import Table, TableSettings
from services.core.errors import BadInputError, ConflictError

SIDE_PX, SHOWN = 64, 64
ROWS = ("gbyolo-n", "ssd")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "INPUT_PX", SIDE_PX)
    monkeypatch.setattr(showing, "EPOCHS", 2)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the pictures of one source are set aside as unseen."""
    folder = tmp_path_factory.mktemp("data") / "masks_wild"
    rng = np.random.default_rng(0)
    for split, names in (
        ("train", [f"a{number}" for number in range(8)] + ["byr_0", "byr_1"]),
        ("val", [f"b{number}" for number in range(6)]),
    ):
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        for number, name in enumerate(names):
            picture = rng.integers(0, 60, (SIDE_PX, SIDE_PX, 3), np.uint8)
            picture[16:48, 16:48] = 240
            cv2.imwrite(str(folder / "images" / split / f"{name}.png"), picture)
            (folder / "labels" / split / f"{name}.txt").write_text(f"{number % 2} 0.5 0.5 0.5 0.5\n")
    return folder


def settings(faces: Path, runs: Path, **changes: object) -> TableSettings:
    values = {"document": runs / "figures.md", "only": ROWS, "shown": SHOWN, "rounds": 2} | changes
    return TableSettings((DataSource(faces),), runs, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made(faces: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Table, list[str]]:
    """A folder of runs, the table made in it, and the names of what was at work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "INPUT_PX", SIDE_PX)
        patch.setattr(showing, "EPOCHS", 2)
        runs = tmp_path_factory.mktemp("runs")
        steps: list[str] = []
        table = make_table(settings(faces, runs), lambda name, share: steps.append(name))
    return runs, table, steps


def weights(runs: Path, row: str) -> dict[str, torch.Tensor]:
    """What a training has left."""
    averaged: dict[str, torch.Tensor] = torch.load(runs / row / "weights.pt", weights_only=True)["averaged"]
    return averaged


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_row_has_all_its_figures_and_the_document_its_plots(made: tuple[Path, Table, list[str]]) -> None:
    runs, table, steps = made
    assert [row[0] for row in table.rows] == ["GB-YOLO n", "SSD"]
    assert all(len(row) == len(table.columns) for row in table.rows)
    cells = dict(zip(table.columns, table.rows[0], strict=True))
    assert cells["M parameters"] == "0.88" and float(cells["ms"]) > 0
    assert cells["engine"].startswith("onnxruntime") and cells["in the paper"] == "97.08 / 97.85 / 128"
    assert SHOWN / 2 <= int(cells["shown"]) <= SHOWN * 1.5
    assert all((runs / "figures" / plot.file).is_file() for plot in table.plots) and len(table.plots) == 4
    assert set(ROWS) <= set(steps) and {"ssd on val", "ssd on unseen", "timing"} <= set(steps)
    kept = json.loads((runs / "samples.json").read_text())
    assert len(kept["rows"]["ssd"]["samples_ms"]) == 2
    assert {path.name for path in (runs / "ssd").iterdir()} == {"weights.pt", "history.csv", "schedule.json"}


def test_the_text_says_what_was_shown_and_how_to_make_it_again(made: tuple[Path, Table, list[str]]) -> None:
    _, table, _ = made
    assert "--data data/masks_wild --shown 64" in table.introduction
    assert "of the split `val`, 2 of the split `unseen`" in table.introduction
    assert ("scripts/setup.sh --ultralytics" in table.introduction) == (not has_ultralytics())
    assert "What cannot" in table.notes and "| SSD |" in table.notes


def test_the_shares_of_the_errors_of_a_row_are_those_of_its_faces(
    made: tuple[Path, Table, list[str]],
) -> None:
    _, table, _ = made
    lines = table.notes.split("| method | right |")[1].splitlines()
    cells = [cell.strip() for cell in lines[2].split("|")[1:-1]]
    assert cells[0] == "GB-YOLO n" and len(cells) == 10
    right, misnamed, missed = map(float, cells[1:4])
    assert right + misnamed + missed == pytest.approx(1, abs=0.002) and right <= 1
    assert float(cells[7]) >= float(cells[8]) - 0.001 and cells[9][0] in "+-"


class Killed(BaseException):
    """What ends a training from outside."""


@pytest.mark.parametrize("row", ROWS)
def test_the_same_seed_gives_the_same_weights_also_after_a_kill(
    row: str,
    made: tuple[Path, Table, list[str]],
    faces: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(showing, "TrainConfig", partial(showing.TrainConfig, checkpoint_s=0.0))
    (rival,), schedule = choose(rivals(), [row]), Schedule(SHOWN, SIDE_PX)

    def kill(name: str, share: float) -> None:
        if share > 0.6:
            raise Killed

    with pytest.raises(Killed):
        make_ready(rival, settings(faces, tmp_path), schedule, kill)
    assert not make_ready(rival, settings(faces, tmp_path, trains=False), schedule, kill)
    shares: list[float] = []
    assert make_ready(rival, settings(faces, tmp_path), schedule, lambda name, share: shares.append(share))
    assert shares[1] > 0.5
    assert_same(weights(tmp_path, row), weights(made[0], row))
    history = (tmp_path / row / "history.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in history] == ["epoch", "1", "2"]


def test_a_folder_with_another_schedule_is_refused(
    made: tuple[Path, Table, list[str]], faces: Path, tmp_path: Path
) -> None:
    shutil.copytree(made[0], tmp_path, dirs_exist_ok=True)
    with pytest.raises(ConflictError, match=r"gbyolo-n holds a training with other settings \(shown\)"):
        make_table(settings(faces, tmp_path, shown=SHOWN + 8), lambda name, share: None)


def test_what_is_trained_is_only_measured_and_what_is_not_is_left_out_and_named(
    made: tuple[Path, Table, list[str]], faces: Path, tmp_path: Path
) -> None:
    runs, table, _ = made
    shutil.copytree(runs / "ssd", tmp_path / "ssd")
    steps: list[str] = []
    again = make_table(settings(faces, tmp_path, trains=False), lambda name, share: steps.append(name))
    (row,) = again.rows
    accuracies = slice(7, None)
    assert row[0] == "SSD" and row[accuracies] == table.rows[1][accuracies] and "ssd" not in steps
    assert "no weights here: GB-YOLO n." in again.introduction


def test_without_any_weights_there_is_no_table(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no row of the table has weights"):
        make_table(settings(faces, tmp_path, trains=False), lambda name, share: None)


def test_the_rows_are_those_of_the_papers_and_an_unknown_one_is_refused() -> None:
    names = [one.name for one in rivals()]
    assert {"yolov4", "yolov5-n", "yolov5-s", "ssd", "faster-rcnn", "retinanet", "gbyolo-s"} <= set(names)
    assert [one.name for one in choose(rivals(), ["ssd"])] == ["ssd"]
    with pytest.raises(BadInputError, match="no row 'yolo', there are gbyolo-n, yolov5-n"):
        choose(rivals(), ["yolo"])


def test_data_without_pictures_to_measure_on_or_of_another_task_is_refused(
    faces: Path, tmp_path: Path
) -> None:
    (tmp_path / "images" / "train").mkdir(parents=True)
    with pytest.raises(BadInputError, match="images/val to measure on"):
        measured_samples([DataSource(tmp_path)])
    with pytest.raises(BadInputError, match="faces with and without masks"):
        measured_samples([DataSource(faces, task="traffic")])


@pytest.mark.data
def test_no_picture_that_measures_is_trained_on(test_data: Path) -> None:
    folders = [test_data / name for name in ("masks", "masks_more", "masks_wild")]
    trained = {path.stem for folder in folders for path in picture_paths(folder, "train")}
    measured = {path.stem for path in picture_paths(folders[0], "val")}
    measured |= {path.stem for folder in folders for path in picture_paths(folder, "unseen")}
    assert len(trained) > 4000 and len(measured) > 300 and not trained & measured


def test_all_epochs_together_show_what_the_schedule_says(faces: Path) -> None:
    samples = training_samples([DataSource(faces)], Schedule(SHOWN, SIDE_PX))
    assert {one.name[0] for one in samples} == {"a"}
    assert sum(one.repeat for one in samples) * showing.EPOCHS == pytest.approx(SHOWN)
    assert EPOCHS == 10
