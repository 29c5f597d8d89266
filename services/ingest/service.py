"""The ingest service: one thread a camera keeps its connection and hands its pictures on."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.common.bus.protocol import Bus
from services.common.clocks import HOST_CLOCKS, Clocks, StepWatch
from services.common.video.hub import VideoHub
from services.common.video.source import Source
from services.common.wire import time_text
from services.core.camera_address import AddressKind, kind_of
from services.core.errors import StreamError
from services.core.evidence.passes import STEP_S, Passes, step_words
from services.core.types import (
    AccessUnit,
    Camera,
    CameraId,
    CameraState,
    CameraStatus,
    Event,
    OwnedCamera,
    RepeatedSpan,
    StatusChange,
)
from services.ingest.clock import CaptureClock
from services.ingest.presence import Presence
from services.ingest.reconnect import ConnectionState
from services.ingest.sources import source_of

log = logging.getLogger(__name__)

PROBE_PERIOD_S = 1.0

STOP_TIMEOUT_S = 1.0
"""How long a camera's session may take to end. A thread whose read hangs is left behind: FFmpeg can be
interrupted by its own timeouts only, within seconds, and what it still reads is published no more."""

END_CHECK_S = 0.02

LEAST_PASS_S = 1.0
"""A file begins anew no sooner than this after it began, however short it is."""

UNTIL = "; what comes again is not counted twice, until "


@dataclass
class CameraIngest:
    """Keeps one camera connected until it is stopped."""

    camera: Camera
    bus: Bus
    video: VideoHub
    open_source: Callable[[str], Source] = source_of
    now_s: Callable[[], float] = time.time
    before: CameraState | None = None
    """What another process told of the camera last."""
    watch: StepWatch = field(default_factory=StepWatch)
    """Notices that the clock of this machine was set; all cameras of a process share one."""
    _publishing: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _connection: int = 0
    _newest_s: float = 0.0
    _steps: tuple[int, float] = (0, 0.0)

    def __post_init__(self) -> None:
        self._passes = Passes(self.camera.id)
        self._steps = self.watch.look()

    def learn(self, repeats: Sequence[RepeatedSpan]) -> None:
        """Take what the database knows of times that come twice."""
        self._passes.learn(repeats)

    def start(self) -> None:
        """Begin to connect."""
        self._thread = threading.Thread(target=self._run, name=f"ingest-{self.camera.id}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Publish nothing from now on. The thread ends as soon as its read returns."""
        with self._publishing:
            self._stopped.set()

    async def ended(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Wait until the camera's session has ended; False when it hangs."""
        end_s = time.monotonic() + timeout_s
        while self._thread is not None and self._thread.is_alive():
            if time.monotonic() >= end_s:
                return False
            await asyncio.sleep(END_CHECK_S)
        return True

    def _run(self) -> None:
        machine = ConnectionState.begin(self.now_s(), self.before, self._steady_s())
        self._tell(machine.state)
        while not self._stopped.is_set():
            began_s = time.monotonic()
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
                self._stopped.wait(began_s + LEAST_PASS_S - time.monotonic())
                continue
            self._look(machine)
            changed, wait_s = machine.on_failure(self.now_s(), cause, self._steady_s())
            if changed:
                self._tell(machine.state)
            self._wait(machine, wait_s)

    def _wait(self, machine: ConnectionState, wait_s: float) -> None:
        """Wait before the next attempt; shorter when a camera that was away answers again."""
        presence = Presence.of(self.camera.url)
        was_away = presence is not None and not presence.answers()
        end_s = time.monotonic() + wait_s
        while (left_s := end_s - time.monotonic()) > 0:
            if self._stopped.wait(min(PROBE_PERIOD_S, left_s)):
                return
            self._pass_time(machine)
            if was_away and presence is not None and presence.answers():
                return

    def _is_next_pass(self, cause: str) -> bool:
        """Tell whether a file has simply come to its end and begins anew."""
        return cause == "the stream ended" and kind_of(self.camera.url) is AddressKind.FILE

    def _one_connection(self, machine: ConnectionState) -> None:
        connection = self.open_source(self.camera.url).connect()
        clock = self._new_clock()
        frame = -1
        try:
            for frame, unit in enumerate(connection.units()):
                if self._stopped.is_set():
                    return
                if self._look(machine):
                    clock = self._new_clock()
                time_s = clock.time_s(unit.stream_s)
                self._newest_s = clock.newest_s
                held = self._follow(time_s)
                if machine.on_picture(time_s, connection.resolution, held, self._steady_s()):
                    self._tell(machine.state)
                number = self._connection
                self._publish(AccessUnit(self.camera.id, frame, time_s, unit.is_keyframe, unit.data, number))
        finally:
            connection.close()
        if frame < 0:
            raise StreamError("the stream ended before its first picture")

    def _new_clock(self) -> CaptureClock:
        """Begin the clock of a connection, or of the rest of one whose machine's clock was set.

        Pictures before and after it have different connections: nothing is tracked over a step.
        """
        self._connection = self._next_connection()
        return CaptureClock(self.now_s, self._newest_s)

    def _steady_s(self) -> float:
        return self.watch.clocks.steady_s()

    def _look(self, machine: ConnectionState) -> bool:
        """Tell whether the clock was set since the last look; the camera's status says so.

        The change is dated by where the clock was: what it jumped over is a gap with this cause.
        """
        steps = self.watch.look()
        if steps[0] == self._steps[0]:
            return False
        step_s, self._steps = steps[1] - self._steps[1], steps
        if abs(step_s) >= STEP_S and machine.on_step(self.now_s() - max(0.0, step_s), step_words(step_s)):
            self._tell(machine.state)
        return True

    def _follow(self, time_s: float) -> str:
        """Follow the camera's time; gives why what is seen now is not counted, if it is not."""
        news = self._passes.see(time_s, self._steady_s())
        held = self._passes.held(time_s)
        if news:
            self._publish_events(news)
        if held is None:
            self._passes.use(time_s)
            return ""
        return f"{held.cause}{UNTIL}{time_text(held.to_s)}"

    def _pass_time(self, machine: ConnectionState) -> None:
        """Look at the clock while there are no pictures.

        When time is new again, what holds is told anew: what was told last of this time is of its first pass.
        """
        self._look(machine)
        now_s = self.now_s()
        was_held = self._passes.is_held
        self._publish_events(self._passes.see(now_s, self._steady_s()))
        if was_held and not self._passes.is_held:
            self._tell(machine.state, now_s)

    def _next_connection(self) -> int:
        """Number connections by the clock, so that those of another ingest process have other numbers."""
        return max(self._connection + 1, round(self.now_s() * 1000))

    def _publish(self, unit: AccessUnit) -> None:
        with self._publishing:
            if not self._stopped.is_set():
                self.video.publish(unit)

    def _publish_events(self, events: Sequence[Event]) -> None:
        with self._publishing:
            if events and not self._stopped.is_set():
                self.bus.publish_events(events)

    def _tell(self, state: CameraState, time_s: float | None = None) -> None:
        """Tell a state, as of `time_s` where it has begun before. Its history keeps the cause alone."""
        dated_s = state.since_s if time_s is None else time_s
        cause = state.last_error or ""
        if state.has_pictures:
            cause = cause.partition(UNTIL)[0]
        change = StatusChange(self.camera.id, dated_s, state.status, cause)
        with self._publishing:
            if self._stopped.is_set():
                return
            self.bus.publish_state(self.camera.id, state)
            self.bus.publish_events([change])
        log.info("camera %s is %s%s", self.camera.id, state.status, _because(state.last_error))


def _because(cause: str | None) -> str:
    return f": {cause}" if cause else ""


class IngestService:
    """Keeps the cameras connected that it owns, those of them that are enabled. Implements `Owner`."""

    def __init__(
        self,
        bus: Bus,
        video: VideoHub,
        open_source: Callable[[str], Source] = source_of,
        clocks: Clocks = HOST_CLOCKS,
    ) -> None:
        self._bus, self._video, self._open_source = bus, video, open_source
        self._watch = StepWatch(clocks)
        self._owned: set[CameraId] = set()
        self._running: dict[CameraId, CameraIngest] = {}

    async def take(self, camera: OwnedCamera) -> None:
        """Connect, or go on; a changed address connects anew."""
        changed = camera.setup.camera
        running = self._running.get(changed.id)
        if running is not None and changed.enabled and running.camera.url == changed.url:
            running.learn(camera.setup.repeats)
            return
        before = None if changed.id in self._owned else self._bus.state(changed.id)
        self._owned.add(changed.id)
        await self._end(self._silence(changed.id))
        if changed.id not in self._owned:  # dropped meanwhile
            return
        if not changed.enabled:
            self._tell_disabled(changed.id)
            return
        ingest = CameraIngest(
            changed,
            self._bus,
            self._video,
            self._open_source,
            self._watch.clocks.now_s,
            before,
            self._watch,
        )
        ingest.learn(camera.setup.repeats)
        self._running[changed.id] = ingest
        ingest.start()

    async def drop(self, camera: CameraId) -> None:
        """End the connection; nothing of the camera is published any more."""
        self._owned.discard(camera)
        ingest = self._silence(camera)
        self._bus.forget_state(camera)
        await self._end(ingest)

    def _silence(self, camera: CameraId) -> CameraIngest | None:
        """Publish nothing of a camera from now on; gives what has yet to end."""
        ingest = self._running.pop(camera, None)
        if ingest is not None:
            ingest.stop()
            self._video.forget(camera)
        return ingest

    async def _end(self, ingest: CameraIngest | None) -> None:
        if ingest is not None and not await ingest.ended():
            log.info("the session of camera %s hangs and is left to end by itself", ingest.camera.id)

    def _tell_disabled(self, camera: CameraId) -> None:
        """Tell it anew also when another process told it before, which tells it no more."""
        state = self._bus.state(camera)
        if state is None or state.status is not CameraStatus.DISABLED:
            state = CameraState(CameraStatus.DISABLED, since_s=self._watch.clocks.now_s())
            change = StatusChange(camera, state.since_s, CameraStatus.DISABLED, "switched off")
            self._bus.publish_events([change])
        self._bus.publish_state(camera, state)
