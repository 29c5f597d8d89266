"""The models at hand: accuracy from the cards' front matter, and a list for the API that is read once."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from services.cli.models_command import ModelRow, card_accuracy, file_entries, list_models, model_entries
from services.common.settings.cameras import CameraFiles
from services.core.types import MASK_CLASSES
from services.detector.infer.models import CLASSIFIER_TASK, WEIGHTS, check_named_model, model_path
from tests.stand_in_models import write_classifier, write_finder

MOST_S = 0.003
"""Processor time: the page asks for this list every few seconds, on the event loop."""


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
    for row in (row for row in rows if row.task != CLASSIFIER_TASK):
        assert re.fullmatch(r"mAP50 0\.\d+ on test, 0\.\d+ on val(; right class .+)?", row.accuracy), row.name


def test_each_tasks_name_stands_for_one_shipped_model_of_that_task() -> None:
    detectors = [row for row in list_models() if row.task != CLASSIFIER_TASK]
    stands_for = {alias: row.task for row in detectors for alias in row.aliases}
    assert stands_for == {"traffic": "traffic", "mask": "mask"}
    assert all(model_path(alias).is_file() for alias in stands_for)


def test_a_classifier_is_listed_and_offered_behind_a_face_finder(tmp_path: Path) -> None:
    write_classifier(tmp_path / "colours.onnx")
    (row,) = list_models(tmp_path)
    assert row.cells()[:5] == [
        "colours",
        "face+colours",
        "mask-classifier",
        "mask, no_mask, mask_incorrect",
        "16x16",
    ]
    (entry,) = model_entries(tmp_path)
    assert (entry.name, entry.classes, entry.aliases) == ("face+colours", MASK_CLASSES, ())


def test_each_model_that_is_offered_can_be_given_to_a_camera() -> None:
    names = [entry.name for entry in model_entries()]
    assert {"mask-n", "traffic-n"} <= set(names)
    for name in names:
        check_named_model(name, CameraFiles())


def test_files_are_read_once_and_again_when_they_have_changed(tmp_path: Path) -> None:
    shutil.copy(WEIGHTS / "traffic-n.onnx", tmp_path / "a.onnx")
    shutil.copy(WEIGHTS / "mask-n.onnx", tmp_path / "b.onnx")
    assert [entry.task for entry in model_entries(tmp_path)] == ["traffic", "mask"]
    began_s = time.thread_time()
    for _ in range(10):
        model_entries(tmp_path)
    assert (time.thread_time() - began_s) / 10 < MOST_S
    shutil.copy(WEIGHTS / "mask-n.onnx", tmp_path / "a.onnx")
    os.utime(tmp_path / "a.onnx", (1, 1))
    assert [entry.task for entry in model_entries(tmp_path)] == ["mask", "mask"]


def test_what_only_looks_like_a_model_in_a_folder_is_left_out(tmp_path: Path) -> None:
    """A pipe would be read for ever, and a name that is no text cannot be told to anybody."""
    good = write_finder(tmp_path / "site.onnx", [(0, 0, 0, 0, 0, 0)], ("helmet", "head"))
    os.mkfifo(tmp_path / "pipe.onnx")
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "broken.onnx").write_bytes(b"none")
    (tmp_path / os.fsdecode(b"\xff.onnx")).write_bytes(good.read_bytes())
    assert [one.name for one in file_entries(CameraFiles((tmp_path,)))] == [str(good)]
