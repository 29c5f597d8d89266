"""No task and no thread ends unnoticed."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.cli.setup_seed import SetupSeed
from services.common.bus.local import LocalBus
from services.common.database.schema import Retention
from services.common.tasks import (
    cancellable,
    end_tasks,
    kept_running,
    log_thread_failures,
    watched,
    watched_from_thread,
)
from services.store.service import StoreService
from services.web.auth.first_admin import ensure_first_admin
from services.web.mirror import SetupMirror
from tests.tables import Tables


async def _fail() -> None:
    raise RuntimeError("nobody foresaw this")


async def test_a_task_that_nobody_awaits_tells_the_log_what_it_failed_with(
    caplog: pytest.LogCaptureFixture,
) -> None:
    task = watched(_fail(), "the writer")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert "the writer failed" in caplog.text
    assert "nobody foresaw this" in caplog.text


async def test_a_task_that_another_thread_began_tells_the_log_too(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    future = await asyncio.to_thread(watched_from_thread, _fail(), loop, "the feed")
    await asyncio.to_thread(future.exception)
    assert "the feed failed" in caplog.text
    assert "nobody foresaw this" in caplog.text


async def test_a_task_that_is_cancelled_or_done_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    ended, cancelled = watched(asyncio.sleep(0), "one"), watched(asyncio.sleep(60), "other")
    cancelled.cancel()
    await asyncio.wait([ended, cancelled])
    await asyncio.sleep(0)
    assert not caplog.records


async def test_lasting_work_goes_on_after_a_failure_and_after_an_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns, failures, waits = iter([RuntimeError("once"), None, asyncio.CancelledError()]), [], []

    async def work() -> None:
        if (error := next(turns)) is not None:
            raise error

    async def sleep(time_s: float) -> None:
        waits.append(time_s)

    with pytest.raises(asyncio.CancelledError):
        await kept_running(work, "the watcher", on_failure=lambda: failures.append(1), sleep=sleep)
    assert [record.getMessage() for record in caplog.records] == [
        "the watcher failed and starts again",
        "the watcher ended by itself and starts again",
    ]
    assert len(failures) == len(waits) == 2


def test_a_thread_that_fails_tells_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log_thread_failures()

    def fail() -> None:
        raise RuntimeError("nobody foresaw this")

    with caplog.at_level(logging.ERROR):
        thread = threading.Thread(target=fail, name="reader-7")
        thread.start()
        thread.join()
    assert "the thread reader-7 failed" in caplog.text
    assert "nobody foresaw this" in caplog.text


SOON_S = 0.01


class Lossy:
    """Calls that never answer and lose the first cancellation."""

    def __init__(self) -> None:
        self.began, self.lost = asyncio.Event(), 0

    async def call(self, *_: object, **__: object) -> list[object]:
        self.began.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if self.lost:
                    raise
                self.lost += 1


@pytest.fixture
def lossy(monkeypatch: pytest.MonkeyPatch) -> Lossy:
    return Lossy()


def _tables(lossy: Lossy, monkeypatch: pytest.MonkeyPatch) -> Tables:
    """A database whose every read and write is such a call."""
    tables = Tables("mongodb://127.0.0.1:9/")
    for part, method in (
        (tables.setups, "cameras"),
        (tables.accounts, "users"),
        (tables.events, "prepare"),
        (tables.probe, "check"),
    ):
        monkeypatch.setattr(part, method, lossy.call)
    return tables


def _works(tables: Tables) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """What uses the database for as long as a process runs, as the roots of composition start it."""
    bus = LocalBus()
    mirror = SetupMirror(tables.web, bus.setups, bus.access)
    return {
        "mirror": lambda: cancellable(mirror.run(), SOON_S),
        "seed": lambda: cancellable(SetupSeed((), "traffic").apply(tables.setups, mirror), SOON_S),
        "first admin": lambda: cancellable(ensure_first_admin(tables.accounts, None, {}), SOON_S),
        "probe": lambda: cancellable(tables.probe.run(), SOON_S),
        "store": lambda: StoreService(tables.store, bus.events, Retention()).run(),
    }


@pytest.mark.parametrize("name", ["mirror", "seed", "first admin", "probe", "store"])
async def test_one_cancellation_ends_it(lossy: Lossy, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    work = _works(_tables(lossy, monkeypatch))[name]
    async with asyncio.timeout(10):
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work())
            await lossy.began.wait()
            task.cancel()
    assert task.cancelled() and lossy.lost == 1


async def test_the_end_of_tasks_is_the_end_of_all() -> None:
    many = [Lossy() for _ in range(3)]
    tasks = [asyncio.create_task(one.call()) for one in many]
    await asyncio.gather(*(one.began.wait() for one in many))
    async with asyncio.timeout(10):
        await end_tasks(tasks, SOON_S)
    assert [one.lost for one in many] == [1, 1, 1]
    assert all(task.cancelled() for task in tasks)


async def test_a_failure_is_raised_as_it_is() -> None:
    async def fails() -> None:
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        await cancellable(fails())


async def test_what_ends_by_itself_ends() -> None:
    async def done() -> None:
        return None

    await cancellable(done())
