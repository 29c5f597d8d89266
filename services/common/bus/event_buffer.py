"""Events that wait for the store, within a bound: the same for every bus.

What the bound cannot hold is dropped and counted; what is dropped first, and what evidence it takes with
it, is decided in `services/core/evidence/ranks.py`.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.core.evidence.ranks import GIVEN_UP_FIRST, LostSeconds, Rank, rank_of, seconds_of
from services.core.types import CameraId, Event

T = TypeVar("T")


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
        self._limit = limit
        self._waiting: deque[Waiting[T]] = deque()
        self._lost = LostSeconds(steady_s)
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
        rank, seconds = rank_of(event), seconds_of(event)
        if self._lost.withholds(rank, event.camera, seconds):
            return
        if len(self._waiting) >= self._limit and rank not in GIVEN_UP_FIRST:
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
        self._pieces += rank in GIVEN_UP_FIRST
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
                self._pieces -= waiting.rank in GIVEN_UP_FIRST
            else:
                kept.append(waiting)
        self._waiting.extendleft(reversed(kept))

    def remove_through(self, sequence: int) -> None:
        """Forget all events up to a sequence number."""
        while self._waiting and self._waiting[0].sequence <= sequence:
            self._pieces -= self._waiting.popleft().rank in GIVEN_UP_FIRST

    def drop(self, waiting: Waiting[T]) -> None:
        """Give up an event that can never be sent, with the evidence of its seconds that still waits."""
        self.remove({waiting.sequence})
        self._lose(waiting.rank, waiting.camera, waiting.seconds)
        self._give_up_withheld()

    def _give_up_withheld(self) -> None:
        """Give up what speaks of seconds of which something was lost meanwhile."""
        self._waiting = deque(
            other
            for other in self._waiting
            if not self._lost.withholds(other.rank, other.camera, other.seconds)
        )
        self._pieces = sum(waiting.rank in GIVEN_UP_FIRST for waiting in self._waiting)

    def _give_up_pieces(self) -> None:
        """Drop the newer half of the waiting pieces; so many at once, because it looks at all that waits."""
        if not self._pieces:
            return
        left, kept = self._pieces // 2, deque[Waiting[T]]()
        for waiting in self._waiting:
            if waiting.rank not in GIVEN_UP_FIRST:
                kept.append(waiting)
            elif left:
                left -= 1
                kept.append(waiting)
            else:
                self._lose(waiting.rank, waiting.camera, waiting.seconds)
        self._waiting = kept
        self._give_up_withheld()

    def _make_room(self) -> None:
        """Drop the newest event that is no announcement; no piece is left."""
        for waiting in reversed(self._waiting):
            if waiting.rank != "ownership":
                self._waiting.remove(waiting)
                self._lose(waiting.rank, waiting.camera, waiting.seconds)
                return

    def _lose(self, rank: Rank, camera: CameraId, seconds: tuple[int, ...]) -> None:
        self.dropped += 1
        self._lost.lose(rank, camera, seconds)
