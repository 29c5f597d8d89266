"""What has to reach the store before what, and what takes its evidence with it when it is lost. Pure.

An event that is dropped on its way (no room, too large) leaves its seconds incomplete: their evidence is
withheld, so that they become a gap and not quiet seconds. The announcement of an owner is never dropped:
without it, what an older owner says of the same time would count twice. Nor is that of a time which comes
twice.

Pieces of trajectories go first: half of those that wait make room for anything else, with the word that the
positions of their seconds are stored. Whether these seconds were counted is another matter, and stays.
"""

import time
from collections.abc import Callable
from typing import Literal

from services.core.pieces import newest_seconds
from services.core.times import second_of
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

LOST_KEPT_S = 600
"""Evidence comes within seconds: what was lost longer ago than this has no evidence to withhold."""

LOST_LIMIT = 10_000
"""Seconds of one camera that are remembered for that."""

Rank = Literal["ownership", "record", "piece", "evidence", "positions"]
RANKS: tuple[tuple[Rank, ...], ...] = (("ownership",), ("record", "piece"), ("evidence", "positions"))
"""In the order in which they are sent: owners first, and what speaks of seconds after all that is in them."""

GIVEN_UP_FIRST: tuple[Rank, ...] = ("piece", "positions")
"""What makes room for all else."""

_WITHHELD: dict[Rank, Rank] = {"record": "evidence", "piece": "positions"}
"""What is withheld of the seconds of something that was lost."""


def rank_of(event: Event) -> Rank:
    """Give the rank of an event."""
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


def seconds_of(event: Event) -> tuple[int, ...]:
    """Give the seconds that are not complete without an event, or that it vouches for; none for others."""
    match event:
        case Crossing():
            return (second_of(event.time_s),)
        case AnalysedSecond():
            return (event.second,)
        case PositionSeconds():
            return event.seconds
        case Trajectory():
            return newest_seconds(event)
        case _:
            return ()


class LostSeconds:
    """Remembers of which seconds something was lost, by camera and by what is withheld of them.

    `steady_s` is of a clock that nobody sets.
    """

    def __init__(self, steady_s: Callable[[], float] = time.monotonic) -> None:
        self._steady_s = steady_s
        self._lost: dict[tuple[CameraId, Rank], dict[int, float]] = {}
        """Seconds, and when they were lost; the oldest loss first."""

    def lose(self, rank: Rank, camera: CameraId, seconds: tuple[int, ...]) -> None:
        """Note that an event of this rank and of these seconds is lost."""
        withheld = _WITHHELD.get(rank)
        if withheld is None or not seconds:
            return
        now_s, known = self._steady_s(), self._lost.setdefault((camera, withheld), {})
        for second in seconds:
            known.pop(second, None)
            known[second] = now_s
        self._forget_old(now_s)

    def withholds(self, rank: Rank, camera: CameraId, seconds: tuple[int, ...]) -> bool:
        """Return whether an event speaks of a second of which something was lost that it would vouch for."""
        if not self._lost or rank not in _WITHHELD.values():
            return False
        self._forget_old(self._steady_s())
        return not self._lost.get((camera, rank), {}).keys().isdisjoint(seconds)

    def _forget_old(self, now_s: float) -> None:
        """Drop what was lost long ago, also of cameras that are gone, and what is too much; oldest first."""
        for place, lost in list(self._lost.items()):
            while lost:
                oldest = next(iter(lost))
                if len(lost) <= LOST_LIMIT and lost[oldest] >= now_s - LOST_KEPT_S:
                    break
                del lost[oldest]
            if not lost:
                del self._lost[place]
