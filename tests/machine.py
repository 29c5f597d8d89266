"""Whether this machine had time for a test that watches the clock: what others took of it meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import pytest

OTHERS_SHARE = 0.25
"""Share of all processors that others may take before a missing second says nothing of Sightline."""

TOO_BUSY = "too busy to measure"


@dataclass(slots=True)
class Others:
    """What processes that are not the test's own took while it ran, as a share of all processors."""

    share: float = 0.0

    def require_time(self, coverage: float, least: float) -> None:
        """Let a coverage below `least` fail, or skip where others kept the machine busy."""
        self.require(coverage >= least, f"coverage {coverage:.3f}")

    def require(self, is_in_time: bool, measured: str) -> None:
        """Let a test that was too slow fail with what was measured, or skip where others were busy.

        Beside it assert a bound that holds on any machine, so that a fault is found on a busy one too.
        """
        if not is_in_time and self.share > OTHERS_SHARE:
            pytest.skip(f"{TOO_BUSY}: {measured}, and others took {self.share:.0%} of the processors")
        assert is_in_time, f"{measured}, though others took only {self.share:.0%}"


@contextmanager
def others() -> Iterator[Others]:
    """Measure from here to the end of the block; children that end in it are counted as the test's own."""
    found = Others()
    busy_s, spent_s, began_s = _busy_s(), own_s(), _all_s()
    try:
        yield found
    finally:
        taken_s = (_busy_s() - busy_s) - (own_s() - spent_s)
        found.share = max(0.0, taken_s) / max(_all_s() - began_s, 1e-9)


def _busy_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _all_s() -> float:
    return float(sum(psutil.cpu_times()))


def own_s() -> float:
    """Give the processor time of this process and of its children, alive or awaited."""
    times = os.times()
    total_s = times.user + times.system + times.children_user + times.children_system
    for child in psutil.Process().children(recursive=True):
        try:
            spent = child.cpu_times()
        except psutil.Error:
            continue
        total_s += spent.user + spent.system + spent.children_user + spent.children_system
    return total_s
