import numpy as np
import pytest

from model.data.samples import Sample
from model.evaluation.evaluate import Model
from model.evaluation.predictions import FloatArray, Found
from model.zoo.small_faces.measuring import fates_of
from model.zoo.small_faces.mining import MinedFaces, counts_with, cut, false_faces, mine, region_around
from services.core.types import MASK_CLASSES

FACE = np.array([[1, 10, 10, 50, 50]], np.float32)


def found(*rows: tuple[float, ...]) -> Found:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Found(table[:, 2:], table[:, 0], table[:, 1].astype(np.int64))


def test_sure_detections_away_from_faces_are_hard_negatives() -> None:
    sample = Sample("one", np.zeros((200, 300, 3), np.uint8), FACE)
    detections = found((0.9, 1, 12, 12, 50, 50), (0.8, 1, 200, 100, 220, 120), (0.1, 1, 100, 10, 120, 30))
    boxes, scores = false_faces(detections, sample)
    assert boxes.tolist() == [[200, 100, 220, 120]] and scores.tolist() == pytest.approx([0.8])
    assert region_around(boxes[0], sample) == (130, 30, 290, 190)
    assert region_around(np.array([0, 0, 4, 4], np.float32), sample) == (0, 0, 128, 128)


def test_regions_are_cut_with_their_faces() -> None:
    sample = Sample("one", np.arange(200 * 300 * 3).astype(np.uint8).reshape(200, 300, 3), FACE)
    whole, part = cut([sample], np.array([[0, 0, 0, 128, 128], [0, 30, 0, 158, 128]], np.float32))
    assert whole.picture.shape == (128, 128, 3) and whole.labels.tolist() == FACE.tolist()
    assert part.labels.tolist() == [[1, 0, 10, 20, 50]]  # half of the face is in it
    assert (part.picture == sample.picture[:128, 30:158]).all()


def test_as_many_pictures_are_shown_as_before_with_the_hard_ones_more_often() -> None:
    counts = np.full(10, 0.5)
    mined = MinedFaces(np.arange(10), np.array([0] * 9 + [4]), np.zeros((5, 5), np.float32))
    shown = counts_with(mined, counts)
    assert shown.sum() == pytest.approx(5) and len(shown) == 15
    assert shown[9] == pytest.approx(2 * shown[0]) and shown[10:].sum() == pytest.approx(0.5)
    nothing = MinedFaces(np.arange(0), np.zeros(0, np.int64), np.zeros((0, 5), np.float32))
    assert counts_with(nothing, counts).tolist() == counts.tolist()


def test_mining_finds_the_picture_that_fools_the_network() -> None:
    pictures = [np.full((96, 96, 3), value, np.uint8) for value in (0, 0, 250, 0)]
    samples = [Sample(str(i), picture, np.zeros((0, 5), np.float32)) for i, picture in enumerate(pictures)]

    def predict(batch: FloatArray) -> FloatArray:
        scores = np.where(batch.mean((1, 2, 3)) > 0.5, 0.9, 0.0)
        return np.array([[[48, 48, 20, 20, score, 0, 0]] for score in scores], np.float32)

    steps: list[int] = []
    model = Model(predict, MASK_CLASSES, (96, 96))
    mined = mine(model, samples, np.random.default_rng(0), steps.append)
    assert mined.errors.tolist() == [0, 0, 1, 0] and mined.regions.tolist() == [[2, 0, 0, 96, 96]]
    assert sum(steps) == 4


def test_what_becomes_of_a_face_is_the_best_that_can_be_said_of_it() -> None:
    other, unsure, loose = (0.9, 0, 10, 10, 50, 50), (0.1, 1, 10, 10, 50, 50), (0.9, 1, 30, 10, 70, 50)
    assert fates_of(found((0.9, 1, 10, 10, 48, 48), other), FACE) == ["right"]
    assert fates_of(found(other, unsure), FACE) == ["named otherwise"]
    assert fates_of(found(unsure, loose), FACE) == ["unsure"]
    assert fates_of(found(loose), FACE) == ["placed loosely"]
    assert fates_of(found((0.9, 1, 60, 60, 90, 90)), FACE) == fates_of(found(), FACE) == ["not found"]
