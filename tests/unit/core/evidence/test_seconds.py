import math
from collections.abc import Callable

import pytest

from services.core.counting import Unexplained
from services.core.evidence.seconds import BORN_S, CERTAIN, LIMIT_S, Coverage, Doubt
from services.detector.decode.sampler import Sampler

DoubtAt = Callable[[float], Doubt]


def evidence(
    times: list[float], fps: float = 10, doubt: DoubtAt = lambda _: CERTAIN
) -> list[tuple[int, float]]:
    """The seconds that are evidence, each with the time at which it is given."""
    coverage = Coverage("c", fps, epoch=3)
    found = [(item, t) for t in times for item in coverage.add(t, doubt(t))]
    assert {item.epoch for item, _ in found} <= {3}
    return [(item.second, t) for item, t in found]


def seconds(times: list[float], fps: float = 10, doubt: DoubtAt = lambda _: CERTAIN) -> list[int]:
    return [second for second, _ in evidence(times, fps, doubt)]


def even(first_s: float, last_s: float, fps: float = 10) -> list[float]:
    return [first_s + i / fps for i in range(round((last_s - first_s) * fps))]


@pytest.mark.parametrize(
    ("frames", "fps", "counts"), [(10, 10, True), (5, 10, True), (4, 10, False), (3, 5, True), (2, 2, False)]
)
def test_a_second_needs_three_frames_and_half_the_rate(frames: int, fps: float, counts: bool) -> None:
    times = [*even(97.1, 103, 10), *even(103, 104, frames), *even(104, 106, 10)]
    assert (103 in seconds(times, fps)) == counts


def test_each_second_is_told_once_when_it_is_over() -> None:
    assert evidence(even(99.0, 105.15))[1:] == [(s, pytest.approx(s + 1)) for s in (101, 102, 103, 104)]


@pytest.mark.parametrize(
    ("begin_s", "first"), [(100.0, 101), (100.4, 101), (100.45, 101), (100.55, 102), (100.9, 102)]
)
def test_the_beginning_is_no_evidence_until_the_tracker_knows_what_is_there(
    begin_s: float, first: int
) -> None:
    assert seconds(even(begin_s, begin_s + 5))[0] == first


@pytest.mark.parametrize("end_s", [104.15, 104.5, 104.95])
def test_the_second_in_which_the_frames_end_is_no_evidence(end_s: float) -> None:
    assert seconds(even(100.0, end_s))[-1] == 103


@pytest.mark.parametrize(
    ("hole", "missing"),
    [
        ((104.3, 104.7), []),
        ((103.8, 104.2), []),
        ((104.2, 104.75), [104, 105]),
        ((103.5, 104.05), [103, 104]),
        ((104.1, 107.1), [104, 105, 106, 107]),
    ],
)
def test_a_hole_is_an_end_and_a_beginning(hole: tuple[float, float], missing: list[int]) -> None:
    times = [*even(100.0, hole[0] + 0.05), *even(hole[1], 111.0)]
    assert seconds(times) == [second for second in range(101, 110) if second not in missing]


def test_what_appears_soon_after_the_beginning_may_have_been_hidden_there() -> None:
    def appears(at_s: float) -> DoubtAt:
        return lambda time_s: Doubt(has_appeared=abs(time_s - at_s) < 0.01)

    assert seconds(even(100.45, 105), doubt=appears(101.25))[0] == 102
    assert seconds(even(100.45, 105), doubt=appears(102.05))[0] == 103
    assert seconds(even(100.45, 105), doubt=appears(100.45 + BORN_S + 0.1))[0] == 101


def test_a_meeting_of_what_began_on_the_line_costs_its_second_alone() -> None:
    def meets(time_s: float) -> Doubt:
        met = abs(time_s - 103.05) < 0.01
        return Doubt(unexplained=[Unexplained(100.3, 102.98), Unexplained(109.0, 103.0)] if met else ())

    assert seconds(even(100.05, 107), doubt=meets) == [101, 103, 104, 105]


def test_a_meeting_withholds_its_second_until_it_is_decided() -> None:
    def meets(time_s: float) -> Doubt:
        return Doubt(undecided_s=[102.5] if 102.5 <= time_s < 105.45 else [])

    given = dict(evidence(even(100.0, 108.0), doubt=meets))
    assert given[102] == pytest.approx(105.5)
    assert given[103] == pytest.approx(104.0), "later seconds do not wait"


def test_a_second_whose_meeting_is_never_decided_is_given_at_last() -> None:
    given = dict(evidence(even(100.0, 180.0), doubt=lambda _: Doubt(undecided_s=[102.5])))
    assert given[102] == pytest.approx(102.5 + LIMIT_S, abs=0.2)
    ended = evidence(even(100.0, 120.0), doubt=lambda _: Doubt(undecided_s=[102.5]))
    assert 102 not in dict(ended), "an end decides nothing"


def test_what_is_unseen_may_come_back_beyond_a_line() -> None:
    def hidden(time_s: float) -> Doubt:
        return Doubt(unseen_since_s=102.95 if 102.95 <= time_s < 104.15 else math.inf)

    given = dict(evidence(even(100.0, 108.0), doubt=hidden))
    assert given[101] == pytest.approx(102.0)
    assert given[102] == given[103] == pytest.approx(104.2)


def test_a_clock_that_goes_back_begins_anew() -> None:
    assert seconds([*even(100.0, 103.5), *even(90.0, 93.5)]) == [101, 102, 91, 92]


@pytest.mark.parametrize("camera_fps", [12, 15, 25, 30])
def test_sampler_keeps_its_rate(camera_fps):
    sampler = Sampler(10)
    picked = sum(sampler.pick(i / camera_fps) for i in range(camera_fps * 20))
    assert 180 <= picked <= 215


def test_sampler_takes_all_of_a_slow_camera():
    sampler = Sampler(10)
    assert sum(sampler.pick(i / 5) for i in range(100)) == 100


def test_overload_lowers_the_rate_and_recovers():
    sampler = Sampler(10)
    for _ in range(40):
        sampler.adapt(backlog_s=3)
    assert sampler.rate == 1.0
    for _ in range(100):
        sampler.adapt(backlog_s=0)
    assert sampler.rate == 10
