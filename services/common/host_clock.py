"""The clocks of this host: the one that is set, the one that only counts, and whether somebody keeps it."""

import ctypes
import sys
import time
import uuid
from pathlib import Path

from services.core.evidence.clock_belief import ClockReading

_STATUS_UNSYNCHRONISED = 0x0040
_UPTIME, _BOOT = Path("/proc/uptime"), Path("/proc/sys/kernel/random/boot_id")
_PROCESS = f"process-{uuid.uuid4()}"


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
    """Ask the kernel, which every time service tells whether it keeps the clock right.

    Gives its estimated error in seconds; infinity for a clock that nobody keeps, None where nothing tells.
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
