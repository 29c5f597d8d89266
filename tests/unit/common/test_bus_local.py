import asyncio
import threading

import pytest

from services.common.bus_local import TRACK_LIMIT, LocalBus
from services.core.types import (
    AnalysedSecond,
    Camera,
    CameraSetup,
    CameraState,
    CameraStatus,
    Crossing,
    TrackedFrame,
)


def crossing(number: int) -> Crossing:
    return Crossing(str(number), "c", "l", 1, float(number), "car", "forward", 0.5, number, 0.9)


async def test_events_come_again_until_acknowledged():
    bus = LocalBus()
    bus.publish_events([crossing(i) for i in range(5)])
    first = await bus.next_events(limit=3)
    again = await bus.next_events(limit=3)
    assert [e.id for e in first.events] == [e.id for e in again.events] == ["0", "1", "2"]
    bus.acknowledge(first)
    assert [e.id for e in (await bus.next_events()).events] == ["3", "4"]


async def test_acknowledging_twice_forgets_nothing_more():
    bus = LocalBus()
    bus.publish_events([crossing(i) for i in range(4)])
    batch = await bus.next_events(limit=2)
    bus.acknowledge(batch)
    bus.acknowledge(batch)
    assert [e.id for e in (await bus.next_events()).events] == ["2", "3"]


async def test_a_waiting_reader_is_woken_from_another_thread():
    bus = LocalBus()
    waiting = asyncio.create_task(bus.next_events())
    await asyncio.sleep(0.01)
    threading.Thread(target=bus.publish_events, args=([crossing(1)],)).start()
    assert (await asyncio.wait_for(waiting, 2)).events[0].id == "1"


async def test_what_does_not_fit_becomes_a_gap():
    bus = LocalBus(event_limit=2)
    bus.publish_events([crossing(1), crossing(2), crossing(3)])
    batch = await bus.next_events()
    bus.acknowledge(batch)
    bus.publish_events([AnalysedSecond("c", 3), AnalysedSecond("c", 4)])
    assert (await bus.next_events()).events == (AnalysedSecond("c", 4),)
    assert bus.dropped_events == 1


async def test_a_slow_track_reader_loses_the_oldest():
    bus = LocalBus()
    async with bus.tracks("c") as frames:
        for i in range(TRACK_LIMIT + 5):
            bus.publish_tracks(TrackedFrame("c", i, float(i)))
        bus.publish_tracks(TrackedFrame("other", 99, 0.0))
        seen = [(await asyncio.wait_for(anext(frames), 1)).frame for _ in range(TRACK_LIMIT)]
    assert seen == list(range(5, TRACK_LIMIT + 5))


async def test_setups_come_at_once_and_then_on_change():
    bus = LocalBus()
    one = CameraSetup(Camera("a", "A", "x"))
    bus.publish_setups([one])
    async with bus.setups() as changes:
        assert await asyncio.wait_for(anext(changes), 1) == (one,)
        bus.publish_setups([])
        assert await asyncio.wait_for(anext(changes), 1) == ()


@pytest.mark.parametrize(("status", "fps"), [(CameraStatus.LIVE, 9.5), (CameraStatus.DEGRADED, 0.0)])
def test_state_carries_the_rate_only_while_live(status, fps):
    bus = LocalBus()
    assert bus.state("c") is None
    bus.publish_state("c", CameraState(status))
    bus.publish_fps("c", 9.5)
    assert bus.state("c").fps == fps
