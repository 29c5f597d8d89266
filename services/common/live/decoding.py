"""Decoded pictures of cameras while somebody watches: one thread and one memory a camera, whoever watches."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from services.common.live.analysed import AnalysedPictures
from services.common.live.memory import PictureMemories, PictureMemory
from services.common.settings.service import LIVE_MEMORY_MB
from services.common.video.decoder import DecodedPicture, UnitDecoder
from services.common.video.hub import VideoReader, VideoSource
from services.common.video.key_frames import KEY_FRAME_AWAITED, KeyFrameWatch
from services.core.errors import StreamError
from services.core.sentences.sentence import Sentence
from services.core.types import AccessUnit, CameraId

log = logging.getLogger(__name__)

CAUGHT_UP_S = 0.05
LONGEST_CATCHING_UP_S = 1.0
"""A thread that lags behind shows pictures when it has come to the newest, or after this."""

END_OF_KEPT_S = 0.1
"""What was kept for a thread to begin with can be a minute old: it is shown when no more comes for this."""

READ_TIMEOUT_S = 0.5
STOP_TIMEOUT_S = 3.0

DRAWN_AT_ONCE = 4
"""Pictures that are drawn and encoded at the same moment: each takes several times its size meanwhile."""


Watcher = Callable[[], None]
"""Is called, on the decoding thread, when there is a newer picture or will be none; may not block."""


class DecodingThread:
    """Decodes one camera until nobody watches it any more."""

    def __init__(
        self,
        camera: CameraId,
        video: VideoSource,
        memory: PictureMemory,
        analysed: AnalysedPictures | None = None,
    ) -> None:
        self.memory, self._analysed = memory, analysed or AnalysedPictures()
        self.failure: StreamError | None = None
        """Why no pictures come any more."""
        self.shows = False
        """Whether there is a picture of now."""
        self.obstacle: Sentence | None = None
        """Why there is no picture though the camera sends something."""
        self.is_catching_up = False
        """Whether what was kept is decoded first."""
        self._borrowed_s = -math.inf
        """Time of the newest picture that a detector had decoded."""
        self._key_frames = KeyFrameWatch()
        self._camera, self._video = camera, video
        self._watchers: tuple[Watcher, ...] = ()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"live-{camera}", daemon=True)

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    def start(self) -> None:
        """Begin with the newest group of pictures."""
        self._thread.start()

    def add(self, watcher: Watcher) -> None:
        """Wake somebody too; at once if there is a picture."""
        self._watchers = (*self._watchers, watcher)
        if self.shows or self.failure is not None:
            watcher()

    def remove(self, watcher: Watcher) -> bool:
        """Wake somebody no more; False where nobody did."""
        before = self._watchers
        self._watchers = tuple(other for other in before if other != watcher)
        return len(self._watchers) < len(before)

    def stop(self) -> None:
        """Forget the pictures, and ask the thread to end; it does within its read timeout."""
        self._stopped.set()
        self.memory.close()

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        try:
            with self._video.reader(self._camera) as reader:
                self._decode(reader)
        except StreamError as error:
            log.warning("camera %s is not shown: %s", self._camera, error)
            self.failure = error
        finally:
            self._end()

    def _end(self) -> None:
        """Let nobody wait for a thread that has ended by itself."""
        self.memory.close()
        if not self._stopped.is_set():
            self.failure = self.failure or StreamError("fault")
            self._wake_watchers()

    def _decode(self, reader: VideoReader) -> None:
        decoder, connection = UnitDecoder(), -1
        woken_s, dropped = time.monotonic(), 0
        while not self._stopped.is_set():
            unit = reader.read(END_OF_KEPT_S if self.is_catching_up else READ_TIMEOUT_S)
            if unit is None:
                self._end_catching_up()
                if reader.dropped > dropped:
                    self.obstacle = KEY_FRAME_AWAITED
                continue
            dropped = reader.dropped
            if unit.connection != connection or self._wants_new_decoder(unit):
                decoder, connection = UnitDecoder(unit.codec), unit.connection
                self._borrowed_s = -math.inf
            decoded = decoder.decode(unit)
            self._see(unit, decoded)
            is_behind = unit.is_backlog or reader.backlog_s >= CAUGHT_UP_S
            if decoded is None or is_behind:
                self._borrow(unit)
            if decoded is None or decoded.unit.time_s <= self._borrowed_s:
                continue
            self.memory.put(decoded)
            now_s = time.monotonic()
            is_late = now_s - woken_s > LONGEST_CATCHING_UP_S
            if not unit.is_backlog and (is_late or not is_behind):
                woken_s = now_s
                self._show()

    def _end_catching_up(self) -> None:
        """Show the newest of what was kept: nothing has come after it."""
        if self.is_catching_up:
            self.is_catching_up = False
            if self.memory.newest() is not None:
                self._show()

    def _see(self, unit: AccessUnit, decoded: DecodedPicture | None) -> None:
        """Find out whether a key frame is missing."""
        self.is_catching_up = unit.is_backlog
        if decoded is not None or not unit.is_backlog:
            self._key_frames.see(unit.time_s, unit.connection, decoded is not None)
        self.obstacle = KEY_FRAME_AWAITED if self._key_frames.is_awaited else None

    def _borrow(self, unit: AccessUnit) -> None:
        """Show what a detector of this process has decoded, where that is newer than anything here."""
        decoded = self._analysed.newest(self._camera)
        if (
            decoded is None
            or decoded.unit.connection != unit.connection
            or decoded.unit.time_s <= max(self._borrowed_s, self._newest_s(unit.connection))
        ):
            return
        self._borrowed_s = decoded.unit.time_s
        self.memory.put(decoded)
        self._show()

    def _newest_s(self, connection: int) -> float:
        newest = self.memory.newest()
        return (
            newest.unit.time_s if newest is not None and newest.unit.connection == connection else -math.inf
        )

    def _show(self) -> None:
        self.shows = True
        self._wake_watchers()

    def _wants_new_decoder(self, unit: AccessUnit) -> bool:
        """A decoder keeps what its dropped pictures took for others: an emptier memory wants a new one."""
        return unit.is_keyframe and self.memory.take_shrunk()

    def _wake_watchers(self) -> None:
        for watcher in self._watchers:
            watcher()


class Decoders:
    """Decodes each camera once while anybody watches it, in whatever form. Callable from any thread.

    A process has one, so that all its pictures share one bound of memory.
    """

    def __init__(
        self,
        video: VideoSource,
        limit_mb: float = LIVE_MEMORY_MB,
        analysed: AnalysedPictures | None = None,
    ) -> None:
        """`analysed` are what the detectors of this process decode, where there are any."""
        self._analysed = analysed
        self.memories = PictureMemories(limit_mb)
        self.drawing = ThreadPoolExecutor(DRAWN_AT_ONCE, "live-drawing")
        """Where pictures are drawn and encoded."""
        self.refused = 0
        """Watchers of a further camera for whose pictures there was no memory."""
        self._video = video
        self._lock = threading.Lock()
        self._threads: dict[CameraId, DecodingThread] = {}

    @property
    def cameras(self) -> int:
        """Number of cameras that are decoded now."""
        return len(self._threads)

    def check_room(self, camera: CameraId) -> None:
        """Raise the StreamError that `watch` would."""
        with self._lock:
            if camera in self._threads:
                return
            with self._counting_refused():
                self.memories.check_room()

    def watch(self, camera: CameraId, watcher: Watcher, wants_past: bool = True) -> DecodingThread:
        """Wake somebody for a camera's pictures until `leave`; StreamError when there is no memory for it.

        `wants_past`: pictures of the last seconds are looked for, too, and not the newest alone.
        """
        with self._lock, self._counting_refused():
            thread = self._threads.get(camera)
            if thread is None or thread.failure is not None:
                thread = self._threads[camera] = self._start(camera, wants_past)
            elif wants_past:
                thread.memory.want_past()
            thread.add(watcher)
            return thread

    def leave(
        self, camera: CameraId, thread: DecodingThread, watcher: Watcher, wants_past: bool = True
    ) -> None:
        """End what `watch` began; the camera is decoded no more when this was the last one."""
        with self._lock:
            if thread.remove(watcher):
                thread.memory.past_watchers -= wants_past
            if thread.is_watched:
                return
            thread.stop()
            if self._threads.get(camera) is thread:
                del self._threads[camera]

    @contextmanager
    def _counting_refused(self) -> Iterator[None]:
        try:
            yield
        except StreamError:
            self.refused += 1
            raise

    def _start(self, camera: CameraId, wants_past: bool) -> DecodingThread:
        thread = DecodingThread(camera, self._video, self.memories.open(wants_past), self._analysed)
        thread.start()
        return thread
