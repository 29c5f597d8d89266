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
    CameraState,
    CameraStatus,
    OwnedCamera,
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
    open_source: Callable[[str], Source] = source_of
    now_s: Callable[[], float] = time.time
    _stopped: threading.Event = field(default_factory=threading.Event)
    _current: Connection | None = None
    _thread: threading.Thread | None = None
    _connection: int = 0

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
        number = self._connection = self._next_connection()
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

    def _next_connection(self) -> int:
        """Number connections by the clock, so that those of another ingest process have other numbers."""
        return max(self._connection + 1, round(self.now_s() * 1000))

    def _tell(self, state: CameraState) -> None:
        log.info("camera %s is %s%s", self.camera.id, state.status, _because(state.last_error))
        self.bus.publish_state(self.camera.id, state)
        change = StatusChange(self.camera.id, state.since_s, state.status, state.last_error or "")
        self.bus.publish_events([change])


def _because(cause: str | None) -> str:
    return f": {cause}" if cause else ""


class IngestService:
    """Keeps the cameras connected that it owns, those of them that are enabled. Implements `Owner`."""

    def __init__(self, bus: Bus, video: VideoHub) -> None:
        self._bus, self._video = bus, video
        self._running: dict[CameraId, CameraIngest] = {}

    async def take(self, camera: OwnedCamera) -> None:
        """Connect, or go on; a changed address connects anew."""
        await asyncio.to_thread(self._take, camera.setup.camera)

    async def drop(self, camera: CameraId) -> None:
        """End the connection."""
        await asyncio.to_thread(self._stop, camera)

    def _take(self, camera: Camera) -> None:
        running = self._running.get(camera.id)
        if running is not None and camera.enabled and running.camera.url == camera.url:
            return
        self._stop(camera.id)
        if camera.enabled:
            ingest = CameraIngest(camera, self._bus, self._video)
            self._running[camera.id] = ingest
            ingest.start()
        else:
            self._tell_disabled(camera.id)

    def _stop(self, camera: CameraId) -> None:
        ingest = self._running.pop(camera, None)
        if ingest is not None:
            ingest.stop()
            self._video.forget(camera)

    def _tell_disabled(self, camera: CameraId) -> None:
        state = self._bus.state(camera)
        if state is None or state.status is not CameraStatus.DISABLED:
            now_s = time.time()
            self._bus.publish_state(camera, CameraState(CameraStatus.DISABLED, since_s=now_s))
            self._bus.publish_events([StatusChange(camera, now_s, CameraStatus.DISABLED, "switched off")])
