"""Thinning within its tolerance, joining within its bound, and whole numbers."""

import random
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.trajectories import (
    JOINED_POINTS,
    TOLERANCE,
    joined,
    packed,
    thinned,
    unpacked,
    with_points_at,
)
from services.core.types import CameraId, Trajectory, TrajectoryPoint

GATE = CameraId("gate")


def point(time_s: float, y: float, x: float = 0.5) -> TrajectoryPoint:
    return TrajectoryPoint(time_s, (x - 0.05, y - 0.1, x + 0.05, y + 0.1))


def piece(track: int, number: int, *points: TrajectoryPoint) -> Trajectory:
    return Trajectory(f"gate/1.1.0/{track}", GATE, track, 1, "car", 0.9, points, number)


ways = st.lists(
    st.tuples(st.floats(0.001, 2.0), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02)), min_size=1, max_size=60
)


@given(ways, st.floats(0.5, 3.0))
def test_what_is_left_out_was_within_the_tolerance_at_its_own_time(
    steps: list[tuple[float, float, float]], aspect: float
) -> None:
    time_s, x, y, way = 1000.0, 0.5, 0.5, []
    for step_s, dx, dy in steps:
        time_s, x, y = time_s + step_s, x + dx, y + dy
        way.append(point(time_s, y, x))
    kept = thinned(way, aspect)
    assert (kept[0], kept[-1]) == (way[0], way[-1])
    assert set(kept) <= set(way)
    between = {p.time_s: p.box for p in with_points_at(kept, [p.time_s for p in way])}
    for seen in way:
        (a, b, c, d), (e, f, g, h) = seen.box, between[seen.time_s]
        assert abs((a + c) - (e + g)) / 2 * aspect <= TOLERANCE + 1e-9
        assert abs((b + d) - (f + h)) / 2 <= TOLERANCE + 1e-9
        assert abs(d - h) <= TOLERANCE + 1e-9


def test_a_straight_way_is_two_points_and_a_bend_three() -> None:
    straight = [point(n / 10, 0.1 + n / 100) for n in range(50)]
    assert thinned(straight, 1.6) == (straight[0], straight[-1])
    bend = [*straight, *(point(4.9 + n / 10, 0.59, 0.5 + n / 100) for n in range(1, 30))]
    assert len(thinned(bend, 1.6)) == 3


def test_a_stop_is_kept_where_it_happened_in_time() -> None:
    """The same way with a stop in its middle is another trajectory: time counts like place."""
    times_s = [*(n / 10 for n in range(20)), *(10 + n / 10 for n in range(20))]
    way = [point(time_s, 0.1 + n / 100) for n, time_s in enumerate(times_s)]
    assert [p.time_s for p in thinned(way, 1.6)] == [0.0, 1.9, 10.0, 11.9]


@given(st.lists(st.tuples(st.integers(0, 10**13), *[st.integers(-(10**6), 10**6)] * 4), max_size=20))
def test_whole_numbers_come_back_as_they_were(rows: list[tuple[int, int, int, int, int]]) -> None:
    times_ms, boxes = [row[0] for row in rows], [row[1:] for row in rows]
    assert packed(unpacked(times_ms, boxes)) == (times_ms, boxes)


def test_numbers_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        unpacked([1, 2], [(0, 0, 1, 1)])


def test_pieces_are_joined_in_the_order_of_the_ends_of_their_tracks() -> None:
    pieces = [
        piece(1, 1, point(0, 0.1), point(4, 0.2)),
        piece(2, 1, point(1, 0.1), point(4.5, 0.1)),
        piece(0, 0, point(2, 0.1), point(5, 0.3)),
        piece(1, 2, point(5, 0.3), point(9, 0.4)),
        piece(2, 2, point(4000, 0.1), point(4001, 0.1)),
    ]
    found = [(track.track, [p.time_s for p in track.points]) for track in joined(pieces)]
    assert found == [(2, [1, 4.5]), (0, [2, 5]), (1, [0, 4, 5, 9]), (2, [4000, 4001])]


def test_pieces_that_overlap_are_joined_once() -> None:
    """A rest that grew over the place where it was cut."""
    pieces = [piece(1, 1, point(0, 0.1), point(5, 0.1)), piece(1, 2, point(4, 0.1), point(6, 0.2))]
    (track,) = joined(pieces)
    assert [p.time_s for p in track.points] == [0, 5, 6]


def test_a_very_long_track_comes_in_parts_that_go_on_where_the_one_before_ended() -> None:
    chance = random.Random(2)
    pieces = [piece(1, n + 1, *(point(5 * n + i, chance.random()) for i in range(5))) for n in range(40)]
    parts = list(joined(pieces, limit=60))
    assert len(parts) > 2
    assert max(len(part.points) for part in parts) <= 65
    for before, after in pairwise(parts):
        assert (before.id, before.points[-1]) == (after.id, after.points[0])
    whole = [p for number, part in enumerate(parts) for p in part.points[min(1, number) :]]
    assert whole == [p for item in pieces for p in item.points]


def test_no_empty_part_is_left() -> None:
    exact = piece(1, 1, *(point(n / 10, n / 100) for n in range(4)))
    assert [len(track.points) for track in joined([exact], limit=3)] == [4]


def test_joining_a_week_takes_bounded_memory() -> None:
    """Tracks that live ten seconds, a hundred a minute, beside one that never ends and one at rest."""
    chance, largest = random.Random(3), 0

    def pieces() -> Iterator[Trajectory]:
        for n in range(8000):
            time_s = n * 5.0
            yield piece(1, n + 1, *(point(time_s + i, chance.random()) for i in range(5)))
            yield piece(2, n + 1, point(time_s, 0.5), point(time_s + 4.95, 0.5))
            yield piece(3 + n, 1, point(time_s, 0.1), point(time_s + 4.96, 0.9))

    tracemalloc.start()
    number = 0
    for track in joined(pieces()):
        number += 1
        assert len(track.points) <= JOINED_POINTS + 5
        if number % 500 == 0:
            largest = max(largest, tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert number > 8000
    assert largest < 8_000_000
