import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.counting import BAND, LineCounter
from services.core.types import Line, Point, TrackedFrame, TrackedObject

ASPECT = 16 / 9
SIZE = 0.04


def line(*points: Point, anchor: str = "centre") -> Line:
    return Line("l", "L", points, anchor=anchor)  # type: ignore[arg-type]


def box(x: float, y: float) -> tuple[float, float, float, float]:
    return (x - SIZE / 2, y - SIZE / 2, x + SIZE / 2, y + SIZE / 2)


def walk(counter: LineCounter, path: list[Point], step_s: float = 0.1, track: int = 1) -> list:
    passages = []
    for i, (x, y) in enumerate(path):
        objects = (TrackedObject(track, box(x, y), "car", 0.9),)
        passages += counter.update(TrackedFrame("c", i, i * step_s, objects))
    return passages


def between(a: Point, b: Point, steps: int = 10) -> list[Point]:
    return [(a[0] + (b[0] - a[0]) * i / steps, a[1] + (b[1] - a[1]) * i / steps) for i in range(steps + 1)]


HORIZONTAL = ((0.2, 0.5), (0.8, 0.5))
VERTICAL = ((0.5, 0.2), (0.5, 0.8))


@pytest.mark.parametrize(
    ("points", "start", "end", "direction"),
    [
        (HORIZONTAL, (0.5, 0.3), (0.5, 0.7), "forward"),
        (HORIZONTAL, (0.5, 0.7), (0.5, 0.3), "backward"),
        (HORIZONTAL[::-1], (0.5, 0.3), (0.5, 0.7), "backward"),
        (VERTICAL, (0.7, 0.5), (0.3, 0.5), "forward"),
        (VERTICAL, (0.3, 0.5), (0.7, 0.5), "backward"),
        (((0.2, 0.2), (0.8, 0.8)), (0.7, 0.3), (0.3, 0.7), "forward"),
        (HORIZONTAL, (0.3, 0.45), (0.7, 0.55), "forward"),
    ],
)
def test_direction_of_a_straight_path(points, start, end, direction):
    passages = walk(LineCounter(line(*points), ASPECT), between(start, end))
    assert [p.direction for p in passages] == [direction]


def test_time_and_place_are_where_the_path_meets_the_line():
    (passage,) = walk(LineCounter(line(*HORIZONTAL), ASPECT), between((0.35, 0.3), (0.35, 0.7)))
    assert passage.time_s == pytest.approx(0.5, abs=1e-6)
    assert passage.along == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("x", [0.1, 0.9])
def test_beyond_the_ends_nothing_counts(x):
    assert walk(LineCounter(line(*HORIZONTAL), ASPECT), between((x, 0.3), (x, 0.7))) == []


def test_a_point_exactly_on_the_line_counts_once():
    path = [(0.5, 0.4), (0.5, 0.5), (0.5, 0.5), (0.5, 0.6)]
    assert len(walk(LineCounter(line(*HORIZONTAL), ASPECT), path)) == 1


def test_waiting_on_the_line_counts_once_at_the_time_of_going_over():
    tremble = [(0.5, 0.5 + 0.008 * math.sin(i)) for i in range(200)]
    path = [*between((0.5, 0.3), (0.5, 0.495)), *tremble, *between((0.5, 0.505), (0.5, 0.7))]
    passages = walk(LineCounter(line(*HORIZONTAL), ASPECT), path)
    assert [p.direction for p in passages] == ["forward"]


def test_trembling_before_the_line_does_not_move_the_time():
    before = [(0.5, 0.49 + (0.012 if i == 20 else 0.0)) for i in range(100)]
    path = [*between((0.5, 0.3), (0.5, 0.49)), *before, *between((0.5, 0.49), (0.5, 0.7))]
    (passage,) = walk(LineCounter(line(*HORIZONTAL), ASPECT), path)
    assert passage.time_s > 0.1 * 105


def test_near_miss_inside_the_band_does_not_count():
    turn = 0.5 + BAND * 0.9
    path = [*between((0.5, 0.3), (0.5, turn)), *between((0.5, turn), (0.5, 0.3))]
    assert walk(LineCounter(line(*HORIZONTAL), ASPECT), path) == []


def test_u_turn_counts_both_ways():
    path = [*between((0.5, 0.3), (0.5, 0.6)), *between((0.5, 0.6), (0.5, 0.3))]
    passages = walk(LineCounter(line(*HORIZONTAL), ASPECT), path)
    assert [(p.direction, p.number) for p in passages] == [("forward", 1), ("backward", 2)]


def test_round_the_end_and_back_through_counts_once():
    path = [
        *between((0.5, 0.3), (0.95, 0.3)),
        *between((0.95, 0.3), (0.95, 0.7)),
        *between((0.95, 0.7), (0.5, 0.7)),
        *between((0.5, 0.7), (0.5, 0.3)),
    ]
    passages = walk(LineCounter(line(*HORIZONTAL), ASPECT), path)
    assert [p.direction for p in passages] == ["backward"]


def test_born_in_the_band_does_not_count():
    assert walk(LineCounter(line(*HORIZONTAL), ASPECT), between((0.5, 0.5), (0.5, 0.8))) == []


