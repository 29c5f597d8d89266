"""Finders give faces in pixels of the picture, whatever they are made of; classifiers stand behind them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.evaluation.predictions import Found
from model.zoo.classifiers.crops import BACKGROUND, KEPT_PX, FaceCrop
from model.zoo.classifiers.finders import CaffeFinder, CascadeFinder, DetectorFinder, as_faces
from model.zoo.classifiers.networks import NetworkKind, lenet5
from model.zoo.classifiers.ssd import SIDE_PX, build_ssd, export_ssd
from model.zoo.classifiers.two_stage import TwoStage, classified
from model.zoo.classifiers.window_row import WindowRow
from model.zoo.classifiers.windows import backgrounds, find_by_windows, propose, windows
from model.zoo.rival import Cost
from services.core.boxes import overlaps
from services.core.errors import BadInputError
from tests.unit.model.zoo.classifiers.conftest import face_sample

KIND = NetworkKind("tiny", "Tiny", lenet5, 32)
LAYOUT = """
input: "data"
input_shape { dim: 1 dim: 3 dim: 300 dim: 300 }
layer { name: "rows" type: "Pooling" bottom: "data" top: "rows"
        pooling_param { pool: AVE kernel_h: 300 kernel_w: 43 stride_h: 300 stride_w: 43 } }
