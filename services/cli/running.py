"""The tasks of one process: begun by name, watched, and ended in the order that the data asks for."""

import asyncio
import gc
import logging
import signal
from collections.abc import Coroutine, Iterable

from services.core.errors import SightlineError

log = logging.getLogger(__name__)

END_TIMEOUT_S = 10.0
"""How long one task may take to end: longer than a read of a camera that hangs."""


def leave_out_of_collections() -> None:
    """Have the garbage collector pass over all that is loaded by now.

    Looking through all modules takes it longer than an event loop may be blocked, again and again.
    """
    gc.collect()
    gc.freeze()


class RunningTasks:
    """Runs until SIGTERM or SIGINT comes or a task fails."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._lasting: set[asyncio.Task[object]] = set()
        self._stopping = asyncio.Event()

    def start(self, name: str, work: Coroutine[object, object, None], may_end: bool = False) -> None:
        """Begin a task; its failure ends the process, and its end too unless it `may_end`."""
        task = self._tasks[name] = asyncio.create_task(work, name=name)
        if not may_end:
            self._lasting.add(task)

    def is_running(self, name: str) -> bool:
        """Return whether a task has begun and not ended."""
        task = self._tasks.get(name)
        return task is not None and not task.done()

    def has_ended(self, name: str) -> bool:
        """Return whether a task has begun and come to its end."""
        task = self._tasks.get(name)
        return task is not None and task.done()

    def stop(self) -> None:
        """Let `until_stopped` return."""
        self._stopping.set()

    async def until_stopped(self) -> None:
        """Wait for a signal or for `stop`; raise what a task failed with."""
        leave_out_of_collections()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        stopping = asyncio.create_task(self._stopping.wait())
        waiting: set[asyncio.Task[object]] = {stopping, *self._tasks.values()}
        try:
            while not stopping.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {stopping}:
                    _raise_first(task)
                    if task in self._lasting and not stopping.done():
                        raise SightlineError(f"the service {task.get_name()} ended by itself")
        finally:
            stopping.cancel()

    async def end(self, names: Iterable[str]) -> None:
        """End tasks one after the other; one that does not end in time must not keep the process alive."""
        for name in names:
            task = self._tasks.get(name)
            if task is None:
                continue
            task.cancel()
            await asyncio.wait([task], timeout=END_TIMEOUT_S)
            if not task.done():
                log.warning("%s did not end in time", name)


def _raise_first(task: asyncio.Task[object]) -> None:
    """Raise what a task failed with; of several errors at once the first, which a person can read."""
    error = None if task.cancelled() else task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is not None:
        raise error
