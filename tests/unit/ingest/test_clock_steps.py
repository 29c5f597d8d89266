"""A camera whose machine's clock is set: by the test, an hour takes no time."""

import asyncio
import logging
import queue
from collections.abc import Iterator
from itertools import pairwise

import pytest

from services.common.bus.local import LocalBus
from services.common.clocks import Clocks
from services.common.video.hub import VideoHub
from services.common.video.source import SourceUnit
from services.core.errors import StreamError
from services.core.types import (
    AccessUnit,
    Camera,
    CameraSetup,
    CameraState,
    CameraStatus,
    Event,
    OwnedCamera,
    RepeatedSpan,
    StatusChange,
)
from services.ingest.service import PROBE_PERIOD_S, IngestService
from tests.makers import GATE
from tests.processes import wait_until

NOON_S = 1_790_000_000.0
HOUR_S = 3600.0
END = object()
PERIOD_S = 0.5


class Stage:
    """Ingest with one camera whose pictures come when the test says so, by clocks that the test sets."""

    resolution = (640, 360)

    def __init__(self) -> None:
        self.now_s, self.steady_s, self.stream_s = NOON_S, 50.0, 7.0
        self.bus, self.hub = LocalBus(), VideoHub()
        self.service = IngestService(
            self.bus.events,
            self.bus.states,
            self.hub,
            lambda url: self,
            Clocks(lambda: self.now_s, lambda: self.steady_s),
        )
        self.given: queue.Queue[object] = queue.Queue()
        self.is_refusing = False
        self.events: list[Event] = []

    def connect(self) -> "Stage":
        if self.is_refusing:
            raise StreamError("connection refused")
        return self

    def units(self) -> Iterator[SourceUnit]:
        while (unit := self.given.get(timeout=20)) is not END:
            assert isinstance(unit, SourceUnit)
            yield unit

    def close(self) -> None:
        """Nothing is held open."""

    def wait(self, time_s: float) -> None:
        self.now_s, self.steady_s = self.now_s + time_s, self.steady_s + time_s
        self.stream_s += time_s

    async def show(self, number: int) -> list[AccessUnit]:
        """Give pictures, and what ingest made of them."""
        units = []
        with self.hub.reader(GATE) as reader:
            while reader.read(0):
                """Not of these."""
            for _ in range(number):
                self.wait(PERIOD_S)
                self.given.put(SourceUnit(b"x", True, self.stream_s))
                unit = await asyncio.to_thread(reader.read, 5.0)
                assert unit is not None
                units.append(unit)
        return units

    async def read(self) -> list[Event]:
        try:
            while True:
                batch = await asyncio.wait_for(self.bus.events.next_batch(), 0.1)
                self.events += batch.events
                self.bus.events.acknowledge(batch)
        except TimeoutError:
            return self.events

    async def statuses(self) -> list[tuple[float, str, str]]:
        """When, from noon, what and why."""
        return [
            (round(event.time_s - NOON_S, 1), event.status.value, event.cause)
            for event in await self.read()
            if isinstance(event, StatusChange)
        ]

    @property
    def state(self) -> CameraState:
        state = self.bus.states.state(GATE)
        assert state is not None
        return state


@pytest.fixture
async def stage():
    stage = Stage()
    await stage.service.take(owned())
    yield stage
    stage.given.put(END)
    await stage.service.drop(GATE)


def owned(*repeats: RepeatedSpan) -> OwnedCamera:
    return OwnedCamera(CameraSetup(Camera(GATE, "Gate", "rtsp://127.0.0.1:1/x"), repeats=repeats), 1)


@pytest.mark.parametrize(
    ("step_s", "words"),
    [
        (-HOUR_S, "back by 1 h"),
        (-60.0, "back by 1 min"),
        (60.0, "forward by 1 min"),
        (HOUR_S, "forward by 1 h"),
    ],
)
async def test_a_step_ends_the_clock_of_the_connection_and_is_told_once(
    stage: Stage, caplog: pytest.LogCaptureFixture, step_s: float, words: str
) -> None:
    before = await stage.show(4)
    stage.now_s += step_s
    after = await stage.show(4)
    assert len({unit.connection for unit in before}) == len({unit.connection for unit in after}) == 1
    assert after[0].connection > before[-1].connection, "nothing is tracked over the step"
    assert after[0].time_s == pytest.approx(before[-1].time_s + PERIOD_S + step_s)
    assert [round(b.time_s - a.time_s, 3) for a, b in pairwise(after)] == [0.5] * 3
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in told] == [
        f"the clock of this machine was set {words} ({step_s:+.3f} s)"
    ]
    statuses = [status for status in await stage.statuses() if "clock" in status[2]]
    assert len(statuses) == 1
    step_at_s = 2.5 if step_s > 0 else 2.5 + step_s
    time_s, status, cause = statuses[0]
    assert (time_s, status) == (pytest.approx(step_at_s, abs=0.1), "degraded")
    assert cause.startswith(f"the clock of this machine was set {words}")
    assert stage.state.status is CameraStatus.LIVE, "that time is new"


