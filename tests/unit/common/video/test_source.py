"""A stream goes by as its clock runs, and never faster than can be taken."""

from collections.abc import Iterator
from dataclasses import dataclass

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
