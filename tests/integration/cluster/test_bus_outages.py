"""Events over NATS, whatever happens to its server, its disk, or a reader."""

import asyncio
import itertools
import threading
from collections.abc import Iterator

import nats
import pytest
from nats.errors import OutboundBufferLimitError

from services.common.bus.nats.bus import NatsBus, nats_bus
from services.common.bus.nats.connection import nats_connection
from services.common.bus.nats.events import STREAM, SUBJECT
from services.common.bus.nats.reader import CONSUMER
from services.core.types import AnalysedSecond, CameraId, Crossing, Event, LineId, Ownership
from tests.bus_ends import assert_no_more_events, bus_end, bus_ends, read_events, until
from tests.makers import GATE, crossing
from tests.nats_server import NatsServer, nats_server

NOON_S = 1_790_000_000
BATCH = 500
CAMERAS = ("a", "b", "c")

SERVER_NOTES_S = 1.0
"""The server writes a moment later to its disk what it gave out; killed before, it gives it out again."""


@pytest.fixture
def server(tmp_path) -> Iterator[NatsServer]:
    with nats_server(tmp_path) as server:
        yield server


def crossings(first: int, last: int) -> list[Crossing]:
    return [crossing(i, float(NOON_S + i)) for i in range(first, last)]


def second_of(camera: str, number: int) -> list[Event]:
    """Two crossings of a second and its evidence."""
    second = NOON_S + number
    crossed: list[Event] = [
        Crossing(
            f"{camera}-{number}-{i}",
            CameraId(camera),
            LineId("main"),
            1,
            second + i / 2,
            "car",
            "forward",
            0.5,
            i,
            0.9,
        )
        for i in range(2)
    ]
    return [*crossed, AnalysedSecond(CameraId(camera), second, 1)]


class Publisher:
    """A thread that publishes seconds of all cameras until it is told to stop."""

    def __init__(self, bus: NatsBus) -> None:
        self._bus = bus
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent: list[Event] = []

    def __enter__(self) -> "Publisher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        for number in itertools.count():
            for camera in CAMERAS:
                events = second_of(camera, number)
                for event in events:
                    self._bus.events.publish([event])
                self.sent += events
            if self._stopped.wait(0.01):
                return


async def collect(bus: NatsBus, into: list[Event]) -> None:
    while True:
        batch = await bus.events.next_batch()
        into += batch.events
        await asyncio.sleep(0.005)
        bus.events.acknowledge(batch)


def assert_complete_and_in_order(got: list[Event], sent: list[Event]) -> None:
    """Nothing is missing, and no evidence comes before a crossing of its second.

    A server that is killed forgets the last acknowledgements: these events come twice, after the others.
    """
    got = list(dict.fromkeys(got))
    assert set(got) == set(sent)
    for camera in CAMERAS:
        for kind in (Crossing, AnalysedSecond):
            of_kind = [event for event in got if event.camera == camera and isinstance(event, kind)]
            assert of_kind == [event for event in sent if event.camera == camera and isinstance(event, kind)]
    covered: set[tuple[str, int]] = set()
    for event in got:
        if isinstance(event, AnalysedSecond):
            covered.add((event.camera, event.second))
        elif isinstance(event, Crossing):
            assert (event.camera, int(event.time_s)) not in covered


async def test_events_survive_an_outage_of_the_server(server):
    got: list[Event] = []
    async with bus_end(server) as here, bus_end(server, ack_wait_s=1.0) as there:
        reading = asyncio.create_task(collect(there, got))
        with Publisher(here) as publisher:
            await until(lambda: len(got) > 200, "events flow", 10)
            server.kill()
            await asyncio.sleep(4)
            kept = here.events.waiting
            server.start()
            await until(lambda: here.events.waiting < kept / 2, "events flow again", 5)
            await asyncio.sleep(0.5)
        assert await here.events.flush(15)
        await until(lambda: len(set(got)) == len(publisher.sent), "all events arrive", 15)
        reading.cancel()
    assert kept > 1000
    assert_complete_and_in_order(got, publisher.sent)
    assert len(got) - len(publisher.sent) <= BATCH
    assert here.events.dropped == 0


async def test_what_was_not_stored_survives_the_loss_of_the_disk(server):
    async with bus_ends(server) as (here, there):
        here.events.publish(crossings(0, 10))
        assert len(await read_events(there, 10)) == 10
        server.kill()
        here.events.publish(crossings(10, 30))
        assert not await here.events.flush(0.2)
        server.lose_disk()
        server.start()
        assert await here.events.flush(5)
        assert await read_events(there, 20) == crossings(10, 30)


async def test_an_old_batch_acknowledges_nothing_of_a_new_stream(server):
    async with bus_end(server) as here, bus_end(server, ack_wait_s=1.0) as there:
        here.events.publish(crossings(0, 5))
        assert await here.events.flush(5)
        old = await there.events.next_batch()
        server.kill()
        server.lose_disk()
        server.start()
        async with bus_end(server, ack_wait_s=1.0) as other:
            here.events.publish(crossings(10, 15))
            assert await here.events.flush(5)
            assert (await asyncio.wait_for(other.events.next_batch(), 5)).events
            there.events.acknowledge(old)
            await asyncio.sleep(0.5)
        assert await read_events(there, 5) == crossings(10, 15)


