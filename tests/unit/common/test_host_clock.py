"""The clocks of the host that runs the tests."""

import time
from pathlib import Path

import pytest

from services.common import clocks
from services.common.clocks import read_host_clock, synchronised_within_s


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
