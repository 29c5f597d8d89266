"""The accuracy column comes from the front matter of the model card."""

import re
from pathlib import Path

import pytest

from services.cli.models_command import ModelRow, card_accuracy, list_models
from services.detector.infer.models import model_path


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("---\naccuracy:\n  mAP50: 0.61\n  person: 0.55\n---\n# Card\n", "mAP50 0.61, person 0.55"),
        ("---\naccuracy: 0.61\n---\n", "0.61"),
        ("---\ntitle: x\n---\n", "-"),
        ("# No front matter\n", "-"),
        ("---\n: [\n---\n", "-"),
    ],
)
def test_card(tmp_path: Path, text: str, shown: str) -> None:
    card = tmp_path / "traffic-n.md"
    card.write_text(text, encoding="utf-8")
    assert card_accuracy(card) == shown


def test_no_card(tmp_path: Path) -> None:
    assert card_accuracy(tmp_path / "none.md") == "-"


def test_row_as_texts() -> None:
    row = ModelRow("traffic-n", ("traffic",), "traffic", ("person", "car"), (640, 384), 2_450_000, "-")
    assert row.cells() == ["traffic-n", "traffic", "traffic", "person, car", "640x384", "2.5 MB", "-"]


def test_every_shipped_model_shows_the_figures_of_its_card() -> None:
    rows = list_models()
    assert rows
    for row in rows:
        assert re.fullmatch(r"mAP50 0\.\d+ on test, 0\.\d+ on val(; right class .+)?", row.accuracy), row.name


def test_each_tasks_name_stands_for_one_shipped_model_of_that_task() -> None:
    stands_for = {alias: row.task for row in list_models() for alias in row.aliases}
    assert stands_for == {"traffic": "traffic", "mask": "mask"}
    assert all(model_path(alias).is_file() for alias in stands_for)
