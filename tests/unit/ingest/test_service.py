"""Cameras that this process owns: connected at once, silent at once when they are dropped."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.common.bus.camera_states import CameraStates
from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.common.video.source import SourceUnit
from services.core.errors import StreamError
from services.core.types import (
    Camera,
    CameraSetup,
    CameraState,
    CameraStatus,
    OwnedCamera,
    StatusChange,
)
from services.ingest.reconnect import ConnectionState
from services.ingest.service import CameraIngest, IngestService
from tests.processes import wait_until

URL = "rtsp://127.0.0.1:1/x"


class Flaky:
    """A source whose first connection fails as no source should."""

    resolution = (640, 360)

    def __init__(self) -> None:
        self.attempts = 0

    def connect(self) -> "Flaky":
        self.attempts += 1
        if self.attempts == 1:
            raise RuntimeError("nobody foresaw this")
        return self

    def units(self) -> Iterator[SourceUnit]:
        yield from (SourceUnit(b"x", True, i / 10) for i in range(1000))

    def close(self) -> None:
        """Nothing to let go of."""


class Short:
    """A source whose video ends at once, after some pictures."""

    resolution = (640, 360)

    def __init__(self, pictures: int, pause_s: float = 0.0) -> None:
        self.pictures, self.pause_s, self.connects = pictures, pause_s, 0

    def connect(self) -> "Short":
        self.connects += 1
        return self

    def units(self) -> Iterator[SourceUnit]:
        for i in range(self.pictures):
            time.sleep(self.pause_s)
            yield SourceUnit(b"x", True, i / 25)

    def close(self) -> None:
        """Nothing to let go of."""


class Stuck:
    """A source that gives pictures, and then a read that hangs until it is let go."""

    resolution = (640, 360)

    def __init__(self) -> None:
        self.connects, self.closes = 0, 0
        self.is_refusing = self.is_reading = False
        self.hangs, self.let_go = threading.Event(), threading.Event()

    def connect(self) -> "Stuck":
        self.connects += 1
        if self.is_refusing:
            raise StreamError("one session only")
        return self

    def units(self) -> Iterator[SourceUnit]:
        self.is_reading = True
        yield from (SourceUnit(b"x", i == 0, i / 25) for i in range(3))
        self.hangs.set()
        self.let_go.wait(20)
        yield SourceUnit(b"late", True, 9.0)

    def close(self) -> None:
        self.closes += 1


class Dark:
    """A camera whose shutter stays open the longer the less light there is: pictures at given rates."""

    resolution = (640, 360)

    def __init__(self, *rates: float) -> None:
        self.now_s, self._rates = 1_000_000_000.0, rates
        self.is_over = threading.Event()

    def connect(self) -> "Dark":
        return self

    def units(self) -> Iterator[SourceUnit]:
        begun_s = self.now_s
        for rate in self._rates:
            for _ in range(round(12 * rate)):
                yield SourceUnit(b"x", True, self.now_s - begun_s)
                self.now_s += 1 / rate
        self.is_over.set()
        threading.Event().wait(0.2)

    def close(self) -> None:
        """Nothing to let go of."""


def owned(url: str = URL, enabled: bool = True) -> OwnedCamera:
    return OwnedCamera(CameraSetup(Camera("c", "C", url, enabled=enabled)), 1)


async def statuses(bus: LocalBus) -> list[str]:
    batch = await asyncio.wait_for(bus.events.next_batch(), 1)
    return [event.status.value for event in batch.events if isinstance(event, StatusChange)]


def test_an_unforeseen_fault_is_degraded_and_tried_again():
    bus, source = LocalBus(), Flaky()
    ingest = CameraIngest(Camera("c", "C", URL), bus.events, bus.states, VideoHub(), lambda url: source)
    ingest.start()
    try:
        wait_until(
            lambda: bus.states.state("c") and bus.states.state("c").status is CameraStatus.DEGRADED,
            3,
            "degraded",
        )
        assert "fault in Sightline" in bus.states.state("c").last_error
        wait_until(lambda: source.attempts >= 2, 5, "tried again")
    finally:
        ingest.stop()


@pytest.mark.parametrize("pictures", [0, 1, 20])
@pytest.mark.parametrize("url", ["/clips/short.mp4", URL])
def test_a_source_that_ends_at_once_is_degraded_and_waits_longer_each_time(url: str, pictures: int):
    bus, source, waits = LocalBus(), Short(pictures), []
    ingest = CameraIngest(Camera("c", "C", url), bus.events, bus.states, VideoHub(), lambda url: source)

    def wait(machine: ConnectionState, wait_s: float, is_refused: bool) -> None:
        waits.append(wait_s)
        if len(waits) == 6:
            ingest.stop()

    ingest._wait = wait
    ingest.start()
    wait_until(lambda: len(waits) == 6, 5, "six attempts")
    assert waits == [1, 2, 4, 8, 16, 30]
    assert source.connects == 6
    state = bus.states.state("c")
    assert state.status is CameraStatus.DEGRADED
    assert state.last_error == (
        "the stream ended before its first picture"
        if not pictures
        else "the stream ended"
        if "://" in url
        else "the video is shorter than 1 s: give a longer one"
    )


async def test_a_file_that_is_too_short_changes_its_status_once():
    bus, source, since = LocalBus(), Short(1), []
    ingest = CameraIngest(
        Camera("c", "C", "/clips/short.mp4"), bus.events, bus.states, VideoHub(), lambda url: source
    )

    def wait(machine: ConnectionState, wait_s: float, is_refused: bool) -> None:
        since.append(bus.states.state("c").since_s)
        if len(since) == 4:
            ingest.stop()

    ingest._wait = wait
    ingest.start()
    await asyncio.to_thread(wait_until, lambda: len(since) == 4, 5, "four attempts")
    assert await statuses(bus) == ["connecting", "live", "degraded"]
    assert len(set(since)) == 1


def test_a_file_that_lasts_begins_anew_at_once_and_stays_live(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.ingest.service.LEAST_PASS_S", 0.05)
    bus, source = LocalBus(), Short(3, pause_s=0.04)
    ingest = CameraIngest(
        Camera("c", "C", "/clips/long.mp4"), bus.events, bus.states, VideoHub(), lambda url: source
    )
    ingest.start()
    try:
        wait_until(lambda: source.connects >= 3, 5, "three passes")
        assert bus.states.state("c").status is CameraStatus.LIVE
    finally:
        ingest.stop()


def test_a_fault_outside_of_any_connection_is_logged_and_the_camera_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("services.ingest.service.RESTART_S", 0.01)
    bus, source, failures = LocalBus(), Short(1), iter([True])

    def publish_state(*given: object) -> None:
        if next(failures, False):
            raise RuntimeError("nobody foresaw this")
        bus.states.__class__.publish_state(bus.states, *given)

    monkeypatch.setattr(bus.states, "publish_state", publish_state)
    ingest = CameraIngest(Camera("c", "C", URL), bus.events, bus.states, VideoHub(), lambda url: source)
    ingest.start()
    try:
        wait_until(lambda: source.connects >= 1, 5, "connected in spite of it")
        assert "ingest of camera c failed" in caplog.text
    finally:
        ingest.stop()


@pytest.mark.parametrize("slow", [1.5, 3.0, 0.3])
async def test_a_camera_that_sends_too_few_pictures_is_degraded_and_says_what_to_do(slow: float):
    bus, source = LocalBus(), Dark(10, 4, slow, 4)
    ingest = CameraIngest(
        Camera("c", "C", URL), bus.events, bus.states, VideoHub(), lambda url: source, lambda: source.now_s
    )
    ingest.start()
    try:
        assert await asyncio.to_thread(source.is_over.wait, 10)
    finally:
        ingest.stop()
    batch = await asyncio.wait_for(bus.events.next_batch(), 1)
    changes = [event for event in batch.events if isinstance(event, StatusChange)]
    assert [change.status.value for change in changes] == ["connecting", "live", "degraded", "live"]
    assert "too few to count: at least 4 are needed; raise its frame rate" in changes[2].cause
    assert ("a picture every 3 s" if slow < 1 else f"{slow} pictures a second") in changes[2].cause
    assert 24 < changes[2].time_s - 1_000_000_000.0 < 24 + 10


async def test_a_camera_whose_read_hangs_is_dropped_in_time_and_never_heard_again():
    bus, hub, source = LocalBus(), VideoHub(), Stuck()
    service = IngestService(bus.events, bus.states, hub, lambda url: source)
    with hub.reader("c") as reader:
        await service.take(owned())
        assert await asyncio.to_thread(source.hangs.wait, 3)
        begun_s = time.monotonic()
        await service.drop("c")
        assert time.monotonic() - begun_s < 1.5
        assert [reader.read(0).frame for _ in range(3)] == [0, 1, 2]
        before = await statuses(bus)
        source.let_go.set()
        await asyncio.to_thread(wait_until, lambda: source.closes, 3, "the session is closed")
        assert reader.read(0.2) is None
        assert await statuses(bus) == before == ["connecting", "live"]
    with hub.reader("c") as late:
        assert late.read(0) is None


def test_a_camera_that_is_dropped_while_a_picture_is_on_its_way_is_not_heard():
    bus, hub, source = LocalBus(), VideoHub(), Stuck()

    def now_s() -> float:
        if source.is_reading:
            ingest.stop()
        return time.time()

    ingest = CameraIngest(Camera("c", "C", URL), bus.events, bus.states, hub, lambda url: source, now_s)
    with hub.reader("c") as reader:
        ingest.start()
        wait_until(lambda: source.closes, 3, "the session is closed")
        assert reader.read(0) is None
    assert bus.states.state("c").status is CameraStatus.CONNECTING


async def test_twenty_cameras_that_hang_are_dropped_together():
    sources = {f"rtsp://127.0.0.1:1/{i}": Stuck() for i in range(20)}
    bus = LocalBus()
    service = IngestService(bus.events, bus.states, VideoHub(), sources.__getitem__)
    for number, url in enumerate(sources):
        await service.take(OwnedCamera(CameraSetup(Camera(f"c{number}", "C", url)), 1))
    for source in sources.values():
        assert await asyncio.to_thread(source.hangs.wait, 3)
    begun_s = time.monotonic()
    await asyncio.gather(*(service.drop(f"c{number}") for number in range(20)))
    assert time.monotonic() - begun_s < 2
    for source in sources.values():
        source.let_go.set()


async def test_a_changed_address_connects_anew_while_the_old_one_hangs():
    old, new = Stuck(), Stuck()
    bus, hub = LocalBus(), VideoHub()
    service = IngestService(bus.events, bus.states, hub, lambda url: old if url == URL else new)
    with hub.reader("c") as reader:
        await service.take(owned())
        assert await asyncio.to_thread(old.hangs.wait, 3)
        await service.take(owned("rtsp://127.0.0.1:1/y"))
        assert await asyncio.to_thread(new.hangs.wait, 3)
        old.let_go.set()
        await asyncio.to_thread(wait_until, lambda: old.closes, 3, "the old session is closed")
        units = [reader.read(0) for _ in range(6)]
        assert reader.read(0.1) is None
    assert units[0].connection < units[5].connection
    assert await statuses(bus) == ["connecting", "live", "connecting", "live"]
    new.let_go.set()
    await service.drop("c")


async def test_a_camera_that_comes_from_another_process_stays_live():
    bus, source = LocalBus(), Stuck()
    bus.states.publish_state("c", CameraState(CameraStatus.LIVE, 5.0, 9.9, (640, 360)))
    service = IngestService(bus.events, bus.states, VideoHub(), lambda url: source)
    source.is_refusing = True
    await service.take(owned())
    await asyncio.to_thread(wait_until, lambda: source.connects == 1, 3, "tried")
    assert bus.states.state("c").status is CameraStatus.LIVE
    source.is_refusing = False
    assert await asyncio.to_thread(source.hangs.wait, 3)
    assert bus.states.state("c") == CameraState(CameraStatus.LIVE, 5.0, 0.0, (640, 360))
    assert set(await statuses(bus)) == {"live"}
    source.let_go.set()
    await service.drop("c")


async def test_a_disabled_camera_that_comes_from_another_process_is_told_by_this_one():
    boards = CameraStates("a"), CameraStates("b")
    bus = LocalBus()
    boards[0].publish_state("c", CameraState(CameraStatus.DISABLED, 5.0))
    boards[1].receive(boards[0].own_update())
    bus.states = boards[1]
    await IngestService(bus.events, bus.states, VideoHub()).take(owned(enabled=False))
    assert boards[1].own_update().states["c"].state == CameraState(CameraStatus.DISABLED, 5.0)


async def test_a_dropped_camera_is_told_no_more():
    bus, source = LocalBus(), Stuck()
    service = IngestService(bus.events, bus.states, VideoHub(), lambda url: source)
    await service.take(owned())
    assert await asyncio.to_thread(source.hangs.wait, 3)
    assert bus.states.state("c").status is CameraStatus.LIVE
    source.let_go.set()
    await service.drop("c")
    assert bus.states.state("c").status is CameraStatus.DEGRADED
    await service.drop("c")


async def test_a_disabled_camera_is_told_once_and_connected_when_it_is_enabled():
    bus, source = LocalBus(), Stuck()
    service = IngestService(bus.events, bus.states, VideoHub(), lambda url: source)
    await service.take(owned(enabled=False))
    await service.take(owned(enabled=False))
    assert await statuses(bus) == ["disabled"]
    assert source.connects == 0
    await service.take(owned())
    assert await asyncio.to_thread(source.hangs.wait, 3)
    assert await statuses(bus) == ["disabled", "connecting", "live"]
    source.let_go.set()
    await service.drop("c")


class Empty(Flaky):
    """A source that opens and ends without a picture."""

    def connect(self) -> "Empty":
        self.attempts += 1
        return self

    def units(self) -> Iterator[SourceUnit]:
        yield from ()


def test_a_file_without_a_picture_is_degraded_and_not_opened_all_the_time():
    bus, source = LocalBus(), Empty()
    ingest = CameraIngest(
        Camera("c", "C", "/videos/empty.mp4"), bus.events, bus.states, VideoHub(), lambda url: source
    )
    ingest.start()
    try:
        wait_until(
            lambda: bus.states.state("c") and bus.states.state("c").status is CameraStatus.DEGRADED,
            3,
            "degraded",
        )
        assert "before its first picture" in bus.states.state("c").last_error
        assert source.attempts <= 2
    finally:
        ingest.stop()


class Middle:
    """A camera whose session begins between two key frames, 3 s before the next one."""

    resolution = (640, 360)

    def __init__(self) -> None:
        self.now_s, self.is_over = 1_000_000_000.0, threading.Event()

    def connect(self) -> "Middle":
        return self

    def units(self) -> Iterator[SourceUnit]:
        for number in range(200):
            self.now_s += 1 / 25
            yield SourceUnit(b"x", number % 150 == 75, number / 25)
        self.is_over.set()
        time.sleep(0.5)

    def close(self) -> None:
        """Nothing to let go of."""


async def test_a_session_that_begins_without_a_key_frame_says_so_until_it_comes() -> None:
    bus, source = LocalBus(), Middle()
    ingest = CameraIngest(
        Camera("c", "C", URL), bus.events, bus.states, VideoHub(), lambda url: source, lambda: source.now_s
    )
    began_s = source.now_s
    ingest.start()
    try:
        assert await asyncio.to_thread(source.is_over.wait, 10)
    finally:
        ingest.stop()
    batch = await asyncio.wait_for(bus.events.next_batch(), 1)
    changes = [event for event in batch.events if isinstance(event, StatusChange)]
    assert [(change.status, change.code) for change in changes] == [
        ("connecting", ""),
        ("degraded", "key-frame-awaited"),
        ("live", ""),
    ]
    assert [round(change.time_s - began_s) for change in changes] == [0, 1, 3]


class Refusing(Flaky):
    """A camera that refuses the login."""

    def connect(self) -> "Refusing":
        self.attempts += 1
        raise StreamError("camera-login")


async def test_who_asks_during_an_attempt_has_another_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.ingest.service.PROBE_PERIOD_S", 0.01)
    began, answered, source, bus = threading.Event(), threading.Event(), Refusing(), LocalBus()

    def slow(url: str) -> Refusing:
        began.set()
        answered.wait(5)
        return source

    service = IngestService(bus.events, bus.states, VideoHub(), slow)
    setup = CameraSetup(Camera("c", "C", URL))
    await service.take(OwnedCamera(setup, 1))
    assert await asyncio.to_thread(began.wait, 5)
    await service.take(OwnedCamera(replace(setup, asked_s=5.0), 1))
    answered.set()
    await asyncio.to_thread(wait_until, lambda: source.attempts == 2, 3, "dialled again")
    await service.drop("c")


async def test_who_asks_again_and_again_does_not_keep_a_lock_out_alive(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.ingest.service.PROBE_PERIOD_S", 0.001)
    bus, source = LocalBus(), Refusing()
    service = IngestService(bus.events, bus.states, VideoHub(), lambda url: source)
    setup = CameraSetup(Camera("c", "C", URL))
    for asked_s in range(50):
        await service.take(OwnedCamera(replace(setup, asked_s=float(asked_s)), 1))
        await asyncio.sleep(0.01)
    assert source.attempts == 2, "at once for the first, and then once in a while"
    await service.drop("c")


async def test_a_refused_login_waits_until_somebody_asks_also_when_the_camera_answers_again(
    monkeypatch: pytest.MonkeyPatch,
):
    probes = []
    monkeypatch.setattr("services.ingest.service.PROBE_PERIOD_S", 0.01)
    monkeypatch.setattr("services.ingest.service.ASKED_PERIOD_S", 0.0)
    monkeypatch.setattr("services.ingest.service.Presence.of", lambda url: probes.append(url))
    bus, source = LocalBus(), Refusing()
    service = IngestService(bus.events, bus.states, VideoHub(), lambda url: source)
    setup = CameraSetup(Camera("c", "C", URL))
    await service.take(OwnedCamera(setup, 1))
    assert await asyncio.to_thread(wait_until, lambda: source.attempts == 1, 5, "dialled")
    await asyncio.sleep(0.1)
    for asked_s, attempts in ((0.0, 1), (5.0, 2), (5.0, 2), (4.0, 2), (6.0, 3)):
        await service.take(OwnedCamera(replace(setup, asked_s=asked_s), 1))
        await asyncio.to_thread(wait_until, lambda wanted=attempts: source.attempts >= wanted, 5, "asked")
        await asyncio.sleep(0.1)
        assert source.attempts == attempts
    assert probes == [], "a camera that comes back is not dialled sooner"
    await service.take(OwnedCamera(replace(setup, camera=Camera("c", "C", URL + "2")), 1))
    await asyncio.to_thread(wait_until, lambda: source.attempts == 4, 5, "dialled at its new address")
    await service.drop("c")
