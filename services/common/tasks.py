"""Work beside the main way: none of it ends unnoticed.

A task whose outcome somebody takes (`await`, `result()`, a TaskGroup) needs nothing of this. One that nobody
awaits is begun with `watched`; one that is to last is kept with `kept_running`, or belongs to a TaskGroup, so
that its failure is its owner's. Failures of threads are logged through `log_thread_failures`.

The database's driver (pymongo 4.20) loses a cancellation now and then, and whatever waits for such a task, as
`asyncio.TaskGroup` and the end of a process do, would wait for ever: `cancellable` and `end_tasks` cancel it
until it has ended. Not for tasks that end in order, as servers do: a second would interrupt that.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection, Coroutine
from concurrent.futures import Future
from typing import Any

log = logging.getLogger(__name__)

RESTART_S = 1.0
"""Wait before lasting work that failed begins again."""

CANCEL_AGAIN_S = 0.5

_running: set[asyncio.Task[Any]] = set()
"""The event loop itself keeps no hold of its tasks."""


def watched(work: Coroutine[Any, Any, object], name: str) -> asyncio.Task[Any]:
    """Begin a task that nobody awaits; what it fails with is logged as soon as it ends."""
    task = asyncio.create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_on_end)
    return task


def watched_from_thread(
    work: Coroutine[Any, Any, object], loop: asyncio.AbstractEventLoop, name: str
) -> "Future[Any]":
    """Begin a task on the loop of another thread, as `watched` does on this one's."""
    future = asyncio.run_coroutine_threadsafe(work, loop)
    future.add_done_callback(lambda done: _log_failure(done, name))
    return future


def _on_end(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    _log_failure(task, task.get_name())


def _log_failure(ended: "asyncio.Task[Any] | Future[Any]", name: str) -> None:
    if not ended.cancelled() and (error := ended.exception()) is not None:
        log.error("%s failed", name, exc_info=error)


async def kept_running(
    work: Callable[[], Awaitable[object]],
    name: str,
    is_over: Callable[[], bool] = lambda: False,
    on_failure: Callable[[], None] = lambda: None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Do lasting work until cancelled, or until it ends because it `is_over`.

    A failure, or an end before that, is logged, and the work begins again.
    """
    while True:
        try:
            await work()
            if is_over():
                return
            log.error("%s ended by itself and starts again", name)
        except Exception:
            log.exception("%s failed and starts again", name)
        on_failure()
        await sleep(RESTART_S)


def log_thread_failures() -> None:
    """Have what ends a thread of this process logged, as all else is."""

    def log_ended(failure: threading.ExceptHookArgs) -> None:
        if failure.exc_type is not SystemExit and failure.exc_value is not None:
            name = failure.thread.name if failure.thread is not None else "a thread"
            log.error("the thread %s failed", name, exc_info=failure.exc_value)

    threading.excepthook = log_ended


async def cancellable(work: Coroutine[object, object, None], cancel_again_s: float = CANCEL_AGAIN_S) -> None:
    """Run work that one cancellation of this ends for certain; raises what it fails with."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task])
        task.result()
    finally:
        await end_tasks([task], cancel_again_s)


async def end_tasks(tasks: Collection[asyncio.Task[Any]], cancel_again_s: float = CANCEL_AGAIN_S) -> None:
    """Cancel tasks until all have ended; raises nothing of theirs."""
    waiting: Collection[asyncio.Task[Any]] = [task for task in tasks if not task.done()]
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=cancel_again_s)
