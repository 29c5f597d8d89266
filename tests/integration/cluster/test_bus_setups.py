"""Setups and access over NATS, whatever happens to its server or its disk."""

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import replace

import nats
import pytest

from services.common.access.check import Access
from services.common.bus.nats.setups import ADDRESSES
from services.core.types import CameraSetup
from tests.bus_ends import bus_end, bus_ends, until
from tests.makers import camera, line
from tests.nats_server import NatsServer, nats_server

PASSWORD = "tops3cret"
HASH = "$argon2id$v=19$ha5h"
SETUP = CameraSetup(replace(camera(), url=f"rtsp://user:{PASSWORD}@host/cam"), (line(),), 3)
OTHER = CameraSetup(camera("other"))
ACCESS = Access({"anna": HASH}, frozenset({"ab" * 32}))


@pytest.fixture
def server(tmp_path) -> Iterator[NatsServer]:
    with nats_server(tmp_path) as server:
        yield server


async def newest(changes) -> tuple[CameraSetup, ...]:
    return await asyncio.wait_for(anext(changes), 4)


async def test_setups_last_for_readers_that_start_later(server):
    async with bus_end(server) as web:
        web.setups.publish((SETUP,))
        web.access.publish(ACCESS)
        async with bus_end(server) as reader, reader.setups.follow() as changes:
            assert await newest(changes) == (SETUP,)
    server.kill()
    server.start()
    async with bus_end(server) as reader, reader.setups.follow() as changes:
        assert await newest(changes) == (SETUP,)
        await until(lambda: reader.access.newest() == ACCESS, "access is known")


async def test_changes_arrive_well_within_a_second(server):
    async with bus_ends(server) as (web, reader), reader.setups.follow() as changes:
        web.setups.publish((SETUP,))
        await newest(changes)
        for setups in ((SETUP, OTHER), (OTHER,)):
            began_s = time.monotonic()
            web.setups.publish(setups)
            assert await newest(changes) == setups
            assert time.monotonic() - began_s < 0.5


async def test_after_the_loss_of_the_disk_readers_keep_setups_and_they_are_written_again(server):
    async with bus_ends(server) as (web, reader), reader.setups.follow() as changes:
        web.setups.publish((SETUP,))
        web.access.publish(ACCESS)
        assert await newest(changes) == (SETUP,)
        server.kill()
        server.lose_disk()
        server.start()
        async with bus_end(server) as late, late.setups.follow() as late_changes:
            assert await newest(late_changes) == (SETUP,)
            await until(lambda: late.access.newest() == ACCESS, "access is known")
        async with reader.setups.follow() as again:
            assert await newest(again) == (SETUP,)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(changes), 0.1)


async def test_readers_alone_write_nothing_into_a_lost_bucket(server):
    async with bus_end(server) as reader, reader.setups.follow() as changes:
        async with bus_end(server) as web:
            web.setups.publish((SETUP,))
            assert await newest(changes) == (SETUP,)
        server.kill()
        server.lose_disk()
        server.start()
        await asyncio.sleep(2.5)
        async with await nats.connect(server.url) as plain:
            with pytest.raises(nats.js.errors.NotFoundError):
                await plain.jetstream().key_value(ADDRESSES)
        async with reader.setups.follow() as again:
            assert await newest(again) == (SETUP,)


async def test_what_is_published_while_nats_is_away_is_written_when_it_is_back(server):
    async with bus_ends(server) as (web, reader), reader.setups.follow() as changes:
        web.setups.publish((SETUP,))
        assert await newest(changes) == (SETUP,)
        server.kill()
        web.setups.publish((SETUP, OTHER))
        web.setups.publish((OTHER,))
        async with web.setups.follow() as own:
            assert await newest(own) == (OTHER,)
        server.start()
        assert await newest(changes) == (OTHER,)


async def test_the_newest_of_two_publishers_wins_for_both(server):
    async with bus_ends(server) as (one, two):
        one.setups.publish((SETUP,))
        async with two.setups.follow() as changes:
            assert await newest(changes) == (SETUP,)
        two.setups.publish((OTHER,))
        async with one.setups.follow() as changes:
            while await newest(changes) != (OTHER,):
                pass
        server.kill()
        server.lose_disk()
        server.start()
        async with bus_end(server) as late, late.setups.follow() as changes:
            assert await newest(changes) == (OTHER,)


async def test_secrets_never_reach_a_log(server, caplog):
    caplog.set_level(logging.DEBUG)
    async with bus_ends(server) as (web, reader), await nats.connect(server.url) as plain:
        web.setups.publish((SETUP,))
        web.access.publish(ACCESS)
        await until(lambda: reader.access.newest() == ACCESS, "access is known")
        bucket = await plain.jetstream().key_value(ADDRESSES)
        await bucket.put("all", f'{{"url":"rtsp://user:{PASSWORD}@host","hash":"{HASH}"}}'.encode())
        await until(lambda: web.refused_messages, "the broken value is refused")
        async with reader.setups.follow() as changes:
            assert await newest(changes) == (SETUP,)
        server.kill()
        web.setups.publish((SETUP, OTHER))
        await asyncio.sleep(0.3)
    assert "refused" in caplog.text
    assert PASSWORD not in caplog.text
    assert "ha5h" not in caplog.text
    assert PASSWORD not in repr(vars(web)) + repr(ACCESS)
