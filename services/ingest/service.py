"""The ingest service: one thread a camera keeps its connection and hands its pictures on."""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from services.common.bus.protocol import EventQueue, StateBoard
from services.common.clocks import HOST_CLOCKS, Clocks, StepWatch
from services.common.metrics import Figure
from services.common.video.hub import VideoHub
from services.common.video.key_frames import KEY_FRAME_AWAITED, KeyFrameWatch
from services.common.video.source import Source
from services.common.wire import time_text
from services.core.camera_address import AddressKind, kind_of
from services.core.errors import StreamError
from services.core.evidence.damage import DamageMeter
from services.core.evidence.passes import STEP_S, Passes, step_sentence
from services.core.evidence.rate import DeliveredRate
from services.core.sentences.sentence import Sentence, sentence
from services.core.times import milliseconds
from services.core.types import (
    AccessUnit,
    Camera,
    CameraId,
    CameraState,
    CameraStatus,
    Event,
    OwnedCamera,
    RepeatedSpan,
    status_change,
)
from services.ingest.clock import CaptureClock, reached_s
from services.ingest.dialling import Dialler
from services.ingest.reconnect import ConnectionState, is_refusal
from services.ingest.sources import Presence, source_of

log = logging.getLogger(__name__)

PROBE_PERIOD_S = 1.0

STOP_TIMEOUT_S = 1.0
"""How long a camera's session may take to end. A thread whose read hangs is left behind: FFmpeg can be
interrupted by its own timeouts only, within seconds, and what it still reads is published no more."""

END_CHECK_S = 0.02

LEAST_PASS_S = 1.0
TOO_SHORT = sentence("video-too-short", seconds=LEAST_PASS_S)
"""A file whose video is shorter is no source to be played again and again: it waits as one that failed."""

ASKED_PERIOD_S = 10.0
"""Who asks has a camera that refuses the login dialled once in this time: it may lock out who tries."""

RESTART_S = 1.0
"""Wait after a fault outside of any connection."""

ENDED = sentence("stream-ended")
FAULT = sentence("fault")
SWITCHED_OFF = sentence("switched-off")


def _remembering() -> Callable[[str], Source]:
    """Give what opens sources, and remembers how they are dialled."""
    return partial(source_of, dialler=Dialler())


