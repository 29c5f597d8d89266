"""Which events an ownership may still report: pure.

A camera's owner reports under its epoch. As soon as a newer owner has announced from when on it analyses
the camera, nothing of an older epoch from that time on counts any more, in whatever order the events come.
Times are compared by their milliseconds, as the database keeps them.

A clock that was set back makes a time come twice. There the first pass counts: what epochs after it report
of this time does not, and their ownerships do not forbid what the first pass reported.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from services.core.times import MS, milliseconds, seconds
from services.core.trajectories import with_points_at
from services.core.types import (
    AnalysedSecond,
    CameraId,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    Trajectory,
    TrajectoryPoint,
)

CLOCK_ERROR_S = 3600.0
"""By which the clocks of two machines may differ before an ownership is not believed any more."""

Ownerships = Mapping[CameraId, Sequence[Ownership]]
"""What is known of each camera's owners, in any order."""

Repeats = Mapping[CameraId, Sequence[RepeatedSpan]]
"""What is known of each camera's times that come twice, in any order."""

NO_REPEATS: Repeats = {}


def limit_ms(ownerships: Iterable[Ownership], epoch: int) -> float:
    """Give the time, in milliseconds since 1970, from which on an epoch may report nothing.

    Infinite when no newer owner is known, and for epoch 0, which stands for no ownership at all.
    """
    if epoch == 0:
        return math.inf
    newer = (milliseconds(ownership.from_s) for ownership in ownerships if ownership.epoch > epoch)
    return min(newer, default=math.inf)


def admitted(event: Event, ownerships: Ownerships, repeats: Repeats = NO_REPEATS) -> Event | None:
    """Give what of an event counts: all of it, a part of a trajectory or of some seconds, or None."""
    if not isinstance(event, Crossing | AnalysedSecond | PositionSeconds | Trajectory):
        return event
    rule = _Rule(ownerships.get(event.camera, ()), repeats.get(event.camera, ()), event.epoch)
    if isinstance(event, Crossing):
        return event if rule.counts(milliseconds(event.time_s)) else None
    if isinstance(event, AnalysedSecond):
        return event if rule.counts(event.second * MS, MS) else None
    if isinstance(event, PositionSeconds):
        allowed = tuple(second for second in event.seconds if rule.counts(second * MS, MS))
        if len(allowed) == len(event.seconds):
            return event
        return replace(event, seconds=allowed) if allowed else None
    return _admitted_points(event, rule)


def _admitted_points(trajectory: Trajectory, rule: "_Rule") -> Trajectory | None:
    """Cut a trajectory; a piece has few points and goes on to the very edge."""
    points: Sequence[TrajectoryPoint] = trajectory.points
    if trajectory.piece and points:
        points = with_points_at(points, rule.edges_s())
    kept = tuple(point for point in points if rule.counts(milliseconds(point.time_s)))
    if len(kept) == len(points):
        return trajectory
    return replace(trajectory, points=kept) if kept else None


class _Rule:
    """Which times one epoch may report of."""

    def __init__(self, known: Sequence[Ownership], repeats: Sequence[RepeatedSpan], epoch: int) -> None:
        self._known, self._epoch = known, epoch
        self._end_ms = limit_ms(known, epoch)
        self._twice = [
            (milliseconds(span.from_s), milliseconds(span.to_s), span.epoch)
            for span in repeats
            if span.epoch > 0 and epoch > 0
        ]

    def edges_s(self) -> list[float]:
        """Give the milliseconds before and after which the answer may be another."""
        edges_ms = {
            milliseconds(ownership.from_s) for ownership in self._known if ownership.epoch > self._epoch
        }
        for from_ms, until_ms, _ in self._twice:
            edges_ms |= {from_ms, until_ms}
        return [seconds(time_ms) for edge_ms in edges_ms for time_ms in (edge_ms - 1, edge_ms)]

    def counts(self, time_ms: int, length_ms: int = 1) -> bool:
        """Return whether all of a span, by its first millisecond and its length, may be reported."""
        end_ms = time_ms + length_ms
        passes = [
            epoch for from_ms, until_ms, epoch in self._twice if from_ms < end_ms and time_ms < until_ms
        ]
        if not passes:
            return end_ms <= self._end_ms
        first = min(passes)
        owners = (ownership for ownership in self._known if ownership.epoch <= first)
        return self._epoch <= first and end_ms <= limit_ms(owners, self._epoch)


def believed(ownership: Ownership) -> Ownership:
    """Give an ownership that fences nothing of long before it was taken.

    An epoch is the clock in milliseconds when the ownership was taken, or more. One that begins long
    before its epoch has a clock that was set back: it must not erase what was counted before that.
    """
    earliest_s = seconds(ownership.epoch) - CLOCK_ERROR_S
    return ownership if ownership.from_s >= earliest_s else replace(ownership, from_s=earliest_s)


def in_force(ownerships: Iterable[Ownership], since_s: float) -> list[Ownership]:
    """Give the ownerships that may still fence an event of `since_s` or later, the newest always, by epoch.

    An older one is of no use as soon as a newer one began before that time: it fences all that the older
    one would.
    """
    found: list[Ownership] = []
    for ownership in sorted(ownerships, key=lambda item: item.epoch, reverse=True):
        found.append(ownership)
        if ownership.from_s <= since_s:
            break
    return found[::-1]
