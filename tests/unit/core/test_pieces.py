"""What the recorder says is true of whatever has been published up to any moment, for any path."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.pieces import MOST_OBSERVED, PIECE_S, PieceRecorder, Recorded, newest_seconds
from services.core.times import second_of
from services.core.trajectories import (
    LONGEST_REST_S,
    TOLERANCE,
    at_rest,
    joined,
)
from services.core.types import (
    Box,
    CameraId,
    PositionSeconds,
    TrackedFrame,
    TrackedObject,
    Trajectory,
    TrajectoryPoint,
)
from tests.positions import longest, position_lies

GATE = CameraId("gate")
ASPECT = 16 / 9
BEGIN_S = 1_000_000_000.0


def frame(number: int, time_s: float, *boxes: Box | None) -> TrackedFrame:
    seen = [TrackedObject(track, box, "car", 0.8) for track, box in enumerate(boxes) if box is not None]
    return TrackedFrame(GATE, number, time_s, tuple(seen))


def box_at(x: float, y: float, width: float = 0.1, height: float = 0.2) -> Box:
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def path(chance: random.Random, frames: int) -> Iterator[Box | None]:
    """Drives, jerks, trembles, stands and hides, in any order."""
    x, y, vx, vy, width = chance.random(), chance.random(), 0.0, 0.0, 0.1
    jitter = chance.choice([0.0, TOLERANCE / 3, TOLERANCE, 0.02])
    hidden = 0
    for _ in range(frames):
        if chance.random() < 0.05:
            vx, vy = chance.choice([(0.0, 0.0), (0.0, 0.0), (chance.gauss(0, 0.02), chance.gauss(0, 0.02))])
        if chance.random() < 0.02:
            hidden = chance.randint(1, 12)
        x, y, hidden = x + vx, y + vy, hidden - 1
        width *= chance.choice([1.0, 1.0, 1.0, 1.01, 0.99])
        dx, dy = chance.uniform(-jitter, jitter), chance.uniform(-jitter, jitter)
        yield None if hidden > 0 else box_at(x + dx / ASPECT, y + dy, width, 0.2 + dy / 2)


def scene(chance: random.Random, frames: int = 300) -> list[TrackedFrame]:
    fps = chance.choice([2.0, 4.0, 10.0, 25.0])
    paths = [list(path(chance, frames)) for _ in range(3)]
    time_s, found = BEGIN_S + chance.random() * 10, []
    for number in range(frames):
        time_s += chance.choice([1.0] * 40 + [2.0, 15.0, 0.0, -3.0, -40.0]) / fps
        found.append(frame(number, round(time_s, 3), *(boxes[number] for boxes in paths)))
    return found


def forward(frames: list[TrackedFrame]) -> list[TrackedFrame]:
    """Those frames that are later than all before them."""
    kept: list[TrackedFrame] = []
    for item in frames:
        if not kept or item.time_s > kept[-1].time_s:
            kept.append(item)
    return kept


def record(frames: list[TrackedFrame], epoch: int = 7) -> tuple[list[Recorded], list[int]]:
    """All that is published, and how many events were out after each frame."""
    recorder, published, after = PieceRecorder(GATE, ASPECT, epoch, 3), [], []
    for item in frames:
        published += recorder.add(item)
        after.append(len(published))
    return published + recorder.finish(), after


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_second_whose_positions_are_said_to_be_stored_has_them_all(seed: int) -> None:
    """Whenever the process is killed: whatever number of events got out."""
    chance = random.Random(seed)
    frames = forward(scene(chance))
    published, after = record(frames)
    for cut in {0, len(published), *(chance.randint(0, len(published)) for _ in range(4))}:
        seen = next((n for n, number in enumerate(after) if number >= cut), len(frames))
        assert position_lies(frames[: seen + 1], published[:cut], ASPECT) == []
    said = {s for item in published if isinstance(item, PositionSeconds) for s in item.seconds}
    assert said == {second_of(f.time_s) for f in frames} - {
        second_of(frames[0].time_s),
        second_of(frames[-1].time_s),
    }


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_pieces_are_short_few_and_the_same_again(seed: int) -> None:
    """Also where the clock goes back."""
    frames = scene(random.Random(seed))
    published, _ = record(frames)
    assert record(frames)[0] == published
    pieces = [item for item in published if isinstance(item, Trajectory)]
    for piece in pieces:
        times_s = [point.time_s for point in piece.points]
        assert all(a < b for a, b in pairwise(times_s))
        assert len(times_s) <= MOST_OBSERVED
        assert times_s[-1] - times_s[0] < (LONGEST_REST_S if at_rest(piece) else PIECE_S)
        assert set(newest_seconds(piece)) <= set(range(second_of(times_s[0]), second_of(times_s[-1]) + 1))
    moving = [piece.piece_id for piece in pieces if not at_rest(piece)]
    assert len(set(moving)) == len(moving), "only a rest is published again"
    assert not {piece.piece_id for piece in pieces} & {
        item.piece_id for item in record(frames, epoch=8)[0] if isinstance(item, Trajectory)
    }


@pytest.mark.parametrize("seed", range(20))
def test_a_word_comes_after_all_pieces_of_its_seconds(seed: int) -> None:
    said: set[int] = set()
    for item in record(forward(scene(random.Random(seed))))[0]:
        if isinstance(item, PositionSeconds):
            said |= set(item.seconds)
        else:
            assert not set(newest_seconds(item)) & said


def drive(seconds: float, fps: float, box: Box, speed: float = 0.0, jitter: float = 0.0) -> list[Recorded]:
    """A track that goes down at a speed, and trembles."""
    chance, (left, top, right, bottom) = random.Random(1), box
    recorder, published = PieceRecorder(GATE, ASPECT), []
    for n in range(int(seconds * fps)):
        down = speed * n / fps + chance.uniform(-jitter, jitter)
        published += recorder.add(frame(n, BEGIN_S + n / fps, (left, top + down, right, bottom + down)))
    return published


def test_what_ends_without_notice_loses_one_cell() -> None:
    """A slow car, and a process that is killed after 60 s: nothing was ever closed."""
    published = drive(60.0, 10, box_at(0.5, 0.2), speed=0.01)
    said = [s for item in published if isinstance(item, PositionSeconds) for s in item.seconds]
    assert said == list(range(int(BEGIN_S) + 1, int(BEGIN_S) + 55))
    (track,) = joined(longest(published))
    assert track.points[-1].time_s - track.points[0].time_s == pytest.approx(54.9)


def test_a_track_is_recorded_on_however_long_it_lives() -> None:
    published = drive(1300.0, 4, box_at(0.5, 0.2), speed=0.0005)
    (track,) = joined(longest(published))
    assert track.points[-1].time_s == pytest.approx(BEGIN_S + 1294.75)
    assert track.points[-1].box[1] - track.points[0].box[1] == pytest.approx(
        0.0005 * 1294.75, abs=4 * TOLERANCE
    )


def test_a_parked_car_costs_next_to_nothing() -> None:
    published = drive(3600.0, 4, box_at(0.5, 0.5), jitter=TOLERANCE * 1.8)
    pieces = longest(published)
    assert len(pieces) == 6
    assert sum(len(piece.points) for piece in pieces) == 12
    (track,) = joined(pieces)
    assert len(track.points) <= 12


def test_very_many_pictures_make_shorter_pieces() -> None:
    pieces = longest(drive(5.5, 200, box_at(0.5, 0.1), speed=0.1))
    assert [len(piece.points) for piece in pieces] == [2] * 4
    assert max(piece.points[-1].time_s - piece.points[0].time_s for piece in pieces) < 1.3


def test_without_frames_nothing_is_said() -> None:
    recorder = PieceRecorder(GATE, ASPECT)
    assert (recorder.finish(), recorder.close([1])) == ([], [])
    assert recorder.add(frame(1, BEGIN_S)) == []
    assert recorder.add(frame(2, BEGIN_S + 7)) == [], "the first second may have begun with another analyser"
    assert recorder.add(frame(3, BEGIN_S + 12)) == [PositionSeconds(GATE, (int(BEGIN_S) + 7,))]


def test_a_clock_that_goes_back_says_nothing_of_seconds_that_go_on() -> None:
    recorder = PieceRecorder(GATE, ASPECT)
    for n, offset_s in enumerate((0.2, 1.2, 2.2, 2.9)):
        assert recorder.add(frame(n, BEGIN_S + offset_s, box_at(0.5, 0.2 + n / 10))) == []
    (piece,) = recorder.add(frame(4, BEGIN_S + 1.5, box_at(0.5, 0.6)))
    assert isinstance(piece, Trajectory)
    (_, word) = recorder.add(frame(5, BEGIN_S + 5.0, box_at(0.5, 0.7)))
    assert word == PositionSeconds(GATE, (int(BEGIN_S) + 1,))


def test_the_newest_class_and_the_highest_confidence_are_those_of_the_joined_track() -> None:
    recorder, published = PieceRecorder(GATE, ASPECT), []
    for n, (name, confidence) in enumerate([("mask", 0.9), ("no_mask", 0.5)]):
        item = TrackedObject(0, box_at(0.5, 0.2 + n / 10), name, confidence)
        published += recorder.add(TrackedFrame(GATE, n, BEGIN_S + 5 * n, (item,)))
    published += recorder.finish()
    (track,) = joined(longest(published))
    assert (track.class_name, track.confidence, track.piece) == ("no_mask", 0.9, 0)


def test_newest_seconds_of_a_whole_track_are_none() -> None:
    points = tuple(TrajectoryPoint(time_s, box_at(0.5, 0.5)) for time_s in (1.0, 9e11))
    assert newest_seconds(Trajectory("t", GATE, 1, 1, "car", 0.9, points)) == ()
