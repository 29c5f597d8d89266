import numpy as np

from model.evaluation.judging import Judged, judge
from model.evaluation.predictions import Found
from model.training.mining import emphasise, error_share

FACE = (1.0, 10.0, 10.0, 50.0, 50.0)
SMALL = (1.0, 60.0, 60.0, 70.0, 70.0)


def judged(labels: list[tuple[float, ...]], *found: tuple[int, float, tuple[float, ...]]) -> Judged:
    boxes = np.array([box[1:] for _, _, box in found], np.float32).reshape(-1, 4)
    scores = np.array([score for _, score, _ in found], np.float32)
    classes = np.array([name for name, _, _ in found], np.int64)
    return judge(Found(boxes, scores, classes), np.array(labels, np.float32).reshape(-1, 5))


def test_a_missed_and_a_misnamed_object_are_errors_and_a_tiny_one_is_not() -> None:
    assert error_share(judged([FACE], (1, 0.9, FACE))) == 0
    assert error_share(judged([FACE])) == 1
    assert error_share(judged([FACE], (0, 0.9, FACE))) == 1
    assert error_share(judged([FACE, SMALL], (1, 0.9, FACE))) == 0


def test_hard_pictures_and_backgrounds_are_shown_more_often() -> None:
    right, missed = judged([FACE], (1, 0.9, FACE)), judged([FACE])
    empty, fooled, doubtful = judged([]), judged([], (1, 0.6, FACE)), judged([], (1, 0.1, FACE))
    pictures = [right] * 16 + [missed, empty, fooled, doubtful]
    times = emphasise(np.full(20, 0.5), pictures) / 0.5
    assert times.tolist() == [1.0] * 16 + [2.0, 1.0, 4.0, 1.0]


def test_what_is_found_on_an_ignored_box_counts_neither_way() -> None:
    ignored = (-1.0, 60.0, 60.0, 90.0, 90.0)
    one = judged([FACE, ignored], (1, 0.9, FACE), (2, 0.8, ignored), (2, 0.7, (0.0, 0.0, 80.0, 20.0, 99.0)))
    assert one.labels.tolist() == [1] and one.scores.tolist() == np.array([0.9, 0.7], np.float32).tolist()
