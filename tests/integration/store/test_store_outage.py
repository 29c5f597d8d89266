"""The store through outages of its database."""

import asyncio
import logging

import pytest

from services.common.bus.local import LocalBus
from services.store.writer import StoreWriter
from tests.database_server import DatabaseServer
from tests.makers import crossing, recent_minute_s, seconds
from tests.tables import Tables


async def _until(condition, timeout_s: float = 40.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


async def test_nothing_is_lost_or_doubled_when_the_database_is_killed_in_mid_run(
    own_server: DatabaseServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    start, bus = recent_minute_s(), LocalBus()
    tables = Tables(own_server.uri)
    writer = StoreWriter(tables.events, bus.events, batch_events=20)
    task = asyncio.create_task(writer.run())

    async def report(first: int, last: int) -> None:
        for n in range(first, last):
            bus.events.publish([crossing(n, start + n * 0.1), *seconds(start + n, 1)])
            await asyncio.sleep(0.001)

    await report(0, 200)
    await _until(lambda: writer.health.written >= 100)
    own_server.kill()
    await report(200, 400)
    await _until(lambda: not writer.health.is_database_up)
    await asyncio.to_thread(own_server.start)
    await report(400, 500)
    await _until(lambda: writer.health.written == 1000)
    task.cancel()
    found = [item.id async for item in tables.records.crossings("gate", start, start + 600)]
    minutes = await tables.records.minute_counts("gate", start, start + 600)
    analysed = await tables.records.analysed_minutes("gate", start, start + 600)
    await tables.close()
    assert len(found) == len(set(found)) == 500
    assert sum(minute.forward["car"] for minute in minutes) == 500
    assert sum(mask.bit_count() for mask in analysed.values()) == 500
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING and "kept" in r.message]) == 1


async def test_acknowledged_events_survive_the_sudden_end_of_the_database(own_server: DatabaseServer) -> None:
    start = recent_minute_s()
    tables = Tables(own_server.uri)
    await tables.prepare()
    for n in range(10):
        await tables.events.insert_events([crossing(n, start + n)])
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    found = [item.id async for item in tables.records.crossings("gate", start, start + 60)]
    assert len(found) == 10
    await tables.close()


async def test_drain_writes_what_is_left(tables: Tables) -> None:
    start, bus = recent_minute_s(), LocalBus()
    bus.events.publish([crossing(n, start + n) for n in range(50)])
    writer = StoreWriter(tables.events, bus.events, batch_events=20)
    assert await writer.drain(10.0)
    assert writer.health.written == 50
