"""The bus within one process: bounded buffers guarded by a lock, readers woken on their event loop."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Generic, TypeVar

from services.common.access import Access
from services.common.bus import EventBatch
from services.core.types import (
    AnalysedSecond,
    CameraId,
    CameraSetup,
    CameraState,
    CameraStatus,
    Crossing,
    Event,
    TrackedFrame,
    Trajectory,
)

T = TypeVar("T")

EVENT_LIMIT = 200_000
"""Events kept while the database is away: more than an hour of twenty busy cameras."""

TRACK_LIMIT = 8
"""Frames that a live reader may lag behind before it loses the oldest."""


class _Reader(Generic[T]):
    """A bounded mailbox of one reader on an event loop, filled from any thread."""

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: deque[T] = deque(maxlen=limit)
        self._wake = asyncio.Event()

    def put(self, item: T) -> None:
        self._items.append(item)
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:  # the reader's loop has ended, and the reader with it
            self._items.clear()

    async def read(self) -> AsyncIterator[T]:
        while True:
            while self._items:
                yield self._items.popleft()
            self._wake.clear()
            if not self._items:
                await self._wake.wait()


class LocalBus:
    """Implements `Bus` with memory only."""

    def __init__(self, event_limit: int = EVENT_LIMIT) -> None:
        self._lock = threading.Lock()
        self._event_limit = event_limit
        self._events: deque[Event] = deque()
        self._sequence = 0
        self._event_readers: list[_Reader[None]] = []
        self._lost_seconds: set[tuple[CameraId, int]] = set()
        self._track_readers: dict[CameraId, list[_Reader[TrackedFrame]]] = {}
        self._states: dict[CameraId, CameraState] = {}
        self._fps: dict[CameraId, float] = {}
        self._setups: tuple[CameraSetup, ...] = ()
        self._setup_readers: list[_Reader[tuple[CameraSetup, ...]]] = []
        self._access = Access()
        self.dropped_events = 0

    def publish_events(self, events: Sequence[Event]) -> None:
        """Append within the bound; what does not fit takes its second's evidence with it."""
        with self._lock:
            for event in events:
                self._append(event)
            readers = list(self._event_readers)
        for reader in readers:
            reader.put(None)

    def _append(self, event: Event) -> None:
        if isinstance(event, AnalysedSecond) and (event.camera, event.second) in self._lost_seconds:
            self._lost_seconds.discard((event.camera, event.second))
            return
        if len(self._events) < self._event_limit:
            self._events.append(event)
            return
        self.dropped_events += 1
        if isinstance(event, Crossing):
            self._lost_seconds.add((event.camera, int(event.time_s)))
        elif isinstance(event, Trajectory):
            seconds = {int(point.time_s) for point in event.points}
            self._lost_seconds.update((event.camera, second) for second in seconds)

    async def flush(self, timeout_s: float) -> bool:
        """Nothing to wait for: the buffer is the bus."""
        return True

    async def next_events(self, limit: int = 500) -> EventBatch:
        """Wait for events and give the oldest unacknowledged ones."""
        with self._subscribed(self._event_readers, _Reader[None](1)) as reader:
            while True:
                with self._lock:
                    if self._events:
                        batch = tuple(self._events[i] for i in range(min(limit, len(self._events))))
                        return EventBatch(batch, self._sequence + len(batch))
                await anext(reader.read())

    def acknowledge(self, batch: EventBatch) -> None:
        """Drop everything up to the batch's newest event."""
        with self._lock:
            while self._sequence < batch.last:
                self._events.popleft()
                self._sequence += 1

    def publish_tracks(self, frame: TrackedFrame) -> None:
        """Hand the frame to each reader of its camera."""
        with self._lock:
            readers = list(self._track_readers.get(frame.camera, ()))
        for reader in readers:
            reader.put(frame)

    @asynccontextmanager
    async def tracks(self, camera: CameraId) -> AsyncIterator[AsyncIterator[TrackedFrame]]:
        """Follow one camera's tracks."""
        with self._lock:
            readers = self._track_readers.setdefault(camera, [])
        with self._subscribed(readers, _Reader[TrackedFrame](TRACK_LIMIT)) as reader:
            yield reader.read()

    def publish_state(self, camera: CameraId, state: CameraState) -> None:
        """Keep the newest state."""
        self._states[camera] = state

    def publish_fps(self, camera: CameraId, fps: float) -> None:
        """Keep the newest rate."""
        self._fps[camera] = fps

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state; a camera that is not live is analysed at no rate."""
        state = self._states.get(camera)
        if state is None:
            return None
        fps = self._fps.get(camera, 0.0) if state.status is CameraStatus.LIVE else 0.0
        return replace(state, fps=fps)

    def publish_setups(self, setups: Sequence[CameraSetup]) -> None:
        """Replace the setups and wake their readers."""
        with self._lock:
            self._setups = tuple(setups)
            readers = list(self._setup_readers)
        for reader in readers:
            reader.put(self._setups)

    @asynccontextmanager
    async def setups(self) -> AsyncIterator[AsyncIterator[tuple[CameraSetup, ...]]]:
        """Follow the setups; a reader that lags sees only the newest."""
        with self._subscribed(self._setup_readers, _Reader[tuple[CameraSetup, ...]](1)) as reader:
            if self._setups:
                reader.put(self._setups)
            yield reader.read()

    def publish_access(self, access: Access) -> None:
        """Replace who may watch."""
        self._access = access

    def access(self) -> Access:
        """Give who may watch."""
        return self._access

    @contextmanager
    def _subscribed(self, readers: list[_Reader[T]], reader: _Reader[T]) -> Iterator[_Reader[T]]:
        with self._lock:
            readers.append(reader)
        try:
            yield reader
        finally:
            with self._lock:
                readers.remove(reader)
