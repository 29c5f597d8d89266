"""What only the bus in memory promises; the rest is in the contract of all buses."""

import asyncio
import threading

from services.common.bus.local import LocalBus
from services.common.bus.mailbox import Mailbox
from services.core.types import CameraId, Crossing, LineId, TrackedFrame
from tests.makers import GATE


def crossing(number: int) -> Crossing:
    return Crossing(str(number), GATE, LineId("l"), 1, float(number), "car", "forward", 0.5, number, 0.9)


async def test_a_batch_is_given_by_all_that_came_before_it():
    bus = LocalBus()
    bus.publish_events([crossing(i) for i in range(6)])
    first = await bus.next_events(limit=2)
    longer = await bus.next_events(limit=4)
    bus.acknowledge(longer)
    bus.acknowledge(first)
    assert [event.id for event in (await bus.next_events()).events] == ["4", "5"]


async def test_threads_that_publish_at_once_lose_nothing():
    bus = LocalBus()
    threads = [
        threading.Thread(target=lambda: [bus.publish_events([crossing(i)]) for i in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((await bus.next_events(10_000)).events) == 2000


async def test_readers_that_have_ended_are_not_kept():
    bus = LocalBus()
    async with bus.tracks(GATE), bus.setups():
        pass
    bus.publish_tracks(TrackedFrame(GATE, 1, 1.0))
    bus.publish_setups([])
    assert bus._track_readers == {CameraId(GATE): []}
    assert bus._setup_readers == []


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
