"""How services speak with each other: the protocol, whatever carries it.

Live tracks and states are for whoever listens now: a slow reader loses the oldest, nobody waits.
Events are kept until the store has acknowledged them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.common.access.check import Access
from services.core.types import CameraId, CameraSetup, CameraState, Event, TrackedFrame

EVENT_LIMIT = 200_000
"""Events kept while they cannot be handed on: more than an hour of twenty busy cameras."""

TRACK_LIMIT = 8
"""Frames that a live reader may lag behind before it loses the oldest."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in the order in which they were published, to be acknowledged by `Bus.acknowledge`."""

    events: tuple[Event, ...]
    last: int
    """Sequence number of the newest event in the batch."""


class Bus(Protocol):
    """One implementation connects threads of one process, another connects processes."""

    @property
    def dropped_events(self) -> int:
        """Events that the bound of the buffer could not hold, or that could not be sent."""

    def publish_events(self, events: Sequence[Event]) -> None:
        """Hand events to the store. Never blocks; callable from any thread.

        What the bound of the buffer cannot hold is dropped and counted, together with the evidence of
        its seconds, so that they become a gap. Announcements of owners are never dropped.
        """

    async def flush(self, timeout_s: float) -> bool:
        """Wait until what was published has left this process; False when the time did not suffice."""

    async def next_events(self, limit: int = 500) -> EventBatch:
        """Wait for unacknowledged events; the same batch comes again until it is acknowledged.

        It may be cancelled: nothing is lost.
        """

    def acknowledge(self, batch: EventBatch) -> None:
        """Forget the batch: it is durable. Called on the event loop that asked for it."""

    def publish_tracks(self, frame: TrackedFrame) -> None:
        """Tell live readers what was seen. Callable from any thread."""

    def tracks(self, camera: CameraId) -> AbstractAsyncContextManager[AsyncIterator[TrackedFrame]]:
        """Follow one camera's tracks from now on."""

    def publish_state(self, camera: CameraId, state: CameraState) -> None:
        """Keep what ingest tells of a camera's stream. Callable from any thread."""

    def publish_fps(self, camera: CameraId, fps: float) -> None:
        """Keep the rate at which the detector analyses a camera. Callable from any thread."""

    def forget_state(self, camera: CameraId) -> None:
        """Tell neither state nor rate of a camera any more: another process works on it, or nobody does.

        Callable from any thread.
        """

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state of a camera with its rate, None when nobody has ever told one.

        It is degraded when nobody tells of the camera any more.
        """

    def publish_setups(self, setups: Sequence[CameraSetup]) -> None:
        """Replace what ingest and detector know of cameras and lines."""

    def setups(self) -> AbstractAsyncContextManager[AsyncIterator[tuple[CameraSetup, ...]]]:
        """Follow the setups: the newest at once, then each change."""

    def publish_access(self, access: Access) -> None:
        """Replace what media ports know of who may watch."""

    def access(self) -> Access:
        """Give who may watch, as published last; nobody before that."""
