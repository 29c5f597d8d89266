"""The bus within one process: bounded buffers guarded by a lock, readers woken on their event loop."""

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from services.common.access.check import Access
from services.common.bus.camera_states import CameraStates
from services.common.bus.camera_tests import LocalCameraTests
from services.common.bus.event_buffer import EventBuffer
from services.common.bus.protocol import EVENT_LIMIT, TRACK_LIMIT, Bus, EventBatch, Setups
from services.common.bus.readers import Readers
from services.core.types import CameraId, Event, TrackedFrame

T = TypeVar("T")


class LocalEventQueue:
    """Implements `EventQueue` with memory only."""

    def __init__(self, limit: int = EVENT_LIMIT) -> None:
        self._lock = threading.Lock()
        self._buffer = EventBuffer[Event](limit)
        self._readers = Readers[None](1)

    @property
    def dropped(self) -> int:
        """Events that the bound of the buffer could not hold."""
        return self._buffer.dropped

    @property
    def waiting(self) -> int:
        """Events that the store has not acknowledged yet."""
        return len(self._buffer)

    def publish(self, events: Sequence[Event]) -> None:
        """Append within the bound; what does not fit takes its seconds' evidence with it."""
        with self._lock:
            for event in events:
                self._buffer.add(event, event)
        self._readers.put(None)

    async def flush(self, timeout_s: float) -> bool:
        """Nothing to wait for: the buffer is the queue."""
        return True

    async def next_batch(self, limit: int = 500) -> EventBatch:
        """Wait for events and give the oldest unacknowledged ones."""
        with self._readers.reading() as reader:
            while True:
                with self._lock:
                    waiting = self._buffer.first(limit)
                if waiting:
                    return EventBatch(tuple(event.item for event in waiting), waiting[-1].sequence)
                await anext(reader.read())

    def acknowledge(self, batch: EventBatch) -> None:
        """Drop everything up to the batch's newest event."""
        with self._lock:
            self._buffer.remove_through(batch.last)


class LocalTrackFeed:
    """Implements `TrackFeed` with a mailbox for each reader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers: dict[CameraId, Readers[TrackedFrame]] = {}
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """Frames that slow readers have lost."""
        with self._lock:
            return self._dropped + sum(readers.dropped for readers in self._readers.values())

    @property
    def waiting(self) -> int:
        """Frames that the slowest reader has not taken yet."""
        with self._lock:
            return max((readers.waiting for readers in self._readers.values()), default=0)

    def publish(self, frame: TrackedFrame) -> None:
        """Hand the frame to each reader of its camera."""
        with self._lock:
            readers = self._readers.get(frame.camera)
        if readers is not None:
            readers.put(frame)

    @asynccontextmanager
    async def follow(self, camera: CameraId) -> AsyncIterator[AsyncIterator[TrackedFrame]]:
        """Follow one camera's tracks; nothing is kept of a camera that nobody follows."""
        with self._lock:
            readers = self._readers.setdefault(camera, Readers(TRACK_LIMIT))
            mailbox = readers.open()
        try:
            yield mailbox.read()
        finally:
            with self._lock:
                readers.close(mailbox)
                if not len(readers):
                    self._dropped += readers.dropped
                    del self._readers[camera]


class LocalSharedValue(Generic[T]):
    """Implements `SharedValue` with memory only. `on_change` is called on the thread that publishes."""

    def __init__(self, empty: T, on_change: Callable[[T], None] | None = None) -> None:
        self._value, self._is_published = empty, False
        self._on_change = on_change
        self._readers = Readers[T](1)

    @property
    def is_published(self) -> bool:
        """Whether there is a value."""
        return self._is_published

    def publish(self, value: T) -> None:
        """Replace the value and wake its readers."""
        self._value, self._is_published = value, True
        if self._on_change is not None:
            self._on_change(value)
        self._readers.put(value)

    def newest(self) -> T:
        """Give the value."""
        return self._value

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[T]]:
        """Follow the value; a reader that lags sees only the newest."""
        with self._readers.reading() as reader:
            if self._is_published:
                reader.put(self._value)
            yield reader.read()


class LocalBus(Bus):
    """All doors of a system that is one process."""

    def __init__(self, event_limit: int = EVENT_LIMIT) -> None:
        states = CameraStates("local")
        super().__init__(
            events=LocalEventQueue(event_limit),
            tracks=LocalTrackFeed(),
            states=states,
            setups=LocalSharedValue[Setups]((), lambda setups: states.retain(camera_ids(setups))),
            access=LocalSharedValue(Access()),
            camera_tests=LocalCameraTests(),
        )


def camera_ids(setups: Setups) -> list[CameraId]:
    """Give the cameras of setups."""
    return [setup.camera.id for setup in setups]
