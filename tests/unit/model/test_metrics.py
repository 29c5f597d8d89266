import numpy as np
import pytest

from model.metrics import Collector, average_precision, iou_matrix
from model.predictions import Found, letterbox, select
from tests.unit.model.conftest import square_sample


def found(boxes: list[list[float]], scores: list[float], classes: list[int]) -> Found:
    return Found(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(classes))


def labels(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def test_iou_of_known_boxes() -> None:
    first = np.array([[0, 0, 10, 10]], np.float32)
    second = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    assert iou_matrix(first, second)[0] == pytest.approx([1, 1 / 3, 0])


def test_perfect_detections_have_precision_one() -> None:
    collector = Collector(("a", "b"))
    collector.add(
        found([[0, 0, 10, 10], [20, 20, 40, 40]], [0.9, 0.8], [0, 1]),
        labels([0, 0, 0, 10, 10], [1, 20, 20, 40, 40]),
    )
    result = collector.result()
    assert result.map50 == result.map50_95 == 1
    assert result.recall == {"a": 1, "b": 1} and result.boxes == {"a": 1, "b": 1}


def test_a_second_box_on_one_object_and_a_wrong_class_are_false() -> None:
    collector = Collector(("a", "b", "absent"))
    collector.add(
        found([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 40, 40]], [0.9, 0.8, 0.7], [0, 0, 0]),
        labels([0, 0, 0, 10, 10], [1, 20, 20, 40, 40]),
    )
    result = collector.result()
    assert result.ap50["a"] == 1 and result.ap50["b"] == 0 and np.isnan(result.ap50["absent"])
    assert result.precision["a"] == pytest.approx(1 / 3)
    assert result.map50 == 0.5


def test_a_false_detection_before_the_right_one_halves_precision() -> None:
    assert average_precision(np.array([False, True]), 1) == pytest.approx(0.5)
    assert average_precision(np.array([True, False]), 2) == pytest.approx(51 / 101)
    assert average_precision(np.zeros(0, np.bool_), 3) == 0


def test_a_loose_box_counts_at_low_thresholds_only() -> None:
    collector = Collector(("a",))
    collector.add(found([[0, 0, 10, 7.2]], [0.9], [0]), labels([0, 0, 0, 10, 10]))
    result = collector.result()
    assert result.map50 == 1 and result.map50_95 == pytest.approx(0.5)


def test_no_detection_and_no_picture() -> None:
    collector = Collector(("a",))
    with pytest.raises(ValueError, match="no picture"):
        collector.result()
    collector.add(found([], [], []), labels([0, 0, 0, 10, 10]))
    assert collector.result().map50 == 0


def test_letterbox_moves_the_boxes_with_the_picture() -> None:
    sample = square_sample(1)
    picture, boxes = letterbox(sample, 192, 96)
    assert picture.shape == (96, 192, 3)
    assert (boxes[:, 1:] - sample.labels[:, 1:]).tolist() == [[48, 0, 48, 0]]


def test_select_suppresses_overlaps_within_a_class_only() -> None:
    output = np.array(
        [
            [10, 10, 10, 10, 0.9, 0],
            [10, 10, 10, 11, 0.8, 0],
            [10, 10, 10, 10, 0, 0.7],
            [50, 50, 9, 9, 0.005, 0],
        ],
        np.float32,
    )
    chosen = select(output, 0.01, 0.6)
    assert chosen.classes.tolist() == [0, 1]
    assert chosen.boxes[0].tolist() == [5, 5, 15, 15]
