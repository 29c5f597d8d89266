"""How much memory a process has."""

import ctypes
import gc
from pathlib import Path

LIMIT_BYTES = 50 * 2**20
"""By which a process may have grown after whatever strangers sent."""


def resident_bytes(pid: int | str = "self") -> int:
    """Give the memory of a process that is not swapped out; of this one without what it only keeps."""
    if pid == "self":
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has no memory")