"""
"""A network without weights: seven columns of the picture, a row for each colour."""


class KnownFaces:
    """Finds what it is told. Implements the protocol Finder."""

    name, title = "known", "Known"

    def __init__(self, boxes: np.ndarray, scores: np.ndarray) -> None:
        self._found = Found(
            boxes.astype(np.float32), scores.astype(np.float32), np.zeros(len(boxes), np.int64)
        )

    def find(self, picture_bgr: np.ndarray) -> Found:
        return self._found

    def cost(self) -> Cost:
        return Cost(10, 1.0, 100)


def test_an_exported_ssd_finds_what_torchvision_finds(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build_ssd().eval()
    picture = face_sample(1, SIDE_PX).picture
    export_ssd(network, tmp_path / "ssd.onnx")
    found = DetectorFinder(tmp_path / "ssd.onnx", "ssd", "SSD").find(picture)
    blob = torch.from_numpy(np.ascontiguousarray(picture[..., ::-1].transpose(2, 0, 1), np.float32) / 255)
    with torch.inference_mode():
        (expected,) = network([blob])
    assert found.scores[0] == pytest.approx(float(expected["scores"][0]), abs=1e-4)
    best = expected["boxes"][:1].numpy()
    assert overlaps(found.boxes, best).max() > 0.5
    assert set(found.classes) == {0}


def test_the_best_score_of_all_classes_is_that_of_the_face() -> None:
    rows = np.array([[[1, 2, 3, 4, 0.1, 0.7, 0.2]]], np.float32)
    assert as_faces(rows).tolist() == [[[1, 2, 3, 4, pytest.approx(0.7)]]]


def test_the_cascade_gives_scores_and_no_operations() -> None:
    finder = CascadeFinder()
    found = finder.find(np.full((80, 80, 3), 127, np.uint8))
    assert found.boxes.shape == (0, 4)
    cost = finder.cost()
    assert np.isnan(cost.gflops)
    assert cost.size_bytes > 100_000


def test_a_caffe_file_of_a_person_is_read(tmp_path: Path) -> None:
    (tmp_path / "deploy.prototxt").write_text(LAYOUT)
    (tmp_path / "net.caffemodel").write_bytes(b"\x0a\x01n")
    finder = CaffeFinder(tmp_path / "net.caffemodel")
    found = finder.find(np.full((60, 90, 3), 255, np.uint8))
    assert found.scores.tolist() == pytest.approx(
        [255 - 104, 255 - 123, 255 - 177][: len(found.scores)], abs=60
    )
    assert found.boxes[0].tolist() == pytest.approx([151 * 90, 151 * 60, 151 * 90, 151 * 60], rel=0.02)


def test_a_caffe_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="in the same folder"):
        CaffeFinder(tmp_path / "net.caffemodel")
    (tmp_path / "net.caffemodel").write_bytes(b"none")
    (tmp_path / "deploy.prototxt").write_text("none at all {")
    with pytest.raises(BadInputError, match="no Caffe network"):
        CaffeFinder(tmp_path / "net.caffemodel")


def test_the_class_is_the_classifiers_and_the_score_that_of_both() -> None:
    boxes = np.array([[0, 0, 20, 20], [30, 30, 60, 60]])
    found = classified(
        face_sample(0).picture,
        KnownFaces(boxes, np.array([0.9, 0.8])).find(np.zeros((1, 1, 3), np.uint8)),
        lambda crops: np.array([[0.5, 0.3, 0.2], [0.0, 0.05, 0.95]], np.float32)[: len(crops)],
        16,
    )
    assert found.classes.tolist() == [2, 0]
    assert found.scores.tolist() == pytest.approx([0.8 * 0.95, 0.9 * 0.5])
    assert found.boxes[0].tolist() == [30, 30, 60, 60]


def test_a_row_of_two_stages_needs_weights_and_costs_both(tmp_path: Path) -> None:
    row = TwoStage(KIND, KnownFaces(np.array([[0, 0, 20, 20]]), np.array([0.5])))
    assert row.name == "known+tiny"
    for wants_weights in (
        lambda: row.predict(face_sample(0).picture),
        row.cost,
        lambda: row.export(tmp_path / "a"),
    ):
        with pytest.raises(BadInputError, match="no weights yet"):
            wants_weights()
    row.build(0)
    assert len(row.predict(face_sample(0).picture).scores) == 1
    doubtful = TwoStage(KIND, KnownFaces(np.array([[0, 0, 20, 20], [30, 30, 60, 60]]), np.array([0.5, 0.2])))
    doubtful.build(0)
    assert len(doubtful.predict(face_sample(0).picture).scores) == 2
    assert len(doubtful.predict_sure(face_sample(0).picture).scores) == 1
    assert row.cost().parameters > 60_000
    assert row.cost().gflops > 1.0
    row.export(tmp_path / "tiny.onnx")
    assert (tmp_path / "tiny.onnx").stat().st_size > 100_000


def test_windows_slide_over_the_whole_picture() -> None:
    corners = windows(100, 80)
    assert corners[:, :2].min() == 0
    assert corners[:, 2].max() > 95
    assert corners[:, 3].max() > 75
    assert len(windows(10, 10)) == 0


def test_windows_with_edges_are_proposed() -> None:
    picture = np.full((120, 160, 3), 90, np.uint8)
    picture[40:70, 60:84] = np.random.default_rng(0).integers(0, 256, (30, 24, 3), np.uint8)
    proposed = propose(picture, 40)
    assert overlaps(proposed, np.array([[60, 40, 84, 70]], np.float32)).max() > 0.6


def test_one_window_is_left_of_those_that_overlap() -> None:
    def said(crops: np.ndarray) -> np.ndarray:
        bright = crops.mean((1, 2, 3))
        return np.stack((np.zeros_like(bright), bright, np.zeros_like(bright), 1 - bright), 1)

    picture = np.zeros((120, 160, 3), np.uint8)
    picture[40:70, 60:84] = 255
    found = find_by_windows(picture, said, 16)
    assert found.classes[0] == 1
    assert overlaps(found.boxes[:1], np.array([[60, 40, 84, 70]], np.float32)).max() > 0.4
    assert (np.diff(found.scores) <= 0).all()
    assert (overlaps(found.boxes, found.boxes) - np.eye(len(found.boxes))).max() < 0.7


def test_backgrounds_hold_no_face() -> None:
    sample = face_sample(2, 120)
    crops: list[FaceCrop] = backgrounds([sample, sample])
    assert crops
    assert {crop.label for crop in crops} == {BACKGROUND}
    assert max(crop.picture.shape[0] for crop in crops) <= KEPT_PX / 2


def test_the_row_of_windows_finds_with_new_weights() -> None:
    row = WindowRow()
    with pytest.raises(BadInputError, match="no weights yet"):
        row.predict(face_sample(0).picture)
    row.build(0)
    found = row.predict(face_sample(0).picture)
    assert len(found.scores) == len(found.boxes) > 0
    assert set(found.classes) <= {0, 1, 2}
    assert row.cost().gflops > 0.1
