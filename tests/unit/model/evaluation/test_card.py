"""Model cards: figures between the marks, the front matter, and figures by source."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest

from model.data.samples import Sample, is_test
from model.data.sources import source_of, sources_of
from model.evaluation import card
from model.evaluation.card import (
    BEGIN,
    END,
    CardFigures,
    SplitFigures,
    accuracy_line,
    by_source,
    measure_card,
    refreshed,
    right_class,
)
from model.evaluation.judging import Judged, judge
from model.evaluation.metrics import found_with_class
from model.evaluation.predictions import Found
from model.evaluation.report import report
from model.export.writing import ExportConfig, export_model
from services.cli.models_command import card_accuracy
from services.core.errors import BadInputError

MASKS = ("mask", "no_mask", "mask_incorrect")
TRUE = np.array([[0, 0, 0, 40, 40], [1, 50, 50, 90, 90]], np.float32)
"""A face with a mask and one without."""


def picture(*classes: int, score: float = 0.9) -> Judged:
    """A picture of both faces, of which so many are found, with these classes."""
    count = len(classes)
    found = Found(TRUE[:count, 1:], np.full(count, score, np.float32), np.array(classes, np.int64))
    return judge(found, TRUE)


def figures(*judged: Judged, classes: tuple[str, ...] = MASKS) -> CardFigures:
    part = SplitFigures(report(judged, classes), by_source([], [], {}))
    return CardFigures("ab" * 32, (640, 384), "masks", {"test": part, "val": part})


def samples(*names: str) -> list[Sample]:
    return [Sample(name, np.zeros((96, 96, 3), np.uint8), TRUE) for name in names]


def test_found_with_class_counts_sure_detections_of_the_right_class() -> None:
    assert found_with_class([picture(0, 1), picture(0)]).share == 0.75
    assert found_with_class([picture(1, 1)]).share == 0.5
    assert found_with_class([picture(0, 1, score=0.2)]).share == 0
    assert found_with_class([picture(0, 1)]).of == 2


def test_figures_by_source_are_of_the_pictures_of_each() -> None:
    judged = [picture(0, 1), picture(0), picture()]
    parts = by_source(samples("kgl_1", "ilc_1", "kgl_2"), judged, {"ilc_1": "class-project"})
    assert {name: (part.pictures, part.found.share) for name, part in parts.items()} == {
        "class-project": (1, 0.5),
        "kgl": (2, 0.5),
    }


def test_sources_are_those_of_the_manifest_else_of_the_names(tmp_path: Path) -> None:
    assert sources_of(tmp_path) == {}
    (tmp_path / "manifest.csv").write_text("split,file,source\nval,a_1.jpg,Archive\n")
    assert source_of("a_1", sources_of(tmp_path)) == "Archive"
    assert source_of("b_1", sources_of(tmp_path)) == "b"
    (tmp_path / "manifest.csv").write_text("picture,source\na_1.jpg,Archive\n")
    with pytest.raises(BadInputError, match="file or name"):
        sources_of(tmp_path)


def test_only_what_stands_between_the_marks_and_accuracy_is_replaced() -> None:
    before = f"---\nlicence: x\naccuracy:\n  mAP50: 0.1\nauthor: y\n---\n# T\nA\n{BEGIN}\nFORMER\n{END}\nB\n"
    after = refreshed(before, figures(picture(0, 1)), "mask-n")
    assert "FORMER" not in after and "mAP50: 0.1" not in after
    assert "licence: x\nauthor: y\n---\n# T\nA\n" + BEGIN in after and after.endswith(f"{END}\nB\n")
    assert "| mask | 1 | 1.000 |" in after and "ab" * 32 in after
    assert refreshed(after, figures(picture(0, 1)), "mask-n") == after


def test_a_card_that_is_missing_is_begun() -> None:
    begun = refreshed("", figures(picture(0, 1)), "mask-n")
    assert "# Model card: mask-n" in begun and begun.startswith("---\naccuracy: ")
    assert refreshed(begun, figures(picture(0, 1)), "mask-n") == begun


def test_accuracy_of_masks_says_how_many_found_faces_have_their_class(tmp_path: Path) -> None:
    shown = figures(picture(0, 0), picture(0))
    assert right_class(shown.splits["test"].report) == pytest.approx(2 / 3)
    line = accuracy_line(shown)
    assert line.endswith("on test, 0.417 on val; right class 0.667 of the 0.750 found on test")
    (tmp_path / "card.md").write_text(refreshed("", shown, "mask-n"), encoding="utf-8")
    assert card_accuracy(tmp_path / "card.md") == line.removeprefix("accuracy: ")


def test_accuracy_of_traffic_is_average_precision() -> None:
    assert accuracy_line(figures(picture(0, 1), classes=("person", "car"))) == (
        "accuracy: mAP50 1.000 on test, 1.000 on val"
    )


def test_what_cannot_be_measured_is_a_dash() -> None:
    assert "| mask_incorrect | 0 | – | – | – | – (of 0) |" in report([picture(0, 1)], MASKS).markdown()


def test_the_program_measures_both_parts_of_a_folder(
    yolo_folder: Path, random_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "squares-n.onnx"
    export_model(ExportConfig(random_checkpoint, path, width=96, height=96))
    pictures = [file.name for file in (yolo_folder / "images" / "val").iterdir()]
    parts = measure_card(path, yolo_folder, threads=1).splits
    assert parts["test"].report.pictures == sum(map(is_test, pictures)) > 0
    assert parts["val"].report.pictures == len(pictures) - parts["test"].report.pictures > 0
    monkeypatch.setattr(sys, "argv", ["card", str(path), "--data", str(yolo_folder)])
    card.main()
    written = path.with_suffix(".md").read_text(encoding="utf-8")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in written and "At 96x96" in written
