"""Measures what the analysis of one camera costs, in the thread that analyses it."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.common.clocks import Clocks
from services.core.costs import AnalysisCost, EngineChoice

EVERY_S = 5.0
"""Over how long it is measured, and so how often it is reported."""

LONGEST_DELAY_S = 30.0
"""No picture waits for so long: what looks older was captured before the clock was set."""


@dataclass(slots=True)
class _Sums:
    """What has come together since the last report."""

    began_s: float
    cpu_began_s: float
    received: int = 0
    analysed: int = 0
    took_s: float = 0.0
    timed: int = 0
    delay_s: float = 0.0


class CostMeter:
    """Adds up pictures, time and processor time, and gives their cost every few seconds.

    It is made and used by the analysing thread alone: the processor time is that thread's, in which the
    engines compute too.
    """

    def __init__(self, clocks: Clocks, cpu_s: Callable[[], float] = time.thread_time) -> None:
        self._clocks, self._cpu_s = clocks, cpu_s
        self._sums = self._begun()

    def receive(self) -> None:
        """Count a picture that came, whatever becomes of it."""
        self._sums.received += 1

    def begin(self) -> float:
        """Give the moment at which the analysis of a picture begins."""
        return self._clocks.steady_s()

    def end(self, began_s: float, captured_s: float) -> None:
        """Count a picture whose analysis has ended. A clock that was set meanwhile makes no delay."""
        self._sums.analysed += 1
        self._sums.took_s += self._clocks.steady_s() - began_s
        delay_s = self._clocks.now_s() - captured_s
        if delay_s < LONGEST_DELAY_S:
            self._sums.timed += 1
            self._sums.delay_s += max(0.0, delay_s)

    def measured(self, engine: EngineChoice, dropped: int) -> AnalysisCost | None:
        """Give the cost of the last seconds when it was measured for long enough, and begin anew."""
        sums = self._sums
        elapsed_s = self._clocks.steady_s() - sums.began_s
        if elapsed_s < EVERY_S:
            return None
        self._sums = self._begun()
        return AnalysisCost(
            engine=engine,
            ms_per_frame=_ms_each(sums.took_s, sums.analysed),
            frames_per_s=round(sums.analysed / elapsed_s, 2),
            cores=round((self._cpu_s() - sums.cpu_began_s) / elapsed_s, 4),
            dropped=dropped,
            received_fps=round(sums.received / elapsed_s, 2),
            delay_ms=_ms_each(sums.delay_s, sums.timed),
        )

    def _begun(self) -> _Sums:
        return _Sums(self._clocks.steady_s(), self._cpu_s())


def _ms_each(sum_s: float, number: int) -> float | None:
    return round(sum_s / number * 1000, 2) if number else None
