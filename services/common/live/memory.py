"""The newest decoded pictures of all cameras that are watched, within one bound of bytes."""

import itertools
import threading
from collections import deque
from dataclasses import dataclass

from services.common.settings.service import LIVE_MEMORY_MB
from services.common.video.decoder import DecodedPicture
from services.core.errors import StreamError
from services.core.types import AccessUnit

KEPT_S = 2.0
"""The detector may be this late for its tracks still to find their picture."""

KEPT_BYTES = 96_000_000
"""Most memory for one camera's pictures; large ones are kept for less time."""

LEAST_KEPT = 8
"""Pictures below which tracks, which come later, would not find theirs any more."""

FEWEST_KEPT = 2
"""Pictures that are kept of a camera whose newest is all that anybody wants."""

UNKNOWN_BYTES = 1280 * 720 * 3 // 2
"""Taken as the size of a camera's pictures before the first one has come."""

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class _Kept:
    decoded: DecodedPicture
    size_bytes: int
    arrival: int


class PictureMemory:
    """The newest pictures of one camera, for any thread; made by `PictureMemories`."""

    def __init__(self, all: "PictureMemories", past_watchers: int = 1) -> None:
        self._all = all
        self.past_watchers = past_watchers
        """Watchers who look for pictures of the last seconds, to match tracks with them."""
        self.pictures: deque[_Kept] = deque()
        self.kept_bytes = 0
        self.peak_bytes = 0
        """Most that was kept since `take_shrunk` last said so: what the decoder has taken for it."""
        self.largest_bytes = UNKNOWN_BYTES

    @property
    def least(self) -> int:
        """Number of pictures that are never given up for another camera's."""
        return self.least_of(self.largest_bytes)

    def least_of(self, picture_bytes: int) -> int:
        """Give the same for pictures of a size."""
        return _least(picture_bytes) if self.past_watchers else FEWEST_KEPT

    def want_past(self) -> None:
        """Remember pictures for one more watcher; StreamError when the others need all there is."""
        self._all.want_past(self)

    def put(self, decoded: DecodedPicture) -> None:
        """Keep a picture, and drop those that are too old or too many; StreamError when none has room."""
        self._all.put(self, decoded)

    def newest(self) -> DecodedPicture | None:
        """Give the newest picture."""
        with self._all.lock:
            return self.pictures[-1].decoded if self.pictures else None

    def find(self, frame: int, time_s: float) -> DecodedPicture | None:
        """Give the picture of a frame; its time distinguishes equal numbers of two connections."""
        with self._all.lock:
            for kept in reversed(self.pictures):
                unit = kept.decoded.unit
                if unit.frame == frame and unit.time_s == time_s:
                    return kept.decoded
        return None

    def take_shrunk(self) -> bool:
        """Return, once, whether much less is kept than the decoder has taken from the system."""
        with self._all.lock:
            if self.kept_bytes >= self.peak_bytes // 2:
                return False
            self.peak_bytes = self.kept_bytes
            return True

    def close(self) -> None:
        """Forget all pictures."""
        self._all.close(self)


class PictureMemories:
    """Shares one bound of bytes among the cameras: past it the oldest pictures of all give way.

    Each camera keeps as many as its tracks need to find theirs. One that has no room for these is refused.
    """

    def __init__(self, limit_mb: float = LIVE_MEMORY_MB) -> None:
        self.limit_bytes = round(limit_mb * MB)
        self.lock = threading.Lock()
        self.kept_bytes = 0
        """Bytes of all pictures that are kept now."""
        self._memories: list[PictureMemory] = []
        self._arrivals = itertools.count()

    def open(self, wants_past: bool = True) -> PictureMemory:
        """Make the memory of a further camera; StreamError when the others need all there is."""
        memory = PictureMemory(self, int(wants_past))
        with self.lock:
            self._check_room(memory, memory.largest_bytes)
            self._memories.append(memory)
        return memory

    def check_room(self) -> None:
        """Raise the StreamError that `open` would."""
        with self.lock:
            self._check_room(None, UNKNOWN_BYTES)

    def want_past(self, memory: PictureMemory) -> None:
        """Remember pictures of a camera for one more watcher, see `PictureMemory.want_past`."""
        with self.lock:
            memory.past_watchers += 1
            try:
                self._check_room(memory, memory.largest_bytes)
            except StreamError:
                memory.past_watchers -= 1
                raise

    def _check_room(self, memory: PictureMemory | None, largest_bytes: int) -> None:
        others = [other.least * other.largest_bytes for other in self._memories if other is not memory]
        least = _least(largest_bytes) if memory is None else memory.least_of(largest_bytes)
        if sum(others) + least * largest_bytes <= self.limit_bytes:
            return
        megabytes = self.limit_bytes / MB
        if not others:
            raise StreamError("pictures-too-large", megabytes=megabytes)
        raise StreamError("pictures-too-many", cameras=len(others), megabytes=megabytes)

    def put(self, memory: PictureMemory, decoded: DecodedPicture) -> None:
        """Keep a picture of a camera, see `PictureMemory.put`."""
        size_bytes = _size_bytes(decoded)
        with self.lock:
            if memory not in self._memories:
                return
            if not memory.pictures or size_bytes > memory.largest_bytes:
                self._check_room(memory, size_bytes)
                memory.largest_bytes = size_bytes
            memory.pictures.append(_Kept(decoded, size_bytes, next(self._arrivals)))
            memory.kept_bytes += size_bytes
            self.kept_bytes += size_bytes
            self._drop_old(memory, decoded.unit)
            while self.kept_bytes > self.limit_bytes and (other := self._oldest()) is not None:
                self._drop_oldest(other)
            memory.peak_bytes = max(memory.peak_bytes, memory.kept_bytes)

    def _drop_old(self, memory: PictureMemory, newest: AccessUnit) -> None:
        room = KEPT_BYTES // memory.largest_bytes if memory.past_watchers else 0
        most = max(memory.least, room)
        while len(memory.pictures) > most or _is_old(memory.pictures[0].decoded.unit, newest):
            self._drop_oldest(memory)

    def _oldest(self) -> PictureMemory | None:
        """Give the camera with the oldest picture that may give way."""
        able = [memory for memory in self._memories if len(memory.pictures) > memory.least]
        return min(able, key=lambda memory: memory.pictures[0].arrival, default=None)

    def _drop_oldest(self, memory: PictureMemory) -> None:
        size_bytes = memory.pictures.popleft().size_bytes
        memory.kept_bytes -= size_bytes
        self.kept_bytes -= size_bytes

    def close(self, memory: PictureMemory) -> None:
        """Forget a camera."""
        with self.lock:
            if memory in self._memories:
                self._memories.remove(memory)
            while memory.pictures:
                self._drop_oldest(memory)


def _is_old(kept: AccessUnit, newest: AccessUnit) -> bool:
    """Return whether a picture is too old to be kept; the times of two connections say nothing together."""
    return kept.connection != newest.connection or kept.time_s < newest.time_s - KEPT_S


def _least(picture_bytes: int) -> int:
    return max(2, min(LEAST_KEPT, KEPT_BYTES // picture_bytes))


def _size_bytes(decoded: DecodedPicture) -> int:
    """Give what a picture holds: its planes with the ends of their rows, and what it was decoded from."""
    planes = decoded.picture.planes
    return sum(plane.buffer_size for plane in planes) + len(decoded.unit.data)
