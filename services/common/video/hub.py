"""Video from ingest to its readers: compressed pictures, decoded by nobody on the way.

Readers begin with the newest group of pictures, so that they can decode at once. A reader that is too
slow loses pictures up to the next key frame, and nobody waits for it.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from services.common.metrics import Figure
from services.common.queues import QueueState
from services.core.codecs import Codec
from services.core.limits import QUEUE_LIMIT_BYTES
from services.core.types import AccessUnit, CameraId

READER_LIMIT = 150
"""Pictures that a reader may lag behind: several seconds of a common camera."""

GROUP_LIMIT = 1500
"""Pictures kept of the newest group, a minute of a common camera: who comes decodes them all to see what is
now. With rarer key frames a new reader waits for the next one."""

GROUP_SURE = 300
"""A group of up to so many pictures is kept whatever the others take."""

GROUPS_LIMIT_BYTES = 128_000_000
"""Most bytes of all groups together, as far as longer ones take them: the largest of these gives way."""

GROUP_AGE_S = 10.0
"""A group whose newest picture is older than this is given to nobody."""


class VideoReader(Protocol):
    """One reader's end of a camera's video."""

    dropped: int

    @property
    def backlog_s(self) -> float:
        """Seconds of video that wait."""

    def read(self, timeout_s: float) -> AccessUnit | None:
        """Wait for the next picture; None when none came in time."""


class VideoSource(Protocol):
    """Where readers find a camera's video."""

    def reader(self, camera: CameraId) -> AbstractContextManager[VideoReader]:
        """Follow one camera, beginning with its newest group of pictures."""


class LocalVideoReader:
    """A queue of access units, bounded in number and bytes, that drops up to the next key frame when full.

    The group that a reader begins with waits beside the bound: its pictures come all at once, however
    quick the reader is.
    """

    def __init__(
        self,
        limit: int = READER_LIMIT,
        wake: Callable[[], None] | None = None,
        on_drop: Callable[[int], None] | None = None,
    ) -> None:
        """Take what is called when the queue is no more empty, and with the number of pictures it loses."""
        self._limit = limit
        self._wake, self._on_drop = wake, on_drop
        self._units: deque[AccessUnit] = deque()
        self._kept = 0
        self._bytes = self._kept_bytes = 0
        self._ready = threading.Condition()
        self._waiting_for_keyframe = False
        self.dropped = 0

    def put(self, unit: AccessUnit) -> None:
        """Append, or drop what can no longer be decoded in time.

        `wake` is called, on this thread, when a picture comes into the empty queue; it may not block.
        """
        with self._ready:
            if self._is_full(unit):
                self._drop(len(self._units))
                self._units.clear()
                self._kept = self._bytes = self._kept_bytes = 0
                self._waiting_for_keyframe = True
            if self._waiting_for_keyframe and not unit.is_keyframe:
                self._drop(1)
                return
            self._waiting_for_keyframe = False
            was_empty = not self._units
            self._units.append(unit)
            self._count(unit, 1)
            self._ready.notify()
        if was_empty and self._wake is not None:
            self._wake()

    def read(self, timeout_s: float) -> AccessUnit | None:
        """Wait for the next picture; None when none came in time. With 0 it does not wait at all."""
        with self._ready:
            if not self._units and timeout_s > 0:
                self._ready.wait(timeout_s)
            if not self._units:
                return None
            unit = self._units.popleft()
            self._count(unit, -1)
            return unit

    def _drop(self, number: int) -> None:
        self.dropped += number
        if self._on_drop is not None:
            self._on_drop(number)

    def _count(self, unit: AccessUnit, sign: int) -> None:
        self._kept += sign * unit.is_backlog
        self._bytes += sign * len(unit.data)
        self._kept_bytes += sign * unit.is_backlog * len(unit.data)

    def _is_full(self, unit: AccessUnit) -> bool:
        waiting = len(self._units) - min(self._kept, GROUP_LIMIT)
        waiting_bytes = self._bytes - min(self._kept_bytes, QUEUE_LIMIT_BYTES)
        return waiting >= self._limit or (
            waiting_bytes > 0 and waiting_bytes + len(unit.data) > QUEUE_LIMIT_BYTES
        )

    @property
    def waiting(self) -> int:
        """Pictures that wait, those beside the bound not counted."""
        with self._ready:
            return len(self._units) - min(self._kept, GROUP_LIMIT)

    @property
    def backlog_s(self) -> float:
        """Seconds of video that wait, of the newest connection: times of two cannot be compared."""
        with self._ready:
            if not self._units:
                return 0.0
            newest = self._units[-1]
            oldest = next(unit for unit in self._units if unit.connection == newest.connection)
            return newest.time_s - oldest.time_s


