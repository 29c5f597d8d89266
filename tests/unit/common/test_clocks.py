import logging
import time
from pathlib import Path

import pytest

from services.common import clocks
from services.common.clocks import Clocks, StepWatch, read_host_clock, synchronised_within_s


class Host:
    """A machine whose clock the test sets."""

    def __init__(self) -> None:
        self.now_s, self.steady_s = 1_790_000_000.0, 10.0

    @property
    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now_s, lambda: self.steady_s)

    def wait(self, time_s: float, rate: float = 1.0) -> None:
        self.now_s, self.steady_s = self.now_s + time_s * rate, self.steady_s + time_s


@pytest.mark.parametrize("step_s", [-3600.0, -60.0, 60.0, 3600.0, -1.5, 86_400.0 * 365])
def test_a_step_is_told_once_with_its_size(step_s: float, caplog: pytest.LogCaptureFixture) -> None:
    host = Host()
    watch = StepWatch(host.clocks)
    host.wait(0.04)
    assert watch.look() == (0, 0.0)
    host.now_s += step_s
    host.wait(0.04)
    steps, total_s = watch.look()
    assert (steps, round(total_s, 3)) == (1, step_s)
    for _ in range(100):
        host.wait(0.04)
        assert watch.look()[0] == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"set {'forward' if step_s > 0 else 'back'} by" in record.getMessage()
    assert f"({step_s:+.3f} s)" in record.getMessage()


@pytest.mark.parametrize("rate", [0.9995, 1.0005, 0.92, 1.08])
@pytest.mark.parametrize("every_s", [0.04, 1.0, 60.0])
def test_a_clock_that_is_slewed_is_no_step(rate: float, every_s: float) -> None:
    host = Host()
    watch = StepWatch(host.clocks)
    for _ in range(1000):
        host.wait(every_s, rate)
        watch.look()
    assert watch.look() == (0, 0.0)


def test_steps_add_up() -> None:
    host = Host()
    watch = StepWatch(host.clocks)
    for step_s in (-3600.0, 60.0, -60.0):
        host.wait(1.0)
        host.now_s += step_s
        watch.look()
    steps, total_s = watch.look()
    assert (steps, round(total_s)) == (3, -3600)


def test_the_clocks_of_this_machine_run() -> None:
    clocks = Clocks()
    assert clocks.now_s() > 1.7e9
    assert 0 < clocks.steady_s() <= clocks.steady_s()


def test_both_clocks_run_and_the_start_of_the_machine_stays() -> None:
    first = read_host_clock()
    time.sleep(0.05)
    second = read_host_clock()
    assert second.steady_s >= first.steady_s + 0.03
    assert second.wall_s > first.wall_s
    assert second.boot == first.boot != ""
    error_s = synchronised_within_s()
    assert error_s is None or error_s >= 0


def test_where_the_system_does_not_count_this_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "_UPTIME", Path("/nonexistent/uptime"))
    first, second = read_host_clock(), read_host_clock()
    assert first.boot == second.boot
    assert first.boot.startswith("process-")
    assert second.steady_s >= first.steady_s > 0


@pytest.mark.parametrize(("error_s", "is_synchronised"), [(None, False), (float("inf"), False), (0.01, True)])
def test_only_a_kept_clock_is_synchronised(
    monkeypatch: pytest.MonkeyPatch, error_s: float | None, is_synchronised: bool
) -> None:
    monkeypatch.setattr(clocks, "synchronised_within_s", lambda: error_s)
    assert read_host_clock().is_synchronised is is_synchronised
