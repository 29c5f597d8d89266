"""How a camera's compressed pictures travel from ingest to their readers within one process.

A reader gets the newest group of pictures first, so that it can decode at once, and is bounded: one
that is too slow loses pictures up to the next key frame, and nobody waits for it.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from services.core.types import AccessUnit, CameraId

READER_LIMIT = 150
"""Pictures that a reader may lag behind: several seconds of a common camera."""

GROUP_LIMIT = 300
"""Pictures kept of the newest group; a camera with rarer key frames costs its readers a wait."""


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
    """A bounded queue of access units that drops up to the next key frame when it is full."""

    def __init__(self, limit: int = READER_LIMIT) -> None:
        self._limit = limit
        self._units: deque[AccessUnit] = deque()
        self._ready = threading.Condition()
        self._waiting_for_keyframe = False
        self.dropped = 0

    def put(self, unit: AccessUnit) -> None:
        """Append, or drop what can no longer be decoded in time."""
        with self._ready:
            if len(self._units) >= self._limit:
                self.dropped += len(self._units)
                self._units.clear()
                self._waiting_for_keyframe = True
            if self._waiting_for_keyframe and not unit.is_keyframe:
                self.dropped += 1
                return
            self._waiting_for_keyframe = False
            self._units.append(unit)
            self._ready.notify()

    def read(self, timeout_s: float) -> AccessUnit | None:
        """Wait for the next picture; None when none came in time."""
        with self._ready:
            if not self._units:
                self._ready.wait(timeout_s)
            return self._units.popleft() if self._units else None

    @property
    def backlog_s(self) -> float:
        """Seconds of video that wait."""
        with self._ready:
            return self._units[-1].time_s - self._units[0].time_s if self._units else 0.0


class VideoHub:
    """Hands the pictures of all cameras to their readers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: dict[CameraId, list[LocalVideoReader]] = {}
        self._groups: dict[CameraId, deque[AccessUnit]] = {}

    def publish(self, unit: AccessUnit) -> None:
        """Hand one picture to each reader of its camera. Called by ingest, from any thread."""
        with self._lock:
            group = self._groups.setdefault(unit.camera, deque(maxlen=GROUP_LIMIT))
            if unit.is_keyframe:
                group.clear()
            group.append(unit)
            for reader in self._readers.get(unit.camera, ()):
                reader.put(unit)

    def forget(self, camera: CameraId) -> None:
        """Drop the kept pictures of a camera that is gone or off."""
        with self._lock:
            self._groups.pop(camera, None)

    @contextmanager
    def reader(self, camera: CameraId) -> Iterator[LocalVideoReader]:
        """Follow one camera, beginning with its newest group of pictures."""
        reader = LocalVideoReader()
        with self._lock:
            for unit in self._groups.get(camera, ()):
                reader.put(unit)
            self._readers.setdefault(camera, []).append(reader)
        try:
            yield reader
        finally:
            with self._lock:
                self._readers[camera].remove(reader)