@dataclass
class CameraIngest:
    """Keeps one camera connected until it is stopped."""

    camera: Camera
    events: EventQueue
    states: StateBoard
    video: VideoHub
    open_source: Callable[[str], Source] = field(default_factory=_remembering)
    now_s: Callable[[], float] = time.time
    before: CameraState | None = None
    """The state that another process reported of the camera last."""
    watch: StepWatch = field(default_factory=StepWatch)
    """Notices that the clock of this machine was set; all cameras of a process share one."""
    asked_s: float = 0.0
    """When somebody asked last that the camera be dialled at once."""
    _asked: threading.Event = field(default_factory=threading.Event)
    _answered_s: float = -math.inf
    """When it was dialled last for that reason, by a clock that nobody sets."""
    _publishing: threading.Lock = field(default_factory=threading.Lock)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _connection: int = 0
    _newest_s: float = 0.0
    _steps: tuple[int, float] = (0, 0.0)
    _was_too_short: bool = False
    """Whether the last pass of a video file was none."""
    _repeated: RepeatedSpan | None = None
    """The span in which the newest picture's time came for the second time."""

    def __post_init__(self) -> None:
        self._passes, self._rate, self.damage = Passes(self.camera.id), DeliveredRate(), DamageMeter()
        self._steps = self.watch.look()

    def learn(self, repeats: Sequence[RepeatedSpan]) -> None:
        """Take what the database knows of times that come twice."""
        self._passes.learn(repeats)

    def ask(self, asked_s: float) -> None:
        """Dial at once instead of waiting, when somebody has asked for it since it was last asked."""
        if asked_s > self.asked_s:
            self.asked_s = asked_s
            self._asked.set()

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
        """Keep the connection until stopped; what nobody foresaw costs a pause, not the camera."""
        while not self._stopped.is_set():
            try:
                self._stay_connected()
            except Exception:
                log.exception("ingest of camera %s failed and starts again", self.camera.id)
                self._stopped.wait(RESTART_S)

    def _stay_connected(self) -> None:
        machine = ConnectionState.begin(self.now_s(), self.before, self._steady_s())
        self._publish_state(machine.state)
        while not self._stopped.is_set():
            self._asked.clear()
            cause = self._failure_of_one_connection(machine)
            if self._stopped.is_set():
                return
            if cause is None:
                continue
            self._look(machine)
            changed, wait_s = machine.on_failure(self.now_s(), cause, self._steady_s())
            if changed:
                self._publish_state(machine.state)
            self._wait(machine, wait_s, is_refusal(cause))

    def _failure_of_one_connection(self, machine: ConnectionState) -> Sentence | None:
        """Follow one connection to its end; gives why that is a failure, None for a file that begins anew."""
        try:
            played_s = self._follow_one_connection(machine)
        except StreamError as error:
            return error.sentence
        except Exception:
            log.exception("ingest of camera %s failed", self.camera.id)
            return FAULT
        if kind_of(self.camera.url) is not AddressKind.FILE:
            return ENDED
        self._was_too_short = played_s < LEAST_PASS_S
        return TOO_SHORT if self._was_too_short else None

    def _wait(self, machine: ConnectionState, wait_s: float, is_refused: bool) -> None:
        """Wait before the next attempt; shorter when somebody asks, and when a camera that was away is back.

        One that refused the login is not asked sooner for that: it may be locking out who tries.
        """
        presence = Presence.of(self.camera.url) if not is_refused else None
        was_away = presence is not None and not presence.answers()
        end_s = time.monotonic() + wait_s
        while (left_s := end_s - time.monotonic()) > 0:
            if self._stopped.wait(min(PROBE_PERIOD_S, left_s)) or self._may_answer(is_refused):
                return
            self._pass_time(machine)
            if was_away and presence is not None and presence.answers():
                return

    def _may_answer(self, is_refused: bool) -> bool:
        """Return whether somebody has asked, and it is not too soon after the last time."""
        now_s = time.monotonic()
        if not self._asked.is_set() or (is_refused and now_s - self._answered_s < ASKED_PERIOD_S):
            return False
        self._answered_s = now_s
        return True

    def _follow_one_connection(self, machine: ConnectionState) -> float:
        """Hand on the pictures of one connection; gives for how many seconds they came.

        StreamError when it fails, or ends before its first picture.
        """
        connection = self.open_source(self.camera.url).connect()
        clock, key_frames = self._new_clock(), KeyFrameWatch(reordered=0)
        began_s: float | None = None
        try:
            for frame, unit in enumerate(connection.units()):
                if self._stopped.is_set():
                    break
                began_s = time.monotonic() if began_s is None else began_s
                if self._look(machine):
                    clock = self._new_clock()
                time_s = clock.time_s(unit.stream_s)
                self._newest_s = clock.newest_s
                damage = self.damage.see(time_s, unit.is_damaged)
                cause = self._rate.see(time_s) or damage
                withheld = self._follow(time_s) or cause
                number = self._connection
                key_frames.see_keyframe(time_s, number, unit.is_keyframe)
                if key_frames.is_awaited:
                    withheld = withheld or KEY_FRAME_AWAITED
                is_shown = key_frames.since_s is None or withheld is not None
                if is_shown and not self._may_be_short(began_s):
                    self._on_picture(machine, time_s, connection.resolution, withheld)
                self._publish(
                    AccessUnit(
                        self.camera.id,
                        frame,
                        time_s,
                        unit.is_keyframe,
                        unit.data,
                        number,
                        is_damaged=unit.is_damaged,
                        codec=unit.codec,
                    )
                )
        finally:
            connection.close()
        if began_s is None:
            raise StreamError("stream-ended-early")
        return time.monotonic() - began_s

    def _on_picture(
        self, machine: ConnectionState, time_s: float, resolution: tuple[int, int], withheld: Sentence | None
    ) -> None:
        is_new, is_other_share = self.damage.take_changes()
        if machine.on_picture(time_s, resolution, withheld, self._steady_s()):
            self._publish_state(machine.state)
        elif is_new and machine.state.status is CameraStatus.LIVE:
            self._publish_state(machine.state, time_s)
        elif is_other_share:
            self._publish_share(machine.state)

    def _may_be_short(self, began_s: float) -> bool:
        """Return whether a video that was too short has not lasted long enough again to be a camera."""
        return self._was_too_short and time.monotonic() - began_s < LEAST_PASS_S

    def _new_clock(self) -> CaptureClock:
        """Begin the clock of a connection, or of the rest of one whose machine's clock was set.

        Pictures before and after it have different connections: nothing is tracked over a step.
        """
        self._connection = self._next_connection()
        self._rate.begin()
        return CaptureClock(self.now_s, self._newest_s, self._steady_s)

    def _steady_s(self) -> float:
        return self.watch.clocks.steady_s()

    def _look(self, machine: ConnectionState) -> bool:
        """Return whether the clock was set since the last look; the camera's status says so.

        The change is dated by where the clock was: what it jumped over is a gap with this cause.
        """
        steps = self.watch.look()
        if steps[0] == self._steps[0]:
            return False
        step_s, self._steps, self._repeated = steps[1] - self._steps[1], steps, None
        if abs(step_s) >= STEP_S and machine.on_step(self.now_s() - max(0.0, step_s), step_sentence(step_s)):
            self._publish_state(machine.state)
        return True

    def _follow(self, time_s: float) -> Sentence | None:
        """Follow the camera's time; gives why what is seen now is not counted, if it is not."""
        self._publish_events(self._passes.see(time_s, self._steady_s()))
        self._repeated = self._passes.repeat_at(time_s)
        if self._repeated is None:
            self._passes.use(time_s)
            return None
        return sentence("time-again", reason=self._repeated.reason, until=time_text(self._repeated.to_s))

    def _pass_time(self, machine: ConnectionState) -> None:
        """Look at the clock while there are no pictures.

        When time is new again, what holds is published anew: what was published last of this time is of its
        first pass.
        """
        self._look(machine)
        now_s = reached_s(self.now_s(), self._newest_s)
        was_withheld = self._passes.is_repeat
        self._publish_events(self._passes.see(now_s, self._steady_s()))
        if was_withheld and not self._passes.is_repeat:
            self._publish_state(machine.state, now_s)

    def _next_connection(self) -> int:
        """Number connections by the clock, so that those of another ingest process have other numbers."""
        return max(self._connection + 1, milliseconds(self.now_s()))

    def _publish(self, unit: AccessUnit) -> None:
        with self._publishing:
            if not self._stopped.is_set():
                self.video.publish(unit)

    def _publish_events(self, events: Sequence[Event]) -> None:
        with self._publishing:
            if events and not self._stopped.is_set():
                self.events.publish(events)

    def _publish_state(self, state: CameraState, time_s: float | None = None) -> None:
        """Publish a state, as of `time_s` where it has begun before. Its history keeps the cause alone."""
        dated_s = state.since_s if time_s is None else time_s
        cause = self.damage.notice if state.status is CameraStatus.LIVE else state.error
        if state.has_pictures and self._repeated is not None:
            cause = self._repeated.reason
        self._publish_share(state)
        self._publish_events([status_change(self.camera.id, dated_s, state.status, cause)])
        log.info("camera %s is %s%s", self.camera.id, state.status, _because(cause or state.error))

    def _publish_share(self, state: CameraState) -> None:
        """Publish a state with the share of pictures that come damaged, where any come."""
        is_seen = state.status is CameraStatus.LIVE or state.has_pictures
        with self._publishing:
            if not self._stopped.is_set():
                share = self.damage.share if is_seen else 0.0
                self.states.publish_state(self.camera.id, replace(state, damaged=share))


