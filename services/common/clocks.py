"""The two clocks of a machine: the one that has the time and may be set, and the one that only runs on.

Times of events are of the first. Whatever is a rate, an age, an order or a deadline is of the second.
"""

import ctypes
import logging
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from services.core.evidence.clock_belief import ClockReading
from services.core.evidence.passes import STEP_S, step_sentence

log = logging.getLogger(__name__)

_STATUS_UNSYNCHRONISED = 0x0040
_UPTIME, _BOOT = Path("/proc/uptime"), Path("/proc/sys/kernel/random/boot_id")
_PROCESS = f"process-{uuid.uuid4()}"

SLEW_SHARE = 0.1
"""By how much of the time between two looks a clock may run fast or slow while it is being adjusted; what
adjusts clocks without steps stays below."""


class _Timex(ctypes.Structure):
    """The beginning of Linux' `struct timex`, and room for its rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maximum_error", ctypes.c_long),
        ("estimated_error", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def synchronised_within_s() -> float | None:
    """Ask the kernel, which every time service lets know whether it keeps the clock right.

    Gives its estimated error in seconds; infinity for a clock that nobody keeps, None where nobody knows.
    """
    if sys.platform != "linux":
        return None
    state = _Timex()
    if ctypes.CDLL(None).adjtimex(ctypes.byref(state)) < 0:
        return None
    return float("inf") if state.status & _STATUS_UNSYNCHRONISED else state.estimated_error / 1e6


def read_host_clock() -> ClockReading:
    """Read all clocks. Where the system does not count since its start, this process does since its own."""
    try:
        steady_s, boot = float(_UPTIME.read_text().split()[0]), _BOOT.read_text().strip()
    except (OSError, ValueError, IndexError):
        steady_s, boot = time.monotonic(), _PROCESS
    error_s = synchronised_within_s()
    return ClockReading(time.time(), steady_s, boot, error_s is not None and error_s < float("inf"))


def steady_s() -> float:
    """Give seconds since some moment that nobody sets; where it can, they go on while the machine sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True, slots=True)
class Clocks:
    """Where a process reads the time."""

    now_s: Callable[[], float] = time.time
    """UTC in seconds since 1970; it may be set at any moment."""
    steady_s: Callable[[], float] = steady_s
    """Seconds that only grow, see `steady_s`."""

    def reading(self) -> ClockReading:
        """Read both at one moment, with what the system knows of them."""
        return replace(read_host_clock(), wall_s=self.now_s(), steady_s=self.steady_s())


HOST_CLOCKS = Clocks()
"""The clocks of this machine."""


class StepWatch:
    """Notices that the clock was set, and says so once in the log. Callable from any thread."""

    def __init__(self, clocks: Clocks = HOST_CLOCKS) -> None:
        self.clocks = clocks
        self._lock = threading.Lock()
        self._looked = self._read()
        self._steps, self._total_s = 0, 0.0

    def look(self) -> tuple[int, float]:
        """Compare the clocks; gives the number of steps up to now and their sum in seconds."""
        with self._lock:
            now_s, steady_s = self._read()
            was_s, was_steady_s = self._looked
            passed_s = steady_s - was_steady_s
            step_s = now_s - was_s - passed_s
            self._looked = now_s, steady_s
            if abs(step_s) > max(STEP_S, SLEW_SHARE * passed_s):
                self._steps, self._total_s = self._steps + 1, self._total_s + step_s
                log.warning("%s (%+.3f s)", step_sentence(step_s), step_s)
            return self._steps, self._total_s

    def _read(self) -> tuple[float, float]:
        return self.clocks.now_s(), self.clocks.steady_s()
