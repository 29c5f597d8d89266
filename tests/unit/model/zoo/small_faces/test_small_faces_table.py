import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.data.samples import DataSource, Sample
from model.evaluation.comparing import Difference
from model.zoo.small_faces import making
from model.zoo.small_faces.making import chosen_rows, make_table
from model.zoo.small_faces.rows import GBYOLO, LONG, MAIN
from model.zoo.small_faces.words import PAPER_FIGURES, columns, shown_so_far, verdict
from model.zoo.table import TableSettings, write_table
from services.core.errors import BadInputError, ConflictError


def write_pictures(folder: Path, split: str, prefix: str, squares: list[Sample]) -> None:
    for kind in ("images", "labels"):
        (folder / kind / split).mkdir(parents=True, exist_ok=True)
    for sample in squares:
        name = f"{prefix}_{sample.name}"
        cv2.imwrite(str(folder / "images" / split / f"{name}.png"), sample.picture)
        label, *corners = sample.labels[0]
        low, high = np.array(corners[:2]) / 96, np.array(corners[2:]) / 96
        values = " ".join(f"{value:.6f}" for value in (*((low + high) / 2), *(high - low)))
        (folder / "labels" / split / f"{name}.txt").write_text(f"{int(label)} {values}\n")


@pytest.fixture
def settings(tmp_path: Path, squares: list[Sample], monkeypatch: pytest.MonkeyPatch) -> TableSettings:
    masks, wild = tmp_path / "data/masks", tmp_path / "data/masks_wild"
    write_pictures(masks, "train", "ilc", squares)
    write_pictures(masks, "val", "wdr", squares[:4])
    write_pictures(masks, "val", "ilc", squares[4:8])
    write_pictures(wild, "train", "byr", squares[:3])
    monkeypatch.setattr(making, "INPUT_PX", 64)
    return TableSettings(
        data=(DataSource(masks), DataSource(wild)),
        runs=tmp_path / "runs",
        document=tmp_path / "docs/benchmarks.md",
        only=(MAIN, GBYOLO, LONG),
        shown=48,
        rounds=2,
        samples_file=tmp_path / "samples.json",
    )


def test_the_table_is_made_from_what_is_trained_and_measured(settings: TableSettings) -> None:
    steps: dict[str, list[float]] = {}
    table = make_table(settings, lambda name, share: steps.setdefault(name, []).append(share))
    assert [row[1] for row in table.rows] == [f"`{name}`" for name in (MAIN, GBYOLO, LONG)]
    assert all(len(row) == len(columns()) for row in table.rows)
    assert table.rows[2][2] == "far more" and int(table.rows[0][2]) > 0
    assert table.rows[0][-1].startswith(f"{PAPER_FIGURES[0].value:.3f}")
    assert "4 crowds, 3 unseen" in table.introduction
    assert all(shares[-1] == 1.0 for shares in steps.values()) and set(steps) == {MAIN, GBYOLO, LONG}
    for name in (MAIN, GBYOLO):
        assert (settings.runs / name / "history.csv").read_text().startswith("epoch,shown,loss")

    assert settings.samples_file is not None
    samples = json.loads(settings.samples_file.read_text())
    assert [len(row["samples_ms"]) for row in samples["rows"]] == [2, 2, 2]

    folder = settings.document.parent / "benchmarks"
    plots = {path.name: path.read_bytes() for path in folder.glob("*.svg")}
    assert set(plots) == {plot.file for plot in table.plots} and len(plots) == 3
    assert not any(b"dc:date" in content for content in plots.values())
    again = make_table(replace(settings, only=(MAIN,)), lambda name, share: None)
    assert again.rows[0][3:10] == table.rows[0][3:10]
    with pytest.raises(ConflictError, match="other settings"):
        make_table(replace(settings, only=(GBYOLO,), shown=96), lambda name, share: None)
    write_table(table, settings.document)
    assert "<!-- table: small-faces -->" in settings.document.read_text()


def test_rows_that_do_not_exist_and_rows_without_weights_are_said(settings: TableSettings) -> None:
    with pytest.raises(BadInputError, match="no row 'retina'"):
        chosen_rows(["retina"])
    untrained = replace(settings, only=(MAIN,), trains=False)
    with pytest.raises(BadInputError, match="no row of the table has weights"):
        make_table(untrained, lambda name, share: None)


def test_data_without_crowds_is_refused(settings: TableSettings) -> None:
    unseen_only = TableSettings(settings.data[1:], settings.runs, settings.document)
    with pytest.raises(BadInputError):
        make_table(unseen_only, lambda name, share: None)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(0.01, 0.1, "better"), (-0.1, -0.01, "worse"), (-0.1, 0.1, "no difference")],
)
def test_a_difference_whose_interval_holds_zero_is_none(low: float, high: float, words: str) -> None:
    assert verdict(Difference((low + high) / 2, low, high)).startswith(words)


def test_a_training_that_has_not_ended_is_marked() -> None:
    assert shown_so_far([{"epoch": 6, "shown": 6000}]) == "6,000"
    assert shown_so_far([{"epoch": 1, "shown": 1000}]) == "1,000 (unfinished)"
    assert shown_so_far([]) == "less than an epoch"
