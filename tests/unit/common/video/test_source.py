"""A stream goes by as its clock runs, and never faster than can be taken."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from services.common.video.source import LONGEST_WAIT_S, PacedConnection, SourceUnit
from services.core.limits import UNITS_PER_S_LIMIT


@dataclass
class Stored:
    """A stored stream."""

    times_s: list[float | None]
    resolution: tuple[int, int] = (640, 360)

    def units(self) -> Iterator[SourceUnit]:
        yield from (SourceUnit(b"x", True, time_s) for time_s in self.times_s)

    def close(self) -> None:
        """Nothing to let go of."""


class Clock:
    now_s = 50.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def shown_s(times_s: list[float | None]) -> list[float]:
    clock = Clock()
    paced = PacedConnection(Stored(times_s), clock, clock.sleep)
    return [clock.now_s - 50.0 for _ in paced.units()]


def test_units_come_as_their_clock_runs():
    assert shown_s([7.0, 7.04, 7.08, 9.0]) == pytest.approx([0, 0.04, 0.08, 2.0])


@pytest.mark.parametrize("times_s", [[None] * 501, [3.0] * 501, [i / 1e6 for i in range(501)]])
def test_units_without_a_clock_that_runs_come_no_faster_than_can_be_taken(times_s: list[float | None]):
    assert shown_s(times_s)[-1] == pytest.approx(500 / UNITS_PER_S_LIMIT)


@pytest.mark.parametrize("jump_s", [LONGEST_WAIT_S + 1, 1e9, -1e9])
def test_a_clock_that_jumps_is_not_waited_for(jump_s: float):
    assert shown_s([0.0, jump_s, jump_s + 0.04])[-1] < 0.1


@pytest.mark.parametrize("joined_s", [0.0, 1.6, 1.99, 2.5, 20.0, -50.0, 90_000.0])
def test_where_videos_were_joined_nothing_stands_still_and_nothing_races(joined_s: float):
    """The second one begins anew, a little before the first one's end, or anywhere else."""
    times_s = [i / 25 for i in range(50)] + [joined_s + i / 25 for i in range(50)]
    steps = [b - a for a, b in pairwise(shown_s(times_s))]
    assert min(steps) == pytest.approx(0.04, abs=0.011)
    assert sum(steps) == pytest.approx(99 / 25, abs=0.5)
    assert max(steps) <= 0.55


def test_pictures_that_show_between_others_wait_for_nothing():
    times_s = [0.0, 0.16, 0.04, 0.08, 0.12, 0.32, 0.2, 0.24, 0.28, 0.0, 0.16, 0.04, 0.08, 0.12]
    assert shown_s(times_s)[5] == pytest.approx(0.32)
    assert shown_s(times_s)[10] == pytest.approx(0.32 + 0.16 + 0.16)
