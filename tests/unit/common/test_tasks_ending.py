"""Tasks whose first cancellation is lost, as the database's driver loses one now and then."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.cli.setup_seed import SetupSeed
from services.common.bus.local import LocalBus
from services.common.database.schema import Retention
from services.common.tasks import cancellable, end_tasks
from services.store.service import StoreService
from services.web.auth.first_admin import ensure_first_admin
from services.web.mirror import SetupMirror
from tests.tables import Tables

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
