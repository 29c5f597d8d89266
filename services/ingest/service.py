"""The ingest service: one thread a camera keeps its connection and hands its pictures on."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.common.bus import Bus
from services.common.video import VideoHub
from services.core.errors import StreamError
from services.core.types import (
    AccessUnit,
    Camera,
    CameraId,
    CameraSetup,
    CameraState,
    CameraStatus,
    StatusChange,
)
from services.ingest.clock import CaptureClock
from services.ingest.presence import Presence
from services.ingest.reconnect import ConnectionState
from services.ingest.source import Connection, Source
from services.ingest.sources import source_of

log = logging.getLogger(__name__)

PROBE_PERIOD_S = 1.0

STOP_TIMEOUT_S = 7.0
"""Longer than a read that hangs, so that a stopped camera's thread has really ended."""


@dataclass
class CameraIngest:
    """Keeps one camera connected until it is stopped."""

    camera: Camera
    bus: Bus
    video: VideoHub
    first_connection: int
    open_source: Callable[[str], Source] = source_of
    now_s: Callable[[], float] = time.time
    _stopped: threading.Event = field(default_factory=threading.Event)
    _current: Connection | None = None
    _thread: threading.Thread | None = None
    connection: int = field(init=False)
    """The number that the next connection gets."""

    def __post_init__(self) -> None:
        self.connection = self.first_connection

    def start(self) -> None:
        """Begin to connect."""
        self._thread = threading.Thread(target=self._run, name=f"ingest-{self.camera.id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the connection and wait until the thread has ended."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        machine = ConnectionState.begin(self.now_s())
        self._tell(machine.state)
        while not self._stopped.is_set():
            try:
                self._one_connection(machine)
                cause = "the stream ended"
            except StreamError as error:
                cause = str(error)
            except Exception:
                log.exception("ingest of camera %s failed", self.camera.id)
                cause = "a fault in Sightline, which its log describes"
            if self._stopped.is_set():
                return
            if self._is_next_pass(cause):
                continue
            changed, wait_s = machine.on_failure(self.now_s(), cause)
            if changed:
                self._tell(machine.state)
            self._wait(wait_s)

    def _wait(self, wait_s: float) -> None:
        """Wait before the next attempt; shorter when a camera that was away answers again."""
        presence = Presence.of(self.camera.url)
        was_away = presence is not None and not presence.answers()
        end_s = time.monotonic() + wait_s
        while (left_s := end_s - time.monotonic()) > 0:
            if self._stopped.wait(min(PROBE_PERIOD_S, left_s)):
                return
            if was_away and presence is not None and presence.answers():
                return

    def _is_next_pass(self, cause: str) -> bool:
        """Tell whether a file has simply come to its end and begins anew."""
        return cause == "the stream ended" and "://" not in self.camera.url

    def _one_connection(self, machine: ConnectionState) -> None:
        connection = self.open_source(self.camera.url).connect()
        number, self.connection = self.connection, self.connection + 1
        clock = CaptureClock(self.now_s)
        try:
            for frame, unit in enumerate(connection.units()):
                if self._stopped.is_set():
                    return
                time_s = clock.time_s(unit.stream_s)
                if machine.on_picture(time_s, connection.resolution):
                    self._tell(machine.state)
                self.video.publish(
                    AccessUnit(self.camera.id, frame, time_s, unit.is_keyframe, unit.data, number)
                )
        finally:
            connection.close()

    def _tell(self, state: CameraState) -> None:
        log.info("camera %s is %s%s", self.camera.id, state.status, _because(state.last_error))
        self.bus.publish_state(self.camera.id, state)
        change = StatusChange(self.camera.id, state.since_s, state.status, state.last_error or "")
        self.bus.publish_events([change])


def _because(cause: str | None) -> str:
    return f": {cause}" if cause else ""


class IngestService:
    """Keeps the enabled cameras connected, as the setups say."""

    def __init__(self, bus: Bus, video: VideoHub) -> None:
        self._bus, self._video = bus, video
        self._running: dict[CameraId, CameraIngest] = {}
        self._connections: dict[CameraId, int] = {}

    async def run(self) -> None:
        """Follow the setups until cancelled; then end all connections."""
        try:
            async with self._bus.setups() as changes:
                async for setups in changes:
                    await asyncio.to_thread(self._apply, setups)
        finally:
            await asyncio.shield(asyncio.to_thread(self._apply, ()))

    def _apply(self, setups: tuple[CameraSetup, ...]) -> None:
        wanted = {setup.camera.id: setup.camera for setup in setups if setup.camera.enabled}
        ended = [ingest for key, ingest in self._running.items() if not _is_same(ingest, wanted.get(key))]
        for ingest in ended:
            self._stop(ingest)
        for setup in setups:
            if not setup.camera.enabled:
                self._tell_disabled(setup.camera.id)
        for key, camera in wanted.items():
            if key not in self._running:
                self._start(camera)

    def _start(self, camera: Camera) -> None:
        ingest = CameraIngest(camera, self._bus, self._video, self._connections.get(camera.id, 0))
        self._running[camera.id] = ingest
        ingest.start()

    def _stop(self, ingest: CameraIngest) -> None:
        ingest.stop()
        key = ingest.camera.id
        del self._running[key]
        self._connections[key] = ingest.connection
        self._video.forget(key)

    def _tell_disabled(self, camera: CameraId) -> None:
        state = self._bus.state(camera)
        if state is None or state.status is not CameraStatus.DISABLED:
            now_s = time.time()
            self._bus.publish_state(camera, CameraState(CameraStatus.DISABLED, since_s=now_s))
            self._bus.publish_events([StatusChange(camera, now_s, CameraStatus.DISABLED, "switched off")])


def _is_same(ingest: CameraIngest, wanted: Camera | None) -> bool:
    return wanted is not None and wanted.url == ingest.camera.url
