"""Tracks and states over NATS, whatever happens to its server."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace

import nats
import pytest

from services.common.bus.messages import encode_tracks
from services.common.bus.nats.live import STATES_SUBJECT, TRACKS_SUBJECT
from services.common.bus.nats.publishing import until_sent
from services.core.types import AnalysedSecond, CameraState, CameraStatus, TrackedFrame, TrackedObject
from tests.bus_ends import bus_end, bus_ends, until
from tests.makers import GATE, crossing
from tests.nats_server import NatsServer, nats_server

LIVE = CameraState(CameraStatus.LIVE, 1_790_000_000.0, resolution=(1920, 1080))
BUSY = TrackedFrame(
    GATE,
    1,
    1_790_000_000.123,
    tuple(TrackedObject(i, (i / 30, 0.123456789, 0.3, 0.4), "car", 0.87654321) for i in range(20)),
)


@pytest.fixture
def server(tmp_path) -> Iterator[NatsServer]:
    with nats_server(tmp_path) as server:
        yield server


async def test_a_process_that_starts_later_knows_the_states_within_a_second(server):
    async with bus_end(server) as ingest, bus_end(server) as detector:
        ingest.states.publish_state(GATE, LIVE)
        detector.states.publish_rate(GATE, 9.5)
        await asyncio.sleep(0.2)
        async with bus_end(server) as web:
            await until(lambda: web.states.state(GATE) == replace(LIVE, fps=9.5), "the state is known", 1.5)


async def test_the_newest_report_of_two_processes_wins_and_stays_when_it_comes_alone(server):
    degraded = CameraState(CameraStatus.DEGRADED, 1_790_000_009.0, last_error="gone")
    async with bus_ends(server, 3) as (old, new, web):
        old.states.publish_state(GATE, degraded)
        old.states.publish_rate(GATE, 0.0)
        await until(lambda: web.states.state(GATE) == degraded, "the old state is known")
        new.states.publish_state(GATE, LIVE)
        new.states.publish_rate(GATE, 9.5)
        await until(lambda: web.states.state(GATE) == replace(LIVE, fps=9.5), "the new state is known", 0.5)
        await asyncio.sleep(1.3)  # the old process repeats what it told
        assert web.states.state(GATE) == replace(LIVE, fps=9.5)
        assert old.states.state(GATE) == new.states.state(GATE) == replace(LIVE, fps=9.5)
        old.states.withdraw_state(GATE)
        assert old.states.state(GATE) == replace(LIVE, fps=9.5)


async def test_states_are_published_again_after_an_outage(server):
    async with bus_ends(server) as (ingest, web):
        ingest.states.publish_state(GATE, LIVE)
        await until(lambda: web.states.state(GATE), "the state is known")
        server.kill()
        ingest.states.publish_state(GATE, replace(LIVE, since_s=1_790_000_001.0))
        assert ingest.states.state(GATE).since_s == 1_790_000_001.0
        await asyncio.sleep(0.3)
        server.start()
        await until(lambda: web.states.state(GATE).since_s == 1_790_000_001.0, "the change is known", 2)


async def test_tracks_are_dropped_and_counted_while_nats_is_away_and_go_on_after_it(server):
    async with bus_ends(server) as (detector, web), web.tracks.follow(GATE) as frames:
        first = asyncio.create_task(anext(frames))
        while not first.done():
            detector.tracks.publish(TrackedFrame(GATE, 0, 1.0))
            await asyncio.wait([first], timeout=0.2)
        assert (await first).frame == 0
        server.kill()
        await asyncio.sleep(0.2)
        for number in range(1, 6):
            detector.tracks.publish(TrackedFrame(GATE, number, 1.0))
        await until(lambda: detector.tracks.dropped == 5, "they are counted")
        async with web.tracks.follow(GATE) as frames_of_the_outage:
            server.start()
            receiving = [asyncio.create_task(anext(reader)) for reader in (frames, frames_of_the_outage)]
            for number in range(100, 140):
                detector.tracks.publish(TrackedFrame(GATE, number, 1.0))
                await asyncio.sleep(0.05)
            for reader in receiving:
                assert (await asyncio.wait_for(reader, 1)).frame >= 100


async def test_a_reader_that_has_ended_is_subscribed_no_more(server):
    async with bus_ends(server) as (detector, web):
        async with web.tracks.follow(GATE):
            pass
        detector.tracks.publish(BUSY)
        await asyncio.sleep(0.1)
        assert not [
            sub for sub in web.tracks._client._subs.values() if sub.subject.startswith(TRACKS_SUBJECT)
        ]


async def test_foreign_messages_are_refused_and_harm_nobody(server):
    async with bus_ends(server) as (detector, web), await nats.connect(server.url) as plain:
        async with web.tracks.follow(GATE) as frames:
            detector.states.publish_state(GATE, LIVE)
            await until(lambda: web.states.state(GATE), "states are heard")
            await plain.publish(f"{TRACKS_SUBJECT}.{GATE}", b"\xff\x00 no tracks")
            await plain.publish(STATES_SUBJECT, b'sightline 2 news\n{"process":"later"}')
            await until_sent(plain)
            detector.tracks.publish(BUSY)
            detector.states.publish_state(GATE, LIVE)
            assert await asyncio.wait_for(anext(frames), 2) == BUSY
            await until(lambda: web.states.state(GATE) == LIVE, "the state is known")
        await until(lambda: web.refused_messages == 2, "both are refused")


async def test_whoever_follows_tracks_hears_what_is_sent_from_then_on(server):
    async with bus_ends(server, 1) as (web,), await nats.connect(server.url) as plain:
        for number in range(150):
            async with web.tracks.follow(GATE) as frames:
                await plain.publish(f"{TRACKS_SUBJECT}.{GATE}", b"no tracks")
                await plain.publish(f"{TRACKS_SUBJECT}.{GATE}", encode_tracks(BUSY))
                assert await asyncio.wait_for(anext(frames), 2) == BUSY
            assert web.refused_messages == number + 1


async def test_how_fast_the_bus_is(server, capsys):
    """Events and tracks of a hundred busy cameras take a small part of one core."""
    async with bus_ends(server) as (here, there):
        number = 6000
        events = [crossing(i, 1_790_000_000.0 + i / 20) for i in range(number)]
        began_s, cpu_s = time.monotonic(), time.process_time()
        here.events.publish([*events, AnalysedSecond(GATE, 1)])
        got = 0
        while got <= number:
            batch = await there.events.next_batch()
            got += len(batch.events)
            there.events.acknowledge(batch)
        event_s, event_cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
        async with there.tracks.follow(GATE) as frames:
            began_s, cpu_s = time.monotonic(), time.process_time()
            for _ in range(1000):
                here.tracks.publish(BUSY)
                await asyncio.wait_for(anext(frames), 2)
            track_s, track_cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    with capsys.disabled():
        print(
            f"\nNatsBus: {number / event_s:.0f} events/s, {event_cpu_s / number * 1e6:.0f} us of CPU each;"
            f" {1000 / track_s:.0f} frames of 20 tracks/s, {track_cpu_s / 1000 * 1e6:.0f} us of CPU each"
        )
    assert event_cpu_s / number < 0.005
    assert track_cpu_s / 1000 < 0.005
