"""What only the bus in memory promises; the rest is in the contract of all buses."""

import asyncio
import threading

from services.common.bus.local import LocalBus, LocalTrackFeed
from services.common.bus.protocol import TRACK_LIMIT
from services.common.bus.readers import Mailbox
from services.core.types import (
    CameraId,
    CameraSetup,
    CameraState,
    CameraStatus,
    Crossing,
    LineId,
    TrackedFrame,
)
from tests.makers import GATE, camera


def crossing(number: int) -> Crossing:
    return Crossing(str(number), GATE, LineId("l"), 1, float(number), "car", "forward", 0.5, number, 0.9)


async def test_a_batch_is_given_by_all_that_came_before_it():
    bus = LocalBus()
    bus.events.publish([crossing(i) for i in range(6)])
    first = await bus.events.next_batch(limit=2)
    longer = await bus.events.next_batch(limit=4)
    bus.events.acknowledge(longer)
    bus.events.acknowledge(first)
    assert [event.id for event in (await bus.events.next_batch()).events] == ["4", "5"]


async def test_threads_that_publish_at_once_lose_nothing():
    bus = LocalBus()
    threads = [
        threading.Thread(target=lambda: [bus.events.publish([crossing(i)]) for i in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((await bus.events.next_batch(10_000)).events) == 2000


async def test_readers_that_have_ended_are_not_kept():
    bus = LocalBus()
    async with bus.tracks.follow(GATE), bus.setups.follow():
        pass
    bus.tracks.publish(TrackedFrame(GATE, 1, 1.0))
    bus.setups.publish(())
    assert bus.tracks._readers == {}
    assert len(bus.setups._readers) == len(bus.events._readers) == 0


async def test_what_slow_readers_lost_is_counted_also_when_they_have_ended():
    feed = LocalTrackFeed()
    async with feed.follow(GATE), feed.follow(GATE):
        for number in range(TRACK_LIMIT + 3):
            feed.publish(TrackedFrame(GATE, number, 1.0))
        assert feed.dropped == 6
    assert feed.dropped == 6


async def test_deleted_cameras_are_forgotten():
    bus = LocalBus()
    bus.setups.publish((CameraSetup(camera("gate")), CameraSetup(camera("yard"))))
    for name in ("gate", "yard"):
        bus.states.publish_state(CameraId(name), CameraState(CameraStatus.LIVE))
    bus.setups.publish((CameraSetup(camera("yard")),))
    assert bus.states.state(GATE) is None
    assert bus.states.state(CameraId("yard")) is not None


async def test_a_full_mailbox_counts_what_it_loses():
    mailbox = Mailbox[int](2)
    for number in range(5):
        mailbox.put(number)
    read = mailbox.read()
    assert [await anext(read), await anext(read)] == [3, 4]
    assert mailbox.dropped == 3


def test_a_mailbox_outlives_its_loop():
    async def make() -> Mailbox[int]:
        return Mailbox[int](2)

    mailbox = asyncio.run(make())
    mailbox.put(1)
