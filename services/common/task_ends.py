"""The end of tasks that use the database, whose driver (pymongo 4.20) loses a cancellation now and then.

Whatever waits for such a task, as `asyncio.TaskGroup` and the end of a process do, would wait for ever. So it
is cancelled until it has ended. Not for tasks that end in order, such as servers: a second cancellation would
interrupt that.
"""

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any

CANCEL_AGAIN_S = 0.5


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
