import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.boxes import MERGE_OVERLAP, overlaps, suppress


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_overlaps_of_known_boxes() -> None:
    first, second = boxes((0, 0, 10, 10)), boxes((0, 0, 10, 10), (5, 0, 15, 10), (20, 20, 30, 30))
    assert overlaps(first, second)[0] == pytest.approx([1, 1 / 3, 0])


def test_the_strongest_of_a_class_stays_where_those_around_it_say() -> None:
    given_boxes = boxes((0, 0, 100, 100), (10, 0, 110, 100), (40, 0, 140, 100), (0, 0, 100, 100))
    scores = np.array([0.9, 0.6, 0.5, 0.4], np.float32)
    rows, placed = suppress(given_boxes, scores, np.array([0, 0, 0, 1]), 0.1, 0.4)
    assert rows.tolist() == [0, 3]
    shift = 10 * (0.6 * 90 / 110) / (0.9 + 0.6 * 90 / 110)
    assert placed[0] == pytest.approx([shift, 0, 100 + shift, 100])
    assert placed[1] == pytest.approx([0, 0, 100, 100])


def test_weak_boxes_and_none_at_all_give_none() -> None:
    none = np.zeros(0, np.float32)
    assert suppress(boxes(), none, none.astype(int), 0.1, 0.5)[1].shape == (0, 4)
    assert suppress(boxes((0, 0, 9, 9)), np.array([0.05], np.float32), np.array([0]), 0.1, 0.5)[0].size == 0


corner = st.floats(0, 100, width=32)
side = st.floats(1, 60, width=32)
candidate = st.tuples(corner, corner, side, side, st.floats(0.125, 1, width=32), st.integers(0, 2))


@given(st.lists(candidate, max_size=30))
def test_kept_boxes_are_apart_and_close_to_where_they_were(candidates: list[tuple[float, ...]]) -> None:
    values = np.array(candidates, np.float32).reshape(-1, 6)
    given_boxes = np.hstack([values[:, :2], values[:, :2] + values[:, 2:4]])
    classes = values[:, 5].astype(int)
    rows, placed = suppress(given_boxes, values[:, 4], classes, 0.1, 0.5)
    assert len(set(rows.tolist())) == len(rows)
    shared = overlaps(given_boxes[rows], given_boxes[rows]) * (classes[rows, None] == classes[None, rows])
    assert (shared - np.eye(len(rows)) <= 0.5 + 1e-3).all()
    dropped = sorted(set(range(len(values))) - set(rows.tolist()))
    covering = overlaps(given_boxes[dropped], given_boxes[rows])
    same = classes[dropped][:, None] == classes[rows][None, :]
    assert all((row > 0.5 - 1e-3).any() for row in covering * same)
    moved = overlaps(placed, given_boxes[rows]).diagonal()
    assert (moved > MERGE_OVERLAP / 2).all()
