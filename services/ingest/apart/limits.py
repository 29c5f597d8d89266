"""The limits that the process of one source sets itself before it opens what a stranger sends.

The system refuses it more memory than it may have. FFmpeg takes that as a broken packet now and then and goes
on, so that a thread watches too, and the processor time with it: what it cannot end otherwise it ends at
once, with a code that says why.
"""

import os
import resource
import select
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from services.ingest.apart.wire import Exit

OPENING_BYTES = 112_000_000
"""What opening a camera's stream may take: three decoded pictures of the largest size, and the rest."""

OPENING_FILE_BYTES = 256_000_000
"""A file of a whole day has an index of this size."""

READING_BYTES = 72_000_000
"""What reading may take on top: the largest access unit is there up to five times."""

PICTURE_BYTES = 96_000_000
"""What decoding one key frame of the largest size takes on top."""

NEARLY = 0.85
"""Part of it at which it is taken for used up."""

OPENING_S = 2.0
"""Processor time for opening a stream."""

READING_S, READING_SPAN_S = 2.0, 4.0
"""Processor time for reading in a span of time; a camera of 12 megapixels takes a tenth of it."""

OPENING_PERIOD_S, READING_PERIOD_S = 0.05, 0.1
ENDING_S = 0.3
"""How long a session may take to end in order."""

FILES = 64
STATM = Path("/proc/self/statm")


def _pages() -> tuple[int, int]:
    """Give the memory that is reserved and the memory that is used, in bytes; 0 where nobody knows."""
    try:
        reserved, used = STATM.read_bytes().split()[:2]
    except OSError:
        return 0, 0
    return int(reserved) * resource.getpagesize(), int(used) * resource.getpagesize()


def _limit(kind: int, value: int) -> None:
    """Lower a limit, but where the system knows none."""
    with suppress(OSError, ValueError):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


class Watch:
    """Ends this process when it uses too much, or when who started it is gone."""

    def __init__(self, starter: socket.socket) -> None:
        self._starter = starter
        self.is_ending = False
        """Whether who started it wants no more."""
        self._memory_bytes = sys.maxsize
        self._period_s, self._span_s, self._processor_s = OPENING_PERIOD_S, float("inf"), OPENING_S
        self._span_began = time.monotonic(), time.process_time()

    def start(self, memory_bytes: int) -> None:
        """Begin with what opening may take."""
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_NOFILE, FILES)
        threading.Thread(target=self._run, name="watch", daemon=True).start()
        self._allow(memory_bytes)

    def opened(self, more_bytes: int = 0) -> None:
        """Go on with what reading may take, and with so much more for what is done beside it."""
        self._allow(READING_BYTES + more_bytes)
        self._span_began = time.monotonic(), time.process_time()
        self._period_s, self._span_s, self._processor_s = READING_PERIOD_S, READING_SPAN_S, READING_S

    def _allow(self, more_bytes: int) -> None:
        reserved, used = _pages()
        if reserved:
            _limit(resource.RLIMIT_AS, reserved + more_bytes)
            self._memory_bytes = used + int(more_bytes * NEARLY)

    def _run(self) -> None:
        try:
            while not self.is_ending:
                readable, _, _ = select.select([self._starter], [], [], self._period_s)
                self.is_ending = bool(readable)
                self._check()
        except MemoryError:  # nothing is left even for the watch
            os._exit(Exit.MEMORY)
        finally:
            if not self.is_ending:  # nobody would watch any more
                os._exit(Exit.UNWATCHED)
        time.sleep(ENDING_S)
        os._exit(0)

    def _check(self) -> None:
        if _pages()[1] > self._memory_bytes:
            os._exit(Exit.MEMORY)
        began_s, used_s = self._span_began
        now_s, now_used_s = time.monotonic(), time.process_time()
        if now_used_s - used_s > self._processor_s:
            os._exit(Exit.PROCESSOR)
        if now_s - began_s > self._span_s:
            self._span_began = now_s, now_used_s
