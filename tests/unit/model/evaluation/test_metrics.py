import numpy as np
import pytest

from model.evaluation.comparing import bootstrap_difference
from model.evaluation.judging import Judged, judge
from model.evaluation.metrics import (
    ap50_by_size,
    average_precision,
    class_accuracy,
    measure,
    recall_at_false_detections,
)
from model.evaluation.metrics import found as share_found
from model.evaluation.predictions import Found, letterbox, select
from model.evaluation.report import report
from model.training.plots import confusion, precision_and_recall
from tests.unit.model.conftest import square_sample


def found(boxes: list[list[float]], scores: list[float], classes: list[int]) -> Found:
    return Found(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32), np.array(classes))


def labels(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def test_perfect_detections_have_precision_one() -> None:
    judged = judge(
        found([[0, 0, 10, 10], [20, 20, 40, 40]], [0.9, 0.8], [0, 1]),
        labels([0, 0, 0, 10, 10], [1, 20, 20, 40, 40]),
    )
    result = measure([judged], ("a", "b"))
    assert result.map50 == result.map50_95 == 1
    assert result.recall == {"a": 1, "b": 1} and result.boxes == {"a": 1, "b": 1}


def test_a_second_box_on_one_object_and_a_wrong_class_are_false() -> None:
    judged = judge(
        found([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 40, 40]], [0.9, 0.8, 0.7], [0, 0, 0]),
        labels([0, 0, 0, 10, 10], [1, 20, 20, 40, 40]),
    )
    result = measure([judged], ("a", "b", "absent"))
    assert result.ap50["a"] == 1 and result.ap50["b"] == 0 and np.isnan(result.ap50["absent"])
    assert result.precision["a"] == pytest.approx(1 / 3)
    assert result.map50 == 0.5


def test_a_false_detection_before_the_right_one_halves_precision() -> None:
    assert average_precision(np.array([False, True]), 1) == pytest.approx(0.5)
    assert average_precision(np.array([True, False]), 2) == pytest.approx(51 / 101)
    assert average_precision(np.zeros(0, np.bool_), 3) == 0


def test_a_loose_box_counts_at_low_thresholds_only() -> None:
    judged = judge(found([[0, 0, 10, 7.2]], [0.9], [0]), labels([0, 0, 0, 10, 10]))
    result = measure([judged], ("a",))
    assert result.map50 == 1 and result.map50_95 == pytest.approx(0.5)


def test_no_detection_and_no_picture() -> None:
    with pytest.raises(ValueError, match="no picture"):
        measure([], ("a",))
    judged = judge(found([], [], []), labels([0, 0, 0, 10, 10]))
    assert measure([judged], ("a",)).map50 == 0
    assert share_found([judged]).share == 0


def faces() -> Judged:
    """A small and a large face, found; a middle one, missed; a false small detection, the surest."""
    return judge(
        found(
            [[100, 0, 112, 12], [0, 0, 12, 12], [0, 100, 200, 300]],
            [0.9, 0.8, 0.7],
            [0, 0, 1],
        ),
        labels([0, 0, 0, 12, 12], [0, 0, 50, 60, 110], [0, 0, 100, 200, 300]),
    )


def test_a_size_is_judged_without_the_others() -> None:
    sizes = ap50_by_size([faces()], ("a", "b"))["a"]
    assert (sizes["8-16"].share, sizes["8-16"].of) == (0.5, 1)
    assert (sizes["32-96"].share, sizes["32-96"].of) == (0, 1)
    assert sizes["over 96"].of == 1 and np.isnan(sizes["16-32"].share)


def test_sides_are_those_of_a_picture_of_640_pixels() -> None:
    judged = judge(found([[0, 0, 12, 12]], [0.9], [0]), labels([0, 0, 0, 12, 12]), scale=2)
    assert ap50_by_size([judged], ("a",))["a"]["16-32"].of == 1


def test_a_found_box_with_a_wrong_class_lowers_class_accuracy_and_not_what_was_found() -> None:
    accuracy = class_accuracy([faces()], ("a", "b"))
    assert (accuracy["a"].share, accuracy["a"].of) == (0.5, 2)
    assert share_found([faces()]).share == pytest.approx(2 / 3)
    assert share_found([faces()], 32).of == 2


def test_recall_is_told_at_a_rate_of_false_detections() -> None:
    assert recall_at_false_detections([faces()], 0.0) == 0
    assert recall_at_false_detections([faces()], 1.0) == pytest.approx(1 / 3)


def test_a_report_shows_every_class_and_size() -> None:
    text = report([faces()], ("a", "b")).markdown()
    assert "| a | 3 |" in text and "| over 96 px |" in text and "0.5000 (of 2)" in text


def test_a_better_model_differs_by_more_than_chance_and_an_equal_one_does_not() -> None:
    def judged(scores: list[float]) -> list[Judged]:
        return [
            judge(found([[0, 0, 10, 10]], [0.9], [0 if score else 1]), labels([0, 0, 0, 10, 10]))
            for score in scores
        ]

    def figure(pictures: list[Judged]) -> float:
        return measure(pictures, ("a", "b")).recall["a"]

    poor, good = judged([1, 0] * 20), judged([1, 1, 1, 0] * 10)
    better = bootstrap_difference([poor], [good], figure, rounds=200)
    assert better.difference == 0.25 and 0 < better.low < 0.25 < better.high < 0.5
    same = bootstrap_difference([poor], [poor], figure, rounds=50)
    assert same.low == same.difference == same.high == 0
    with pytest.raises(ValueError, match="same pictures"):
        bootstrap_difference([poor], [good[1:]], figure)


def test_letterbox_moves_the_boxes_with_the_picture() -> None:
    sample = square_sample(1)
    picture, boxes = letterbox(sample, 192, 96)
    assert picture.shape == (96, 192, 3)
    assert (boxes[:, 1:] - sample.labels[:, 1:]).tolist() == [[48, 0, 48, 0]]


def test_select_suppresses_overlaps_within_a_class_only() -> None:
    output = np.array(
        [
            [10, 10, 10, 10, 0.9, 0],
            [10, 10, 10, 10, 0.8, 0],
            [10, 10, 10, 10, 0, 0.7],
            [50, 50, 9, 9, 0.005, 0],
        ],
        np.float32,
    )
    chosen = select(output, 0.01, 0.6)
    assert chosen.classes.tolist() == [0, 1]
    assert chosen.boxes[0] == pytest.approx([5, 5, 15, 15])


def test_curves_and_confusion_tell_what_was_found_as_what() -> None:
    recall, precision = precision_and_recall([faces()], 0)
    assert recall == pytest.approx([0, 1 / 3]) and precision == pytest.approx([0, 1 / 2])
    assert confusion([faces()], 2).tolist() == [[1, 1, 1], [0, 0, 0]]