async def test_while_a_time_comes_again_the_camera_says_so_and_until_when(stage: Stage) -> None:
    await stage.show(4)
    stage.wait(HOUR_S)
    await stage.show(4)
    stage.now_s -= HOUR_S
    await stage.show(2)
    state = stage.state
    assert (state.status, state.has_pictures, state.resolution) == (CameraStatus.DEGRADED, True, (640, 360))
    assert state.last_error is not None
    assert state.last_error.startswith("the clock of this machine was set back by 1 h;")
    assert "until 2026-" in state.last_error
    (told,) = [event for event in await stage.read() if isinstance(event, RepeatedSpan)]
    assert (round(told.from_s - NOON_S, 1), round(told.to_s - NOON_S, 1)) == (4.5, HOUR_S + 4.0)
    assert told.epoch == 0
    stage.wait(HOUR_S - 2)
    assert stage.state.status is CameraStatus.DEGRADED
    await stage.show(4)
    assert stage.state.status is CameraStatus.LIVE
    last = (await stage.statuses())[-1]
    assert last == (pytest.approx(HOUR_S + 4.5, abs=0.6), "live", ""), "and that is told as of the new time"


async def test_a_step_while_the_camera_is_away_is_noticed_too(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await stage.show(4)
    stage.wait(HOUR_S)
    await stage.show(4)
    stage.is_refusing = True
    stage.given.put(END)
    await asyncio.to_thread(wait_until, lambda: stage.state.last_error == "connection refused", 5, "refused")
    stage.now_s -= HOUR_S
    await asyncio.to_thread(wait_until, lambda: "set back by 1 h" in caplog.text, 5, "noticed")
    await asyncio.sleep(0.1)
    (told,) = [event for event in await stage.read() if isinstance(event, RepeatedSpan)]
    assert (round(told.from_s - NOON_S, 1), round(told.to_s - NOON_S, 1)) == (4.0, HOUR_S + 4.0)
    stage.wait(HOUR_S + 10)
    async with asyncio.timeout(10):
        while (last := (await stage.statuses())[-1])[0] < HOUR_S + 13:
            await asyncio.sleep(0.05)
    assert last == (pytest.approx(HOUR_S + 14, abs=1), "degraded", "connection refused")


async def test_a_clock_that_is_slewed_or_set_by_little_ends_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    units = []
    for _ in range(40):
        units += await stage.show(1)
        stage.now_s -= 0.04
    stage.now_s += 0.9
    units += await stage.show(2)
    assert len({unit.connection for unit in units}) == 1
    assert [unit.time_s for unit in units] == sorted(unit.time_s for unit in units)
    assert "was set" not in caplog.text


async def test_what_the_database_knows_to_come_again_is_said_by_the_camera(stage: Stage) -> None:
    await stage.show(2)
    known = RepeatedSpan(
        GATE, NOON_S, NOON_S + 100, 1, NOON_S, "the clock of this machine was set back by 9 h"
    )
    await stage.service.take(owned(known))
    await stage.show(2)
    assert stage.state.last_error is not None
    assert stage.state.last_error.startswith(known.cause)
    assert not [event for event in await stage.read() if isinstance(event, RepeatedSpan)]


async def test_pictures_that_are_ahead_of_the_clock_are_no_step_when_their_camera_leaves(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """A camera that keeps two seconds and sends them at once is known to be ahead only after a while."""
    await stage.show(1)
    with stage.hub.reader(GATE) as reader:
        for _ in range(40):
            stage.stream_s += 0.05
            stage.given.put(SourceUnit(b"x", True, stage.stream_s))
        units = []
        while len(units) < 41:
            unit = await asyncio.to_thread(reader.read, 5.0)
            assert unit is not None
            units.append(unit)
    assert units[-1].time_s == pytest.approx(stage.now_s + 2.0, abs=0.01)
    stage.is_refusing = True
    stage.given.put(END)
    await asyncio.to_thread(wait_until, lambda: stage.state.last_error == "connection refused", 5, "refused")
    await asyncio.sleep(PROBE_PERIOD_S + 0.3)
    stage.is_refusing = False
    (after,) = await stage.show(1)
    assert after.time_s > units[-1].time_s
    assert "was set" not in caplog.text
    assert not [event for event in await stage.read() if isinstance(event, RepeatedSpan)]
    assert not [cause for _, _, cause in await stage.statuses() if "clock" in cause]