def test_a_meeting_is_undecided_until_the_band_is_left():
    counter = LineCounter(line(*HORIZONTAL), ASPECT)
    found = []
    for i, y in enumerate((0.46, 0.49, 0.505, 0.51, 0.53)):
        counter.update(TrackedFrame("c", i, i * 0.1, (TrackedObject(1, box(0.5, y), "car", 0.9),)))
        found.append(counter.undecided_s())
    assert found == [[], [], [pytest.approx(0.1 + 0.1 * 2 / 3)], [pytest.approx(0.1 + 0.1 * 2 / 3)], []]


def test_a_meeting_is_undecided_no_more_when_the_track_turns_or_ends():
    turns = LineCounter(line(*HORIZONTAL), ASPECT)
    walk(turns, [(0.5, y) for y in (0.46, 0.49, 0.505, 0.49, 0.49, 0.49)])
    assert turns.undecided_s() == []
    ends = LineCounter(line(*HORIZONTAL), ASPECT)
    walk(ends, [(0.5, y) for y in (0.46, 0.49, 0.505)])
    assert len(ends.undecided_s()) == 1
    ends.forget(1)
    assert ends.undecided_s() == []


def test_meetings_of_a_track_that_began_in_the_band_are_unexplained_until_it_is_clear():
    counter = LineCounter(line(*HORIZONTAL), ASPECT)
    found = []
    for i, y in enumerate((0.49, 0.505, 0.51, 0.53, 0.45)):
        passages = counter.update(
            TrackedFrame("c", i, 5 + i * 0.1, (TrackedObject(1, box(0.5, y), "car", 0.9),))
        )
        found.append([(meeting.first_s, round(meeting.time_s, 3)) for meeting in counter.unexplained])
    assert found == [[], [(5.0, 5.067)], [], [], []]
    assert [passage.direction for passage in passages] == ["backward"], "clear once, it counts as any other"


def test_bent_line_counts_a_passage_once_with_along_by_arc_length():
    bent = line((0.2, 0.5), (0.5, 0.5), (0.5, 0.8))
    (passage,) = walk(LineCounter(bent, 1.0), between((0.6, 0.4), (0.4, 0.6), steps=7))
    assert passage.direction == "forward"
    assert passage.along == pytest.approx(0.5, abs=0.02)


def test_through_both_arms_of_a_bent_line_counts_there_and_back():
    bent = line((0.2, 0.5), (0.5, 0.2), (0.8, 0.5))
    passages = walk(LineCounter(bent, 1.0), between((0.1, 0.35), (0.9, 0.35), steps=40))
    assert len(passages) == 2
    assert passages[0].direction != passages[1].direction


def test_foot_anchor_uses_the_bottom_of_the_box():
    path = between((0.5, 0.5 - SIZE), (0.5, 0.5))
    assert walk(LineCounter(line(*HORIZONTAL), ASPECT), path) == []
    assert walk(LineCounter(line(*HORIZONTAL, anchor="foot"), ASPECT), path) == []
    path = between((0.5, 0.44), (0.5, 0.51))
    assert len(walk(LineCounter(line(*HORIZONTAL, anchor="foot"), ASPECT), path)) == 1


def test_two_tracks_at_once_count_apart():
    counter = LineCounter(line(*HORIZONTAL), ASPECT)
    passages = []
    for i in range(11):
        y = 0.3 + 0.04 * i
        objects = (
            TrackedObject(1, box(0.4, y), "car", 0.9),
            TrackedObject(2, box(0.6, 1 - y), "car", 0.9),
        )
        passages += counter.update(TrackedFrame("c", i, i * 0.1, objects))
    assert sorted((p.track, p.direction) for p in passages) == [(1, "forward"), (2, "backward")]


angle = st.floats(0, 2 * math.pi)


@given(line_angle=angle, path_angle=angle)
def test_any_angle_of_line_and_path(line_angle, path_angle):
    difference = abs(math.sin(line_angle - path_angle))
    if difference < 0.2:
        return
    centre = (0.5, 0.5)
    reach = 0.2
    a = (centre[0] - reach * math.cos(line_angle), centre[1] - reach * math.sin(line_angle))
    b = (centre[0] + reach * math.cos(line_angle), centre[1] + reach * math.sin(line_angle))
    start = (centre[0] - reach * math.cos(path_angle), centre[1] - reach * math.sin(path_angle))
    end = (centre[0] + reach * math.cos(path_angle), centre[1] + reach * math.sin(path_angle))
    expected = "forward" if math.sin(path_angle - line_angle) > 0 else "backward"
    (passage,) = walk(LineCounter(line(a, b), 1.0), between(start, end, steps=9))
    assert passage.direction == expected
    assert passage.along == pytest.approx(0.5, abs=1e-6)
    (back,) = walk(LineCounter(line(a, b), 1.0), between(end, start, steps=9))
    assert back.direction != expected


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40))
def test_directions_alternate_whatever_the_path(path):
    passages = walk(LineCounter(line((-1.0, 0.5), (2.0, 0.5)), 1.0), path)
    directions = [p.direction for p in passages]
    assert all(a != b for a, b in pairwise(directions))
