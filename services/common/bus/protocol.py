"""How services speak with each other: six doors, each a protocol, whatever carries them.

Live tracks and states are for whoever listens now: a slow reader loses the oldest, nobody waits.
Events are kept until the store has acknowledged them. Of a shared value everybody knows the newest.
A camera test is a question with an answer (`camera_tests`).
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.common.access.check import Access
from services.common.bus.camera_tests import CameraTests
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.core.costs import AnalysisCost
from services.core.types import CameraId, CameraSetup, CameraState, Event, StatusChange, TrackedFrame

EVENT_LIMIT = 200_000
"""Events kept while they cannot be handed on: more than an hour of twenty busy cameras."""

TRACK_LIMIT = 8
"""Frames that a live reader may lag behind before it loses the oldest."""

T = TypeVar("T")

Setups = tuple[CameraSetup, ...]
"""All cameras with their lines, the oldest first."""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in the order in which they were published, to be acknowledged by `EventQueue.acknowledge`."""

    events: tuple[Event, ...]
    last: int
    """Sequence number of the newest event in the batch."""


class EventQueue(Protocol):
    """Events on their way to the store."""

    @property
    def dropped(self) -> int:
        """Events that the bound of the buffer could not hold, or that could not be sent."""

    @property
    def waiting(self) -> int:
        """Events of this process that have not been handed on yet."""

    def publish(self, events: Sequence[Event]) -> None:
        """Hand events to the store. Never blocks; callable from any thread.

        What the bound of the buffer cannot hold is dropped and counted, together with the evidence of
        its seconds, so that they become a gap. Announcements of owners are never dropped.
        """

    async def flush(self, timeout_s: float) -> bool:
        """Wait until what was published has left this process; False when the time did not suffice."""

    async def next_batch(self, limit: int = 500) -> EventBatch:
        """Wait for unacknowledged events; the same batch comes again until it is acknowledged.

        It may be cancelled: nothing is lost.
        """

    def acknowledge(self, batch: EventBatch) -> None:
        """Forget the batch: it is durable. Called on the event loop that asked for it."""


class TrackFeed(Protocol):
    """What the detector sees, frame by frame, for whoever watches now."""

    @property
    def dropped(self) -> int:
        """Frames that could not be sent, or that slow readers of this process have lost."""

    @property
    def waiting(self) -> int:
        """Frames that the slowest reader of this process has not taken yet."""

    def publish(self, frame: TrackedFrame) -> None:
        """Hand a frame to live readers. Callable from any thread."""

    def follow(self, camera: CameraId) -> AbstractAsyncContextManager[AsyncIterator[TrackedFrame]]:
        """Follow one camera's tracks from now on."""


class StateBoard(Protocol):
    """How each camera is doing: its stream by ingest, the rate of its analysis by the detector.

    Cameras that the newest setups do not have are forgotten, and what is published of them is passed over.
    """

    def publish_state(self, camera: CameraId, state: CameraState) -> None:
        """Keep what ingest reports of a camera's stream. Callable from any thread."""

    def publish_rate(self, camera: CameraId, fps: float, fault: StatusChange | None = None) -> None:
        """Keep the rate at which the detector analyses a camera, or why it cannot, and since when.

        A live camera that cannot be analysed is shown as degraded. Callable from any thread.
        """

    def publish_cost(self, camera: CameraId, cost: AnalysisCost) -> None:
        """Keep what the analysis of a camera costs. Callable from any thread."""

    def withdraw_state(self, camera: CameraId) -> None:
        """Report a camera's stream no more: another process works on it, or nobody does.

        Callable from any thread.
        """

    def withdraw_rate(self, camera: CameraId) -> None:
        """Report no rate and no cost of a camera any more: this process does not analyse it.

        Callable from any thread.
        """

    def cost(self, camera: CameraId) -> AnalysisCost | None:
        """Give the newest cost of a camera's analysis, None while nobody reports one."""

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state of a camera with its rate, None when nobody has ever reported one.

        It is degraded when nobody reports the camera any more.
        """


class SharedValue(Protocol[T]):
    """One value that web publishes and others follow."""

    def publish(self, value: T) -> None:
        """Replace the value, here at once and for the others as soon as they can be reached."""

    def newest(self) -> T:
        """Give the value as published last; an empty one before that. Callable from any thread."""

    def follow(self) -> AbstractAsyncContextManager[AsyncIterator[T]]:
        """Follow the value: the newest at once if there is one, then each change.

        A reader that lags sees only the newest.
        """


@dataclass
class Bus:
    """The six doors of a process, bundled at the composition root: each service takes what it needs."""

    events: EventQueue
    tracks: TrackFeed
    states: StateBoard
    setups: SharedValue[Setups]
    access: SharedValue[Access]
    """Who may watch; nobody before web has published it."""
    camera_tests: CameraTests

    def figures(self) -> Iterator[Figure]:
        """Give what waits and what was lost."""
        yield Figure("sightline_events_waiting", self.events.waiting)
        yield Figure("sightline_events_dropped_total", self.events.dropped)
        yield Figure("sightline_tracks_dropped_total", self.tracks.dropped)

    def event_queue(self) -> QueueState:
        """Give how full the queue of events is; what does not fit takes the evidence of its seconds along."""
        return QueueState("events", self.events.waiting, EVENT_LIMIT, self.events.dropped, "newest")

    def track_queue(self) -> QueueState:
        """Give how far live readers of tracks lag behind."""
        return QueueState("tracks", self.tracks.waiting, TRACK_LIMIT, self.tracks.dropped, "oldest")
