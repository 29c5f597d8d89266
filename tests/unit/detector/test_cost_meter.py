"""What the analysis of a camera costs, by clocks of its own."""

import pytest

from services.common.clocks import Clocks
from services.detector.cost_meter import EVERY_S, CostMeter
from tests.makers import analysis_cost

CHOICE = analysis_cost().engine


class Times:
    """Clocks that a test moves: of the wall, the steady one, and of the processor."""

    def __init__(self) -> None:
        self.now_s, self.steady_s, self.cpu_s = 1_000_000.0, 50.0, 3.0
        self.meter = CostMeter(Clocks(lambda: self.now_s, lambda: self.steady_s), lambda: self.cpu_s)

    def analyse(self, took_s: float, age_s: float) -> None:
        """Analyse a picture that was captured a while before."""
        began_s = self.meter.begin()
        self.steady_s, self.now_s, self.cpu_s = (
            self.steady_s + took_s,
            self.now_s + took_s,
            self.cpu_s + took_s,
        )
        self.meter.end(began_s, self.now_s - age_s)

    def wait(self, time_s: float) -> None:
        self.steady_s, self.now_s = self.steady_s + time_s, self.now_s + time_s


def test_five_seconds_of_pictures_become_their_cost() -> None:
    times = Times()
    for _ in range(50):
        times.meter.receive()
        times.meter.receive()
        assert times.meter.measured(CHOICE, 0) is None, "at most once in some seconds"
        times.analyse(0.02, 0.15)
        times.wait(0.0801)
    cost = times.meter.measured(CHOICE, 7)
    assert cost is not None
    assert (cost.engine, cost.dropped, cost.is_bounded) == (CHOICE, 7, True)
    assert cost.ms_per_frame == pytest.approx(20)
    assert cost.delay_ms == pytest.approx(150)
    assert cost.frames_per_s == pytest.approx(10, rel=0.01)
    assert cost.received_fps == pytest.approx(20, rel=0.01)
    assert cost.cores == pytest.approx(0.2, rel=0.01)
    assert times.meter.measured(CHOICE, 7) is None, "the next begins anew"


def test_without_pictures_there_is_no_time_a_picture() -> None:
    times = Times()
    times.wait(EVERY_S)
    cost = times.meter.measured(CHOICE, 0)
    assert cost is not None
    assert (cost.ms_per_frame, cost.delay_ms, cost.frames_per_s, cost.received_fps) == (None, None, 0, 0)


def test_a_clock_that_was_set_back_makes_no_negative_delay() -> None:
    times = Times()
    times.analyse(0.02, -3600.0)
    times.wait(EVERY_S)
    cost = times.meter.measured(CHOICE, 0)
    assert cost is not None
    assert cost.delay_ms == 0


def test_a_clock_that_was_set_forward_makes_no_long_delay() -> None:
    times = Times()
    times.analyse(0.02, 0.2)
    times.analyse(0.02, 3600.2)
    times.wait(EVERY_S)
    cost = times.meter.measured(CHOICE, 0)
    assert cost is not None
    assert cost.delay_ms == pytest.approx(200)
