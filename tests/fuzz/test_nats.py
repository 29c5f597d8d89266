"""Junk on every subject of NATS: what reads there goes on, and what is good comes through."""

import asyncio
import random
from pathlib import Path

import nats

from services.common.bus.nats.connection import nats_connection
from services.common.bus.nats.events import SUBJECT as EVENTS
from services.common.bus.nats.live import RATES_SUBJECT, STATES_SUBJECT, TRACKS_SUBJECT
from services.common.bus.nats.setups import ACCESS, ADDRESSES, CAMERAS
from services.common.leases.nats.store import HEARTBEATS, HELLO, NatsLeaseStore
from services.common.leases.protocol import Member
from services.core.types import CameraSetup, TrackedFrame
from tests.bus_ends import bus_ends, read_events, until
from tests.fuzz.memory import LIMIT_BYTES, resident_bytes
from tests.fuzz.test_messages import WHOLE
from tests.makers import GATE, camera, crossing
from tests.nats_server import nats_server

NOON_S = 1_790_000_000.0
SUBJECTS = (
    f"{EVENTS}.gate",
    f"{EVENTS}._",
    f"{EVENTS}.counted.gate",
    f"{EVENTS}.access.rtsp",
    f"{TRACKS_SUBJECT}.gate",
    STATES_SUBJECT,
    RATES_SUBJECT,
    HELLO,
    HEARTBEATS,
    f"{HEARTBEATS}.ingest",
    f"$KV.{ADDRESSES}.all",
    f"$KV.{CAMERAS}.all",
    f"$KV.{ACCESS}.all",
    f"$KV.{ACCESS}.other",
)
MESSAGES = 80
"""Of each subject."""


def _junk(source: random.Random) -> bytes:
    """A message of any kind with bytes cut out and put in, or nothing of the kind."""
    whole = source.choice([data for _, data in WHOLE.values()])
    at, cut = source.randrange(len(whole)), source.randrange(4)
    put = source.randbytes(source.choice([0, 1, 4, 2000]))
    return source.choice([whole[:at] + put + whole[at + cut :], put, whole, b"[" * 100_000])


def _ids(leases: NatsLeaseStore) -> list[str]:
    return [member.id for member in leases.members("ingest") or ()]


async def test_junk_on_every_subject(tmp_path: Path) -> None:
    source = random.Random(5)
    with nats_server(tmp_path) as server:
        async with bus_ends(server) as (here, there), nats_connection(server.url, "member") as client:
            leases = NatsLeaseStore(client)
            await leases.join(Member("ingest-1", "ingest"))
            before = resident_bytes()
            async with there.tracks.follow(GATE) as frames:
                stranger = await nats.connect(server.url)
                for subject in SUBJECTS:
                    for _ in range(MESSAGES):
                        await stranger.publish(subject, _junk(source))
                await stranger.flush(10)
                await stranger.close()
                here.events.publish([crossing(1, NOON_S)])
                here.setups.publish((CameraSetup(camera()),))
                sent = TrackedFrame(GATE, 77, NOON_S)
                seen: list[TrackedFrame] = []
                async with asyncio.timeout(20):
                    while sent not in seen:
                        here.tracks.publish(sent)
                        seen.append(await anext(frames))
            async with there.setups.follow() as changes, asyncio.timeout(20):
                async for setups in changes:
                    if setups == (CameraSetup(camera()),):
                        break
            found = await read_events(there, 1, 20)
            while crossing(1, NOON_S) not in found:
                found += await read_events(there, 1, 20)
            await until(lambda: "ingest-1" in _ids(leases), "the members are known", 20)
            await until(lambda: there.refused_messages > MESSAGES, "junk is counted", 10)
            assert resident_bytes() - before < LIMIT_BYTES
            await leases.leave()
