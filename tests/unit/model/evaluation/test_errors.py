import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.data.corrections import COLUMNS, correct, read_corrections
from model.data.samples import Sample
from model.evaluation.errors import find_errors, write_errors
from model.evaluation.evaluate import Model, evaluate_model, find_all
from model.evaluation.predictions import FloatArray, Found
from services.core.errors import BadInputError

CLASSES = ("mask", "no_mask", "mask_incorrect")
LABELS = np.array([[0, 10, 10, 30, 30], [1, 50, 10, 70, 30], [2, 10, 60, 50, 90]], np.float32)


def sample(width: int = 100, height: int = 100) -> Sample:
    picture = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    return Sample("one", picture, LABELS, file="faces/one.jpg")


def found(*rows: tuple[int, float, tuple[float, float, float, float]]) -> Found:
    boxes = np.array([box for _, _, box in rows], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in rows], np.float32)
    return Found(boxes, scores, np.array([index for index, _, _ in rows], np.int64))


def test_each_error_has_its_kind() -> None:
    detections = found(
        (0, 0.9, (10, 10, 30, 30)),
        (0, 0.8, (11, 10, 31, 30)),
        (0, 0.7, (50, 10, 70, 30)),
        (2, 0.6, (40, 60, 60, 90)),
        (1, 0.5, (75, 75, 95, 95)),
    )
    errors = {one.kind: one for one in find_errors(sample(), detections, LABELS)}
    assert set(errors) == {"double", "misnamed", "missed", "misplaced", "false"}
    assert (errors["misnamed"].label, errors["misnamed"].found) == (1, 0)
    assert errors["missed"].label == 2 and errors["missed"].side_px == pytest.approx(256)
    assert errors["false"].score == pytest.approx(0.5)
    assert not list(find_errors(sample(), found((0, 0.9, (10, 10, 30, 30))), LABELS[:1]))


def test_the_list_of_errors_can_become_corrections(tmp_path: Path) -> None:
    errors = list(find_errors(sample(), found((1, 0.9, (80, 80, 90, 90))), LABELS))
    write_errors(errors, CLASSES, tmp_path)
    table = (tmp_path / "errors.md").read_text()
    assert "| missed: an object that nothing overlaps | 3 | 0.75 |" in table
    with (tmp_path / "errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["missed"] * 3 + ["false"]
    assert [float(row["side_px"]) for row in rows[:3]] == sorted((256, 128, 128), reverse=True)
    with (tmp_path / "list.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, "change": "add" if row["kind"] == "false" else "remove"} for row in rows)
    rows_of_labels = np.array([[0, 0.2, 0.2, 0.2, 0.2], [1, 0.6, 0.2, 0.2, 0.2], [2, 0.3, 0.75, 0.4, 0.3]])
    corrected = correct(
        rows_of_labels.astype(np.float32), read_corrections(tmp_path / "list.csv")["faces", "one"]
    )
    assert corrected == pytest.approx(np.array([[1, 0.85, 0.85, 0.1, 0.1]]))
    for kind in ("missed", "false"):
        assert cv2.imread(str(tmp_path / f"{kind}.jpg")).shape == (120, 1200, 3)


def test_what_is_found_is_told_in_pixels_of_the_picture() -> None:
    def predict(pictures: FloatArray) -> FloatArray:
        """One sure box in the middle of the right half of what the letterbox leaves of the picture."""
        row = np.array([96.0, 64.0, 32.0, 16.0, 0.9, 0.0, 0.0], np.float32)
        return np.repeat(row[None, None], len(pictures), 0)

    wide = Sample("wide", np.zeros((200, 400, 3), np.uint8), np.zeros((0, 5), np.float32))
    (result,) = find_all(Model(predict, CLASSES, (128, 128)), [wide])
    assert result.boxes[0].tolist() == pytest.approx([250, 75, 350, 125])


def test_nobody_looks_at_the_errors_of_the_test_part(yolo_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="chooses nothing"):
        evaluate_model(tmp_path / "any.onnx", yolo_folder, split="test", errors=tmp_path)
