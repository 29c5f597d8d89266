"""What every bus promises, tried with the one in memory and with the one over a real NATS server."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest

from services.common.access.check import Access
from services.common.bus.local import LocalBus
from services.common.bus.protocol import TRACK_LIMIT, Bus
from services.core.types import (
    AccessAction,
    AccessNote,
    AnalysedSecond,
    CameraSetup,
    CameraState,
    CameraStatus,
    Crossing,
    Ownership,
    StatusChange,
    TrackedFrame,
    TrackedObject,
)
from tests.bus_ends import bus_end, read_events, until
from tests.makers import GATE, analysis_cost, camera, crossing, line, trajectory
from tests.nats_server import nats_server

EVENT_LIMIT = 6
NOON_S = 1_790_000_000.0


@dataclass
class Buses:
    """One bus as two services see it: the same object in one process, two over NATS."""

    here: Bus
    there: Bus


@pytest.fixture(params=["local", "nats"])
async def buses(request, tmp_path) -> AsyncIterator[Buses]:
    if request.param == "local":
        bus = LocalBus(EVENT_LIMIT)
        yield Buses(bus, bus)
        return
    with nats_server(tmp_path) as server:
        async with AsyncExitStack() as stack:
            ends = [await stack.enter_async_context(bus_end(server, EVENT_LIMIT)) for _ in range(2)]
            yield Buses(*ends)


def crossings(first: int, last: int) -> list[Crossing]:
    return [crossing(i, NOON_S + i) for i in range(first, last)]


async def test_events_arrive_as_they_were_published(buses):
    sent = [
        Ownership(GATE, 7, NOON_S),
        replace(crossing(1, NOON_S + 0.123456789), mask="no_mask"),
        trajectory(1, NOON_S),
        StatusChange(GATE, NOON_S, CameraStatus.DEGRADED, "the camera does not answer: gone – 1 s"),
        AccessNote("access-1", NOON_S, AccessAction.FAILED, "anna", "relay", "192.0.2.1", 3),
        AnalysedSecond(GATE, int(NOON_S), 7),
    ]
    buses.here.events.publish(sent)
    got = await read_events(buses.there, len(sent))
    assert got[:2] == sent[:2]
    assert got[3:] == sent[3:]
    assert replace(got[2], points=()) == replace(sent[2], points=())
    for point, expected in zip(got[2].points, sent[2].points, strict=True):
        assert point.time_s == pytest.approx(expected.time_s, abs=0.001)
        assert point.box == pytest.approx(expected.box, abs=0.0001)


async def test_events_come_again_until_acknowledged(buses):
    sent = crossings(0, 5)
    buses.here.events.publish(sent)
    assert await buses.here.events.flush(5)
    first = await buses.there.events.next_batch(limit=3)
    again = await buses.there.events.next_batch(limit=3)
    assert list(first.events) == list(again.events) == sent[:3]
    buses.there.events.acknowledge(first)
    buses.there.events.acknowledge(first)
    assert await read_events(buses.there, 2) == sent[3:]


async def test_a_cancelled_reader_loses_nothing(buses):
    waiting = asyncio.create_task(buses.there.events.next_batch())
    await asyncio.sleep(0.1)
    waiting.cancel()
    buses.here.events.publish(crossings(0, 1))
    assert await buses.here.events.flush(5)
    assert await read_events(buses.there, 1) == crossings(0, 1)


async def test_a_waiting_reader_is_woken_from_another_thread(buses):
    waiting = asyncio.create_task(buses.there.events.next_batch())
    await asyncio.sleep(0.05)
    thread = threading.Thread(target=buses.here.events.publish, args=(crossings(1, 2),))
    thread.start()
    batch = await asyncio.wait_for(waiting, 5)
    thread.join()
    assert list(batch.events) == crossings(1, 2)


async def test_what_does_not_fit_becomes_a_gap(buses):
    last = EVENT_LIMIT + 1
    buses.here.events.publish(crossings(0, last))  # at once: before anything of it can be sent
    assert await read_events(buses.there, EVENT_LIMIT) == crossings(0, EVENT_LIMIT)
    assert await buses.here.events.flush(5)
    second = int(NOON_S) + last - 1
    buses.here.events.publish([AnalysedSecond(GATE, second), AnalysedSecond(GATE, second + 1)])
    assert await read_events(buses.there, 1) == [AnalysedSecond(GATE, second + 1)]
    assert buses.here.events.dropped == 1


async def test_announcements_find_room_in_a_full_buffer(buses):
    buses.here.events.publish([*crossings(0, EVENT_LIMIT), Ownership(GATE, 2, NOON_S)])
    got = await read_events(buses.there, EVENT_LIMIT)
    assert Ownership(GATE, 2, NOON_S) in got
    assert [event for event in got if isinstance(event, Crossing)] == crossings(0, EVENT_LIMIT - 1)
    assert buses.here.events.dropped == 1


async def test_tracks_reach_all_readers_of_their_camera(buses):
    frame = TrackedFrame(GATE, 3, NOON_S, (TrackedObject(1, (0.1, 0.2, 0.3, 0.4), "car", 0.9),))
    async with buses.there.tracks.follow(GATE) as first, buses.there.tracks.follow(GATE) as second:
        buses.here.tracks.publish(TrackedFrame("other", 99, NOON_S))
        buses.here.tracks.publish(frame)
        assert await asyncio.wait_for(anext(first), 3) == frame
        assert await asyncio.wait_for(anext(second), 3) == frame


async def test_slow_track_readers_lose_the_oldest(buses):
    async with buses.there.tracks.follow(GATE) as slow, buses.there.tracks.follow(GATE) as slower:
        async with buses.there.tracks.follow(GATE) as fast:
            for i in range(TRACK_LIMIT + 5):
                buses.here.tracks.publish(TrackedFrame(GATE, i, NOON_S + i))
                assert (await asyncio.wait_for(anext(fast), 3)).frame == i
        await asyncio.sleep(0.05)
        for frames in (slow, slower):
            seen = [(await asyncio.wait_for(anext(frames), 3)).frame for _ in range(TRACK_LIMIT)]
            assert seen == list(range(5, TRACK_LIMIT + 5))


@pytest.mark.parametrize(("status", "fps"), [(CameraStatus.LIVE, 9.5), (CameraStatus.DEGRADED, 0.0)])
async def test_state_carries_the_rate_only_while_live(buses, status, fps):
    assert buses.here.states.state(GATE) is None
    state = CameraState(status, NOON_S, resolution=(1920, 1080), last_error=None)
    buses.here.states.publish_state(GATE, state)
    buses.here.states.publish_rate(GATE, 9.5)
    for bus in (buses.here, buses.there):
        await until(lambda bus=bus: bus.states.state(GATE) == replace(state, fps=fps), "the state is known")


async def test_a_camera_that_nobody_reports_is_degraded(buses):
    buses.here.states.publish_state(GATE, CameraState(CameraStatus.LIVE, NOON_S, resolution=(640, 480)))
    await until(lambda: buses.there.states.state(GATE) is not None, "the state is known")
    buses.here.states.withdraw_state(GATE)
    for bus in (buses.here, buses.there):
        await until(
            lambda bus=bus: bus.states.state(GATE).status is CameraStatus.DEGRADED, "it is degraded", 7
        )
        assert bus.states.state(GATE).resolution == (640, 480)
        assert "no ingest service" in bus.states.state(GATE).last_error


async def test_a_withdrawn_rate_is_none(buses):
    live = CameraState(CameraStatus.LIVE, NOON_S, resolution=(640, 480))
    buses.here.states.publish_state(GATE, live)
    buses.there.states.publish_rate(GATE, 9.5)
    for bus in (buses.here, buses.there):
        await until(lambda bus=bus: bus.states.state(GATE) == replace(live, fps=9.5), "the rate is known")
    buses.there.states.withdraw_rate(GATE)
    for bus in (buses.here, buses.there):
        await until(lambda bus=bus: bus.states.state(GATE) == live, "there is no rate", 0.9)


async def test_a_cost_is_known_everywhere_until_its_analysis_ends(buses):
    assert buses.there.states.cost(GATE) is None
    buses.here.states.publish_rate(GATE, 9.5)
    buses.here.states.publish_cost(GATE, analysis_cost())
    for bus in (buses.here, buses.there):
        await until(lambda bus=bus: bus.states.cost(GATE) == analysis_cost(), "the cost is known", 7)
    buses.here.states.withdraw_rate(GATE)
    assert buses.here.states.cost(GATE) is None


async def test_a_deleted_camera_is_forgotten_though_it_is_still_reported(buses):
    live = CameraState(CameraStatus.LIVE, NOON_S, resolution=(640, 480))
    gate, yard = CameraSetup(camera("gate")), CameraSetup(camera("yard"))
    ends = (buses.here, buses.there)
    buses.here.setups.publish((gate, yard))
    for bus in ends:
        await until(lambda bus=bus: bus.setups.newest() == (gate, yard), "the cameras are known")
    buses.here.states.publish_state(GATE, live)
    buses.there.states.publish_rate(GATE, 9.5)
    for bus in ends:
        await until(lambda bus=bus: bus.states.state(GATE) == replace(live, fps=9.5), "the state is known")
    buses.there.setups.publish((yard,))
    for bus in ends:
        await until(lambda bus=bus: bus.states.state(GATE) is None, "the camera is forgotten")
    buses.here.states.publish_state(GATE, live)
    buses.here.states.publish_state(yard.camera.id, live)
    for bus in ends:
        await until(lambda bus=bus: bus.states.state(yard.camera.id) == live, "the other camera goes on")
        assert bus.states.state(GATE) is None


async def test_what_is_lost_is_exported(buses):
    async with buses.here.tracks.follow(GATE) as slow:
        for number in range(TRACK_LIMIT + 2):
            buses.here.tracks.publish(TrackedFrame(GATE, number, NOON_S + number))
        await until(lambda: buses.here.tracks.dropped == 2, "the loss is counted while the reader is there")
        assert (await asyncio.wait_for(anext(slow), 3)).frame == 2
    buses.here.events.publish(crossings(0, EVENT_LIMIT + 3))  # at once: before anything of it can be sent
    figures = {figure.name: figure.value for figure in buses.here.figures()}
    assert figures["sightline_events_dropped_total"] == 3
    assert figures["sightline_events_waiting"] == EVENT_LIMIT
    assert figures["sightline_tracks_dropped_total"] == 2


async def test_setups_come_at_once_and_then_on_change(buses):
    one = CameraSetup(replace(camera(), url="rtsp://user:pa$$/w@host/cam"), (line(), line("other", 0.2)), 12)
    two = CameraSetup(camera("second"))
    buses.here.setups.publish((one,))
    async with buses.there.setups.follow() as changes:
        assert await asyncio.wait_for(anext(changes), 3) == (one,)
        for setups in ((one, two), (two,), ()):
            buses.here.setups.publish(setups)
            assert await asyncio.wait_for(anext(changes), 1) == setups
    async with buses.there.setups.follow() as changes:
        assert await asyncio.wait_for(anext(changes), 1) == ()


async def test_access_is_nobody_until_it_is_published(buses):
    access = Access({"anna": "$argon2id$v=19$abc"}, frozenset({"ab" * 32}))
    assert buses.there.access.newest() == Access()
    buses.here.access.publish(access)
    await until(lambda: buses.there.access.newest() == access, "access is known")
