"""Processor time that an event loop's thread spends, callback by callback."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock


@dataclass
class LoopLoad:
    """What was measured; processor time, which other processes do not add to."""

    longest_s: float = 0.0
    total_s: float = 0.0
    longest: str = field(default="", repr=False)

    def add(self, spent_s: float, what: object) -> None:
        self.total_s += spent_s
        if spent_s > self.longest_s:
            self.longest_s, self.longest = spent_s, repr(what)


@contextmanager
def loop_load() -> Iterator[LoopLoad]:
    """Measure the callbacks of the loop of this thread: a task's step from one wait to the next is one."""
    load, thread, run = LoopLoad(), threading.get_ident(), asyncio.events.Handle._run

    def measured(handle: asyncio.Handle) -> None:
        if threading.get_ident() != thread:
            run(handle)
            return
        begun_s = time.thread_time()
        what = handle._callback
        run(handle)
        load.add(time.thread_time() - begun_s, what)

    with mock.patch.object(asyncio.events.Handle, "_run", measured):
        yield load
