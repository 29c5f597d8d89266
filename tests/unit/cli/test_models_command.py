"""The accuracy column comes from the front matter of the model card."""

from pathlib import Path

import pytest

from services.cli.models_command import ModelRow, card_accuracy


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
