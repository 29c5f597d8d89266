"""Events that wait for the store, within a bound: pure, the same for every bus.

What the bound cannot hold is dropped and counted, and the evidence of its seconds is withheld, so that
they become a gap and not quiet seconds. The announcement of an owner is never dropped: without it, what
an older owner says of the same time would count twice. Nor is that of a time which comes twice.

Pieces of trajectories go first: half of those that wait make room for anything else, with the word that the
positions of their seconds are stored. Whether these seconds were counted is another matter, and stays.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from services.core.pieces import newest_seconds
from services.core.types import (
    AnalysedSecond,
    CameraId,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    Trajectory,
)

T = TypeVar("T")

LOST_KEPT_S = 600
"""Evidence comes within seconds: what was lost longer ago than this has no evidence to withhold."""

LOST_LIMIT = 10_000
"""Seconds of one camera that are remembered for that."""

Rank = Literal["ownership", "record", "piece", "evidence", "positions"]
"""What must be sent before what: owners first; a word about seconds after all that it speaks of."""

_PIECES: tuple[Rank, ...] = ("piece", "positions")

_PROOF: dict[Rank, Rank] = {"record": "evidence", "piece": "positions"}
"""What may not be said of the seconds of something that was lost."""


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """An event in the buffer, in the form that its bus sends."""

    sequence: int
    rank: Rank
    camera: CameraId
    seconds: tuple[int, ...]
    """The seconds that it speaks of."""
    item: T


class EventBuffer(Generic[T]):
    """Not safe for threads: its owner holds a lock."""

    def __init__(self, limit: int, steady_s: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._steady_s = limit, steady_s
        self._waiting: deque[Waiting[T]] = deque()
        self._lost: dict[tuple[CameraId, Rank], dict[int, float]] = {}
        """Seconds of which may not be said what a rank says, and since when, by a clock that nobody sets."""
        self._pieces = 0
        """Pieces of trajectories that wait, with the words for their seconds."""
        self.newest = 0
        """Sequence number of the event that was added last."""
        self.dropped = 0
        """Events that the bound could not hold, or that could not be sent."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def oldest(self) -> int | None:
        """Sequence number of the oldest event that waits; None when none does."""
        return self._waiting[0].sequence if self._waiting else None

    def add(self, event: Event, item: T | None) -> None:
        """Append an event; one without an item cannot be sent and is dropped like one without room."""
        rank, seconds = _rank(event), _seconds(event)
        if self._is_lost(event.camera, rank, seconds):
            return
        if len(self._waiting) >= self._limit and rank not in _PIECES:
            self._give_up_pieces()
        if rank == "ownership" and len(self._waiting) >= self._limit:
            self._make_room()
        elif len(self._waiting) >= self._limit or item is None:
            self._lose(rank, event.camera, seconds)
            return
        if item is None:
            self.dropped += 1
            return
        self.newest += 1
        self._pieces += rank in _PIECES
        self._waiting.append(Waiting(self.newest, rank, event.camera, seconds, item))

    def first(self, limit: int) -> Sequence[Waiting[T]]:
        """Give the oldest events, which stay until they are removed."""
        return tuple(self._waiting[i] for i in range(min(limit, len(self._waiting))))

    def remove(self, sequences: Collection[int]) -> None:
        """Forget events that are kept elsewhere now. They are near the start."""
        left = len(sequences)
        kept: list[Waiting[T]] = []
        while left and self._waiting:
            waiting = self._waiting.popleft()
            if waiting.sequence in sequences:
                left -= 1
                self._pieces -= waiting.rank in _PIECES
            else:
                kept.append(waiting)
        self._waiting.extendleft(reversed(kept))

    def remove_through(self, sequence: int) -> None:
        """Forget all events up to a sequence number."""
        while self._waiting and self._waiting[0].sequence <= sequence:
            self._pieces -= self._waiting.popleft().rank in _PIECES

    def drop(self, waiting: Waiting[T]) -> None:
        """Give up an event that can never be sent, with the evidence of its seconds that still waits."""
        self.remove({waiting.sequence})
        self._lose(waiting.rank, waiting.camera, waiting.seconds)
        self._keep_sayable()

    def _keep_sayable(self) -> None:
        """Give up the words about seconds of which something was lost meanwhile."""
        self._waiting = deque(
            other for other in self._waiting if not self._is_lost(other.camera, other.rank, other.seconds)
        )
        self._pieces = sum(waiting.rank in _PIECES for waiting in self._waiting)

    def _give_up_pieces(self) -> None:
        """Drop the newer half of the waiting pieces; so many at once, because it looks at all that waits."""
        if not self._pieces:
            return
        left, kept = self._pieces // 2, deque[Waiting[T]]()
        for waiting in self._waiting:
            if waiting.rank not in _PIECES:
                kept.append(waiting)
            elif left:
                left -= 1
                kept.append(waiting)
            else:
                self._lose(waiting.rank, waiting.camera, waiting.seconds)
        self._waiting = kept
        self._keep_sayable()

    def _make_room(self) -> None:
        """Drop the newest event that is no announcement; no piece is left."""
        for waiting in reversed(self._waiting):
            if waiting.rank != "ownership":
                self._waiting.remove(waiting)
                self._lose(waiting.rank, waiting.camera, waiting.seconds)
                return

    def _lose(self, rank: Rank, camera: CameraId, seconds: tuple[int, ...]) -> None:
        self.dropped += 1
        if rank in _PROOF and seconds:
            now_s, known = self._steady_s(), self._lost.setdefault((camera, _PROOF[rank]), {})
            for second in seconds:
                known.pop(second, None)
                known[second] = now_s
            self._forget(known, now_s)

    def _is_lost(self, camera: CameraId, rank: Rank, seconds: tuple[int, ...]) -> bool:
        lost = self._lost.get((camera, rank))
        if lost is None:
            return False
        self._forget(lost, self._steady_s())
        if not lost:
            del self._lost[camera, rank]
        return not lost.keys().isdisjoint(seconds)

    @staticmethod
    def _forget(lost: dict[int, float], now_s: float) -> None:
        """Drop what was lost long ago, and what is too much; the oldest come first."""
        while lost:
            oldest = next(iter(lost))
            if len(lost) <= LOST_LIMIT and lost[oldest] >= now_s - LOST_KEPT_S:
                return
            del lost[oldest]


def _rank(event: Event) -> Rank:
    match event:
        case Ownership() | RepeatedSpan():
            return "ownership"
        case AnalysedSecond():
            return "evidence"
        case Trajectory():
            return "piece"
        case PositionSeconds(are_missing=False):
            return "positions"
        case _:
            return "record"


def _seconds(event: Event) -> tuple[int, ...]:
    match event:
        case Crossing():
            return (int(event.time_s),)
        case AnalysedSecond():
            return (event.second,)
        case PositionSeconds():
            return event.seconds
        case Trajectory():
            return newest_seconds(event)
        case _:
            return ()
