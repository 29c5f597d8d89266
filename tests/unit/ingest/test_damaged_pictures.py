"""A camera whose pictures come damaged: what its state, its history and its readers are told."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.common.video.source import SourceUnit
from services.core.types import Camera, CameraSetup, CameraState, OwnedCamera, StatusChange
from services.ingest.service import IngestService

BEGIN_S = 1_000_000_000.0
FPS = 10
CAMERA = Camera("c", "C", "rtsp://127.0.0.1:1/x")


class Lossy:
    """A camera in whose stream spans of time are damaged; time goes by as its pictures come."""

    resolution = (640, 360)

    def __init__(self, length_s: float, *damaged_s: tuple[float, float]) -> None:
        self.now_s, self._length_s, self._damaged_s = BEGIN_S, length_s, damaged_s
        self.is_over = threading.Event()

    def connect(self) -> "Lossy":
        return self

    def units(self) -> Iterator[SourceUnit]:
        for number in range(round(self._length_s * FPS)):
            at_s = number / FPS
            self.now_s = BEGIN_S + at_s
            is_damaged = any(first_s <= at_s < last_s for first_s, last_s in self._damaged_s)
            yield SourceUnit(b"x", number % FPS == 0, at_s, is_damaged)
        self.is_over.set()
        threading.Event().wait(0.2)

    def close(self) -> None:
        """Nothing to let go of."""


async def followed(source: Lossy) -> tuple[list[StatusChange], CameraState, IngestService, list[bool]]:
    """The history, the last state, the service, and which pictures its readers are told to be damaged."""
    bus, hub = LocalBus(), VideoHub()
    service = IngestService(bus.events, bus.states, hub, lambda _: source)
    service._watch.clocks = type(service._watch.clocks)(lambda: source.now_s, lambda: source.now_s - BEGIN_S)
    with hub.reader("c") as reader:
        await service.take(OwnedCamera(CameraSetup(CAMERA), 1))
        assert await asyncio.to_thread(source.is_over.wait, 10)
        state = bus.states.state("c")
        figures = list(service.figures())
        assert {figure.name for figure in figures} == {
            "sightline_pictures_received_total",
            "sightline_pictures_damaged_total",
        }
        units = []
        while (unit := reader.read(0)) is not None:
            units.append(unit.is_damaged)
    batch = await asyncio.wait_for(bus.events.next_batch(), 1)
    assert state is not None
    changes = [event for event in batch.events if isinstance(event, StatusChange)]
    return changes, state, service, units


def said(changes: list[StatusChange]) -> list[tuple[str, str, float]]:
    return [(one.status.value, one.code, round(one.time_s - BEGIN_S, 1)) for one in changes]


@pytest.mark.parametrize("lost_s", [0.4, 0.8])
async def test_a_little_damage_is_said_of_a_camera_that_stays_live(lost_s: float) -> None:
    changes, state, service, units = await followed(Lossy(14.0, (3.0, 3.0 + lost_s)))
    assert said(changes) == [
        ("connecting", "", 0.0),
        ("live", "", 0.0),
        ("live", "camera-damaged-some", 3.0),
    ]
    assert state.damaged == lost_s / 10
    assert (state.status, state.since_s, state.last_error) == ("live", BEGIN_S, None)
    assert units.count(True) == lost_s * FPS
    await service.drop("c")


async def test_it_is_said_no_more_after_a_minute() -> None:
    changes, state, service, _ = await followed(Lossy(85.0, (3.0, 3.4)))
    assert said(changes)[2:] == [("live", "camera-damaged-some", 3.0), ("live", "", 70.0)]
    assert state.damaged == 0.0
    await service.drop("c")


async def test_much_damage_is_why_a_camera_is_not_counted() -> None:
    changes, state, service, _ = await followed(Lossy(45.0, (5.0, 25.0)))
    assert said(changes)[2:] == [
        ("live", "camera-damaged-some", 5.0),
        ("degraded", "camera-damaged", 10.0),
        ("live", "camera-damaged-some", 40.0),
    ]
    assert changes[3].params == {"percent": 50}
    assert "50 % of the camera's pictures came damaged" in changes[3].cause
    assert "connect it by wire" in changes[3].cause
    assert state.damaged == 0.5
    await service.drop("c")
