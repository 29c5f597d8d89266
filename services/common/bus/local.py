"""The bus within one process: bounded buffers guarded by a lock, readers woken on their event loop."""

import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from services.common.access.check import Access
from services.common.bus.event_buffer import EventBuffer
from services.common.bus.mailbox import Mailbox
from services.common.bus.protocol import EVENT_LIMIT, TRACK_LIMIT, EventBatch
from services.common.bus.state_board import StateBoard
from services.core.types import CameraId, CameraSetup, CameraState, Event, TrackedFrame

T = TypeVar("T")


class LocalBus:
    """Implements `Bus` with memory only."""

    def __init__(self, event_limit: int = EVENT_LIMIT) -> None:
        self._lock = threading.Lock()
        self._events = EventBuffer[Event](event_limit)
        self._event_readers: list[Mailbox[None]] = []
        self._track_readers: dict[CameraId, list[Mailbox[TrackedFrame]]] = {}
        self._states = StateBoard("local")
        self._setups: tuple[CameraSetup, ...] | None = None
        self._setup_readers: list[Mailbox[tuple[CameraSetup, ...]]] = []
        self._access = Access()

    @property
    def dropped_events(self) -> int:
        """Events that the bound of the buffer could not hold."""
        return self._events.dropped

    def publish_events(self, events: Sequence[Event]) -> None:
        """Append within the bound; what does not fit takes its seconds' evidence with it."""
        with self._lock:
            for event in events:
                self._events.add(event, event)
            readers = list(self._event_readers)
        for reader in readers:
            reader.put(None)

    async def flush(self, timeout_s: float) -> bool:
        """Nothing to wait for: the buffer is the bus."""
        return True

    async def next_events(self, limit: int = 500) -> EventBatch:
        """Wait for events and give the oldest unacknowledged ones."""
        with self._subscribed(self._event_readers, Mailbox[None](1)) as reader:
            while True:
                with self._lock:
                    waiting = self._events.first(limit)
                if waiting:
                    return EventBatch(tuple(event.item for event in waiting), waiting[-1].sequence)
                await anext(reader.read())

    def acknowledge(self, batch: EventBatch) -> None:
        """Drop everything up to the batch's newest event."""
        with self._lock:
            self._events.remove_through(batch.last)

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
        with self._subscribed(readers, Mailbox[TrackedFrame](TRACK_LIMIT)) as reader:
            yield reader.read()

    def publish_state(self, camera: CameraId, state: CameraState) -> None:
        """Keep the newest state."""
        self._states.tell_state(camera, state)

    def publish_fps(self, camera: CameraId, fps: float) -> None:
        """Keep the newest rate."""
        self._states.tell_rate(camera, fps)

    def forget_state(self, camera: CameraId) -> None:
        """Tell nothing of a camera any more."""
        self._states.forget(camera)

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state; a camera that is not live is analysed at no rate."""
        return self._states.state(camera)

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
        with self._subscribed(self._setup_readers, Mailbox[tuple[CameraSetup, ...]](1)) as reader:
            if self._setups is not None:
                reader.put(self._setups)
            yield reader.read()

    def publish_access(self, access: Access) -> None:
        """Replace who may watch."""
        self._access = access

    def access(self) -> Access:
        """Give who may watch."""
        return self._access

    @contextmanager
    def _subscribed(self, readers: list[Mailbox[T]], reader: Mailbox[T]) -> Iterator[Mailbox[T]]:
        with self._lock:
            readers.append(reader)
        try:
            yield reader
        finally:
            with self._lock:
                readers.remove(reader)
