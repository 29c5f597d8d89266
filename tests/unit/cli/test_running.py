"""The tasks of a process."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from services.cli.running import RunningTasks
from services.core.errors import SightlineError


async def test_what_is_loaded_is_left_out_of_collections() -> None:
    tasks = RunningTasks()
    tasks.stop()
    try:
        await tasks.until_stopped()
        assert gc.get_freeze_count() > 50_000
    finally:
        gc.unfreeze()


async def _end() -> None:
    """Come to an end at once."""


@pytest.fixture
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("unfrozen")
async def test_a_service_that_ends_by_itself_ends_the_process() -> None:
    tasks = RunningTasks()
    tasks.start("seed", _end(), may_end=True)
    tasks.start("web", _end())
    with pytest.raises(SightlineError, match="the service web ended by itself"):
        async with asyncio.timeout(5):
            await tasks.until_stopped()
    assert tasks.has_ended("seed") and not tasks.has_ended("unknown")


@pytest.mark.usefixtures("unfrozen")
async def test_a_task_that_is_cancelled_from_elsewhere_ends_the_process_too() -> None:
    tasks = RunningTasks()
    tasks.start("store", asyncio.sleep(60))
    asyncio.get_running_loop().call_soon(tasks._tasks["store"].cancel)
    with pytest.raises(SightlineError, match="the service store ended by itself"):
        async with asyncio.timeout(5):
            await tasks.until_stopped()


@pytest.mark.usefixtures("unfrozen")
async def test_what_may_end_lets_the_others_go_on() -> None:
    tasks = RunningTasks()
    tasks.start("seed", _end(), may_end=True)
    tasks.start("store", asyncio.sleep(60))
    asyncio.get_running_loop().call_later(0.05, tasks.stop)
    async with asyncio.timeout(5):
        await tasks.until_stopped()
    await tasks.end(("store",))