def video_queue(readers: Iterable[LocalVideoReader], dropped: int) -> QueueState:
    """Give how full the fullest of some readers' queues is."""
    waiting = max((reader.waiting for reader in readers), default=0)
    return QueueState("video", waiting, READER_LIMIT, dropped, "to-key-frame")


@dataclass(slots=True)
class _Group:
    """The newest group of pictures of one camera, empty where it is not whole."""

    units: list[AccessUnit] = field(default_factory=list)
    size_bytes: int = 0

    def begin(self, keyframe: AccessUnit) -> None:
        self.units, self.size_bytes = [keyframe], len(keyframe.data)

    def go_on(self, unit: AccessUnit) -> None:
        """Append, or let go of a group that grows too long or was broken off."""
        self.size_bytes += len(unit.data)
        is_broken_off = self.units[-1].connection != unit.connection
        if is_broken_off or len(self.units) >= GROUP_LIMIT or self.size_bytes > QUEUE_LIMIT_BYTES:
            self.let_go()
        else:
            self.units.append(unit)

    def let_go(self) -> None:
        """Keep nothing up to the next key frame."""
        self.units, self.size_bytes = [], 0


class VideoHub:
    """Hands the pictures of all cameras to their readers."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()
        self._readers: dict[CameraId, list[LocalVideoReader]] = {}
        self._groups: dict[CameraId, _Group] = {}
        self._group_bytes = 0
        self._published_s: dict[CameraId, float] = {}
        self._codecs: dict[CameraId, Codec] = {}
        self._dropped = 0

    def figures(self) -> Iterator[Figure]:
        """Give what the readers have lost."""
        yield Figure("sightline_video_readers_dropped_total", self._dropped)

    def queue(self) -> QueueState:
        """Give how far the slowest reader lags behind."""
        with self._lock:
            readers = [reader for all in self._readers.values() for reader in all]
        return video_queue(readers, self._dropped)

    def publish(self, unit: AccessUnit) -> None:
        """Hand one picture to each reader of its camera. Called by ingest, from any thread."""
        with self._lock:
            self._keep(unit)
            self._published_s[unit.camera] = self._monotonic_s()
            self._codecs[unit.camera] = unit.codec
            for reader in self._readers.get(unit.camera, ()):
                reader.put(unit)

    def _keep(self, unit: AccessUnit) -> None:
        """Keep the newest group while it is whole: from a key frame on, of one connection."""
        group = self._groups.setdefault(unit.camera, _Group())
        before_bytes = group.size_bytes
        if unit.is_keyframe:
            group.begin(unit)
        elif group.units:
            group.go_on(unit)
        self._group_bytes += group.size_bytes - before_bytes
        if self._group_bytes > GROUPS_LIMIT_BYTES:
            self._let_go_of_largest()

    def _let_go_of_largest(self) -> None:
        able = [group for group in self._groups.values() if len(group.units) > GROUP_SURE]
        if able:
            largest = max(able, key=lambda group: group.size_bytes)
            self._group_bytes -= largest.size_bytes
            largest.let_go()

    def _newest_group(self, camera: CameraId) -> list[AccessUnit]:
        """Give the kept group; one that ended a while ago does not show what the camera sees now."""
        age_s = self._monotonic_s() - self._published_s.get(camera, -math.inf)
        group = self._groups.get(camera)
        return group.units if group is not None and age_s <= GROUP_AGE_S else []

    def has(self, camera: CameraId) -> bool:
        """Return whether a camera gave pictures here, since it was forgotten last."""
        with self._lock:
            return camera in self._groups

    def codec(self, camera: CameraId) -> Codec:
        """Give the codec of a camera's newest picture; H.264 before there is one."""
        with self._lock:
            return self._codecs.get(camera, Codec.H264)

    def forget(self, camera: CameraId) -> None:
        """Drop the kept pictures of a camera that is gone or off; its readers wait for it to come back."""
        with self._lock:
            self._group_bytes -= self._groups.pop(camera, _Group()).size_bytes
            self._published_s.pop(camera, None)
            self._codecs.pop(camera, None)

    def _count_dropped(self, number: int) -> None:
        """Called under the lock, by what is put into a reader."""
        self._dropped += number

    @contextmanager
    def reader(self, camera: CameraId, wake: Callable[[], None] | None = None) -> Iterator[LocalVideoReader]:
        """Follow one camera, beginning with its newest group of pictures, marked as backlog.

        `wake` wakes a reader that must not wait in `read`, such as an event loop, when there is something
        to read; see `LocalVideoReader.put`.
        """
        reader = LocalVideoReader(wake=wake, on_drop=self._count_dropped)
        with self._lock:
            for unit in self._newest_group(camera):
                reader.put(replace(unit, is_backlog=True))
            self._readers.setdefault(camera, []).append(reader)
        try:
            yield reader
        finally:
            with self._lock:
                self._readers[camera].remove(reader)
                if not self._readers[camera]:
                    del self._readers[camera]