def _because(cause: Sentence | None) -> str:
    return f": {cause}" if cause else ""


class IngestService:
    """Keeps the cameras connected that it owns, those of them that are enabled. Implements `Owner`."""

    def __init__(
        self,
        events: EventQueue,
        states: StateBoard,
        video: VideoHub,
        open_source: Callable[[str], Source] | None = None,
        clocks: Clocks = HOST_CLOCKS,
    ) -> None:
        """Open cameras by `open_source`; None: by `source_of`."""
        self._events, self._states, self._video = events, states, video
        self._open_source = open_source or _remembering()
        self._watch = StepWatch(clocks)
        self._owned: set[CameraId] = set()
        self._running: dict[CameraId, CameraIngest] = {}

    def figures(self) -> Iterator[Figure]:
        """Give how many pictures came of each camera, and how many of them damaged."""
        for camera, ingest in list(self._running.items()):
            yield Figure("sightline_pictures_received_total", ingest.damage.pictures, {"camera": camera})
            yield Figure("sightline_pictures_damaged_total", ingest.damage.damaged, {"camera": camera})

    async def take(self, camera: OwnedCamera) -> None:
        """Connect, or go on; a changed address connects anew."""
        changed = camera.setup.camera
        running = self._running.get(changed.id)
        if running is not None and changed.enabled and running.camera.url == changed.url:
            running.learn(camera.setup.repeats)
            running.ask(camera.setup.asked_s)
            return
        before = None if changed.id in self._owned else self._states.state(changed.id)
        self._owned.add(changed.id)
        await self._end(self._silence(changed.id))
        if changed.id not in self._owned:  # dropped meanwhile
            return
        if not changed.enabled:
            self._publish_disabled(changed.id)
            return
        ingest = CameraIngest(
            changed,
            self._events,
            self._states,
            self._video,
            self._open_source,
            self._watch.clocks.now_s,
            before,
            self._watch,
            camera.setup.asked_s,
        )
        ingest.learn(camera.setup.repeats)
        self._running[changed.id] = ingest
        ingest.start()

    async def drop(self, camera: CameraId) -> None:
        """End the connection; nothing of the camera is published any more."""
        self._owned.discard(camera)
        ingest = self._silence(camera)
        self._states.withdraw_state(camera)
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

    def _publish_disabled(self, camera: CameraId) -> None:
        """Publish it anew also when another process did so before, which does so no more."""
        state = self._states.state(camera)
        if state is None or state.status is not CameraStatus.DISABLED:
            state = CameraState(CameraStatus.DISABLED, since_s=self._watch.clocks.now_s())
            change = status_change(camera, state.since_s, CameraStatus.DISABLED, SWITCHED_OFF)
            self._events.publish([change])
        self._states.publish_state(camera, state)
