"""A foreign ONNX becomes a model of ours: the boxes that it gives are those that our pipeline finds."""

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from model.importing.importing import ImportConfig, import_model
from model.importing.source import Wanted
from services.cli.detect_command import detections_in
from services.core.errors import BadInputError
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.models import read_info, read_metadata
from tests.foreign_models import CLASSES, HEIGHT, LAYOUTS, TRUTH, WIDTH, write_model, yolo26, yolov8

NAMES = {"names": str(dict(enumerate(CLASSES)))}


def picture(width: int = 120, height: int = 50) -> np.ndarray:
    """A picture of another shape than the input's: it is letterboxed."""
    return np.random.default_rng(3).integers(0, 255, (height, width, 3)).astype(np.uint8)


def imported(source: Path, folder: Path, **options) -> Path:
    output = folder / "ours.onnx"
    import_model(ImportConfig(source, output, **options), picture())
    return output


def expected(width: int, height: int) -> dict[tuple[str, float], list[float]]:
    """The truth in shares of a picture of this size, by class and score."""
    scale = min(WIDTH / width, HEIGHT / height)
    size = np.array([round(width * scale), round(height * scale)])
    offset = (np.array([WIDTH, HEIGHT]) - size) // 2
    found = {}
    for *box, name, score in TRUTH:
        corners = ((np.array(box).reshape(2, 2) - offset) / size).clip(0, 1).reshape(-1)
        found[CLASSES[int(name)], round(float(score), 2)] = [float(value) for value in corners]
    return found


@pytest.mark.parametrize("make", LAYOUTS, ids=lambda make: make.__name__)
def test_the_boxes_of_each_layout_come_out_as_they_are(make, tmp_path: Path) -> None:
    source = write_model(tmp_path / "theirs.onnx", make().outputs, metadata=NAMES)
    detector = OnnxRuntimeDetector(imported(source, tmp_path))
    for width, height in ((96, 64), (120, 50), (48, 64)):
        found = detections_in(picture(width, height), detector, 0.25)
        wanted = expected(width, height)
        assert {(one.class_name, round(one.confidence, 2)) for one in found} == set(wanted)
        for one in found:
            assert one.box == pytest.approx(wanted[one.class_name, round(one.confidence, 2)], abs=0.02)


def test_what_was_made_says_what_it_is_and_where_it_comes_from(tmp_path: Path) -> None:
    source = write_model(tmp_path / "site.onnx", yolov8().outputs, metadata=NAMES)
    output = imported(source, tmp_path, confidence=0.4)
    info = read_info(output)
    assert (info.name, info.task, info.classes) == ("ours", "detect", CLASSES)
    assert (info.input_width, info.input_height, info.confidence) == (WIDTH, HEIGHT, 0.4)
    written = json.loads(read_metadata(output)["sightline"])
    assert written["source"] == "site.onnx"
    assert written["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    with pytest.raises(BadInputError, match="is a Sightline model already"):
        imported(output, tmp_path)