async def test_a_batch_outlives_the_server_and_is_acknowledged_after_it(server):
    async with bus_end(server, ack_wait_s=3.0) as bus:
        bus.events.publish(crossings(0, 5))
        batch = await bus.events.next_batch()
        await asyncio.sleep(SERVER_NOTES_S)
        server.kill()
        bus.events.acknowledge(batch)
        server.start()
        await assert_no_more_events(bus, 4.5)


async def test_a_batch_of_a_killed_reader_comes_to_the_next_before_anything_newer(server):
    async with bus_end(server) as here:
        here.events.publish(crossings(0, 5))
        async with (
            nats_connection(server.url, "killed") as client,
            nats_bus(client, ack_wait_s=1.0) as killed,
        ):
            assert len((await killed.events.next_batch()).events) == 5
            await client.close()
        async with bus_end(server, ack_wait_s=1.0) as there:
            here.events.publish([AnalysedSecond(GATE, NOON_S)])
            assert await read_events(there, 6) == [*crossings(0, 5), AnalysedSecond(GATE, NOON_S)]


async def test_a_batch_that_is_worked_on_stays_with_its_reader(server):
    async with bus_end(server, ack_wait_s=0.9) as busy, bus_end(server, ack_wait_s=0.9) as other:
        busy.events.publish(crossings(0, 5))
        batch = await busy.events.next_batch()
        await assert_no_more_events(other, 2)
        busy.events.acknowledge(batch)
        busy.events.publish(crossings(5, 6))
        assert await read_events(other, 1) == crossings(5, 6)


async def test_an_event_that_is_published_twice_arrives_once(server):
    async with bus_ends(server) as (here, there):
        here.events.publish([*crossings(0, 3), *crossings(0, 3)])
        there.events.publish(crossings(0, 3))
        assert await here.events.flush(5) and await there.events.flush(5)
        assert await read_events(there, 3) == crossings(0, 3)
        await assert_no_more_events(there)


async def test_what_could_not_leave_is_sent_later_and_keeps_no_place_in_the_library(server, monkeypatch):
    async with bus_ends(server) as (here, there):
        client, publisher = here._sender._client, here._sender._publisher
        plain, refused = client.publish, []

        async def refusing(subject: str, *arguments: object, **named: object) -> None:
            if subject.startswith(SUBJECT) and len(refused) < 3:
                refused.append(subject)
                raise OutboundBufferLimitError
            await plain(subject, *arguments, **named)

        monkeypatch.setattr(client, "publish", refusing)
        here.events.publish(crossings(0, 10))
        assert await read_events(there, 10) == crossings(0, 10)
        assert await here.events.flush(5)
        assert len(refused) == 3
        assert publisher._jetstream.publish_async_pending() == 0


@pytest.mark.parametrize("what", ["stream", "consumer"])
async def test_a_stream_or_consumer_that_vanishes_is_made_again(server, what):
    async with bus_ends(server) as (here, there), await nats.connect(server.url) as plain:
        here.events.publish(crossings(0, 1))
        assert await read_events(there, 1) == crossings(0, 1)
        waiting = asyncio.create_task(read_events(there, 2))
        await asyncio.sleep(0.2)
        manager = plain.jsm()
        await (
            manager.delete_stream(STREAM) if what == "stream" else manager.delete_consumer(STREAM, CONSUMER)
        )
        here.events.publish(crossings(1, 3))
        assert await waiting == crossings(1, 3)


async def test_a_full_stream_makes_events_wait_and_not_vanish(server):
    async with await nats.connect(server.url) as plain:
        await plain.jetstream().add_stream(
            name=STREAM, subjects=[f"{SUBJECT}.*"], retention="workqueue", discard="new", max_bytes=8000
        )
    async with bus_ends(server) as (here, there):
        here.events.publish([*crossings(0, 40), AnalysedSecond(GATE, NOON_S)])
        assert not await here.events.flush(0.5)
        got = await read_events(there, 41, timeout_s=10)
        assert got == [*crossings(0, 40), AnalysedSecond(GATE, NOON_S)]
        assert await here.events.flush(1)


async def test_what_is_no_event_is_removed_and_told_without_its_content(server, caplog):
    caplog.set_level("DEBUG")
    async with bus_ends(server) as (here, there), await nats.connect(server.url) as plain:
        here.events.publish(crossings(0, 1))
        assert await here.events.flush(5)
        for data in (b"rtsp://user:topsecret@host", b'sightline 1 crossing\n[{"id":"topsecret"}]'):
            await plain.jetstream().publish(f"{SUBJECT}.gate", data)
        here.events.publish(crossings(1, 2))
        assert await read_events(there, 2) == crossings(0, 2)
        await asyncio.sleep(0.2)
        assert (await plain.jsm().stream_info(STREAM)).state.messages == 0
        assert there.refused_messages == 2
    assert "was removed" in caplog.text
    assert "topsecret" not in caplog.text


async def test_announcements_come_before_what_was_published_with_them(server):
    async with bus_ends(server) as (here, there):
        evidence = AnalysedSecond(GATE, NOON_S, 2)
        here.events.publish([evidence, *crossings(0, 2), Ownership(GATE, 2, float(NOON_S))])
        assert await here.events.flush(5)
        got = (await there.events.next_batch()).events
    assert list(got) == [Ownership(GATE, 2, float(NOON_S)), *crossings(0, 2), evidence]
