"""The store's loop: retries, and what it acknowledges."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.cli.serve.settings import StoreSettings
from services.common.bus.local import LocalBus
from services.common.settings.files import load_settings
from services.core.errors import DatabaseUnavailableError
from services.core.sentences.sentence import plain
from services.core.types import Event
from services.store.writer import StoreWriter
from tests.makers import seconds

CONFIGMAPS = Path(__file__).resolve().parents[3] / "configmaps"


class FailingSink:
    """Fails a number of times before each success."""

    def __init__(self, failures: int) -> None:
        self.failures, self.left = failures, failures
        self.written: list[Event] = []

    async def prepare(self) -> None:
        return None

    async def insert_events(self, events: Sequence[Event]) -> int:
        if self.left > 0:
            self.left -= 1
            raise DatabaseUnavailableError("the database does not answer")
        self.left = self.failures
        self.written += events
        return 1


async def _run(failures: int, number: int) -> tuple[StoreWriter, FailingSink, list[float]]:
    sink, bus, waits = FailingSink(failures), LocalBus(), []

    async def sleep(wait_s: float) -> None:
        waits.append(wait_s)
        await asyncio.sleep(0)

    writer = StoreWriter(sink, bus.events, batch_events=10, sleep=sleep)
    bus.events.publish(seconds(1000, number))
    task = asyncio.create_task(writer.run())
    async with asyncio.timeout(10):
        while writer.health.written < number:
            await asyncio.sleep(0)
    task.cancel()
    return writer, sink, waits


async def test_it_waits_longer_each_time_and_loses_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    writer, sink, waits = await _run(failures=6, number=10)
    assert waits == [1, 2, 4, 8, 10, 10]
    assert sink.written == seconds(1000, 10)
    assert (writer.health.is_database_up, writer.health.last_error, writer.health.waiting) == (True, None, 0)
    assert [r.levelname for r in caplog.records] == ["INFO", "WARNING", "INFO"]


async def test_batches_are_written_in_their_order() -> None:
    writer, sink, waits = await _run(failures=0, number=35)
    assert sink.written == seconds(1000, 35)
    assert (waits, writer.health.last_error) == ([], None)
    assert writer.health.refused == 4, "one of each batch"


async def test_drain_gives_up_in_time() -> None:
    bus = LocalBus()
    bus.events.publish(seconds(1000, 5))
    writer = StoreWriter(FailingSink(10**6), bus.events)
    assert not await writer.drain(0.1)
    assert writer.health.last_error == plain("the database does not answer")


def test_retention_is_a_setting() -> None:
    changed = load_settings(StoreSettings, None, {"SIGHTLINE_TRAJECTORIES_DAYS": "7"})
    assert changed.retention.trajectories_days == 7
