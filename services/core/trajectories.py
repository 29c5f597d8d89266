"""What a trajectory is made of: thinning by geometry, whole numbers, and joining of pieces. Pure.

Tolerance: a position that is left out was nowhere further than `TOLERANCE` picture heights from the straight
line between the kept ones at its own time, horizontally and vertically, for the centre of its box and for
the middle of its foot; no edge of the box was further off than `EDGE_TOLERANCE`. A track that stays within
twice that of one place is at rest: two points, however long it stays and however its box trembles.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from services.core.times import milliseconds, seconds
from services.core.types import Box, Trajectory, TrajectoryPoint

TOLERANCE = 0.004
"""Picture heights, 4 pixels of 1080: a fifth of the band of a line within which a side is not clear."""

EDGE_TOLERANCE = 4 * TOLERANCE
"""For the edges of a box, which tremble more than its centre and decide nothing."""

REST_FACTOR = 2.0
"""By how much both tolerances are wider for a track at rest."""

BOX_STEPS = 10_000
"""Stored boxes are in steps of 1 / this."""

LONGEST_REST_S = 600.0
"""A track at rest has one piece that grows for so long, then another one."""

LONGEST_WHOLE_S = 5400.0
"""Longer than any track that an earlier version stored as one piece: 3000 points, at most 1.8 s apart."""

NEXT_PIECE_S = LONGEST_REST_S + 10.0
"""By this time after the end of a piece the next one of its track has ended, if there is one."""

JOINED_POINTS = 10_000
"""Points of a joined trajectory; a track that has more comes in parts."""

ENDED_AT_ONCE = 8
"""Tracks that are looked at with each piece, whether they have ended: more than begin with it."""

Steps = tuple[int, int, int, int]
_Place = tuple[float, float, float, float]
"""Centre x and y, foot y, and half the width, each in tolerances."""


@dataclass(frozen=True, slots=True)
class Range:
    """Between which places a track was seen; its middle stands for all of them as long as it is narrow."""

    low: _Place
    high: _Place

    @classmethod
    def of(cls, points: Sequence[TrajectoryPoint], aspect: float) -> "Range":
        """Give the range of one or more points; `aspect` is the picture's width by its height."""
        columns = list(zip(*(_place(point.box, aspect) for point in points), strict=True))
        return cls(_four(map(min, columns)), _four(map(max, columns)))

    def with_range(self, other: "Range") -> "Range":
        """Give the range of both."""
        return Range(
            _four(map(min, zip(self.low, other.low, strict=True))),
            _four(map(max, zip(self.high, other.high, strict=True))),
        )

    @property
    def is_rest(self) -> bool:
        """Whether all places are near enough to the middle."""
        return all(high - low <= 2 * REST_FACTOR for low, high in zip(self.low, self.high, strict=True))

    def middle(self, aspect: float) -> Box:
        """Give the box in the middle."""
        x, y, foot, half = ((low + high) / 2 for low, high in zip(self.low, self.high, strict=True))
        x, y, foot, half = (
            x * TOLERANCE / aspect,
            y * TOLERANCE,
            foot * TOLERANCE,
            half * (EDGE_TOLERANCE - TOLERANCE) / aspect,
        )
        return x - half, 2 * y - foot, x + half, foot


def thinned(points: Sequence[TrajectoryPoint], aspect: float) -> tuple[TrajectoryPoint, ...]:
    """Leave out what lies near enough to the way between others: an opening window, by slopes.

    The first and the last point stay. Times ascend.
    """
    if len(points) <= 2:
        return tuple(points)
    kept = [points[0]]
    window = _Window(points[0], aspect)
    last = points[0]
    for point in points[1:]:
        if not window.reaches(point):
            kept.append(last)
            window = _Window(last, aspect)
            window.reaches(point)
        last = point
    return (*kept, last)


class _Window:
    """From which slopes a straight way begins at a point and passes all later ones near enough."""

    def __init__(self, start: TrajectoryPoint, aspect: float) -> None:
        self._start_s, self._aspect = start.time_s, aspect
        self._start = _place(start.box, aspect)
        self._low = [float("-inf")] * 4
        self._high = [float("inf")] * 4

    def reaches(self, point: TrajectoryPoint) -> bool:
        """Return whether a straight way may end at a point; if so, it has to pass there from now on."""
        duration_s = point.time_s - self._start_s
        place = _place(point.box, self._aspect)
        moved = [there - here for there, here in zip(place, self._start, strict=True)]
        for i in range(4):
            if not self._low[i] <= moved[i] / duration_s <= self._high[i]:
                return False
        for i in range(4):
            self._low[i] = max(self._low[i], (moved[i] - 1.0) / duration_s)
            self._high[i] = min(self._high[i], (moved[i] + 1.0) / duration_s)
        return True


def at_rest(trajectory: Trajectory) -> bool:
    """Return whether a piece is that of a track at rest: it may be published again, longer."""
    points = trajectory.points
    return trajectory.piece > 0 and all(point.box == points[0].box for point in points[1:])


def with_points_at(points: Sequence[TrajectoryPoint], times_s: Iterable[float]) -> list[TrajectoryPoint]:
    """Give one or more points with others on the way at some times, as far as these lie between them."""
    found = list(points)
    for time_s in sorted({time_s for time_s in times_s if points[0].time_s < time_s < points[-1].time_s}):
        for number in range(1, len(found)):
            before, after = found[number - 1], found[number]
            if before.time_s < time_s < after.time_s:
                found.insert(number, TrajectoryPoint(time_s, _between(before, after, time_s)))
                break
    return found


def packed(points: Sequence[TrajectoryPoint]) -> tuple[list[int], list[Steps]]:
    """Give points in whole numbers: milliseconds since 1970, and box corners in steps."""
    return (
        [milliseconds(point.time_s) for point in points],
        [_four_steps(point.box) for point in points],
    )


def unpacked(times_ms: Sequence[int], boxes: Sequence[Steps]) -> tuple[TrajectoryPoint, ...]:
    """Give the points of whole numbers, exact to half a step; ValueError when there is a part too many."""
    return tuple(
        TrajectoryPoint(seconds(time_ms), (a / BOX_STEPS, b / BOX_STEPS, c / BOX_STEPS, d / BOX_STEPS))
        for time_ms, (a, b, c, d) in zip(times_ms, boxes, strict=True)
    )


def joined(pieces: Iterable[Trajectory], limit: int = JOINED_POINTS) -> Iterator[Trajectory]:
    """Join the pieces of each track again. They come in the order of their ends, and so do the tracks.

    No more is in memory than the tracks of the last ten minutes. A track of more than `limit` points comes in
    parts: same id, in order, each beginning with the point at which the one before has ended.
    """
    open_tracks: dict[str, _OpenTrack] = {}
    for piece in pieces:
        end_s = piece.points[-1].time_s
        for id, track in list(islice(open_tracks.items(), ENDED_AT_ONCE)):
            if track.end_s + NEXT_PIECE_S < end_s:
                yield from open_tracks.pop(id).parts()
        known = open_tracks[piece.id] = open_tracks.pop(piece.id) if piece.id in open_tracks else _OpenTrack()
        known.add(piece)
        if len(known.points) > limit:
            yield from known.parts()
    for track in open_tracks.values():
        yield from track.parts()


class _OpenTrack:
    """The pieces of a track so far, from the last part on that was given."""

    def __init__(self) -> None:
        self.points: list[TrajectoryPoint] = []
        self._last: Trajectory | None = None
        self._confidence = 0.0
        self._is_continued = False

    @property
    def end_s(self) -> float:
        """When it was seen last."""
        return self.points[-1].time_s

    def add(self, piece: Trajectory) -> None:
        """Go on with a piece; where it begins before the end of the one before, it counts after that."""
        self._last, points = piece, self.points
        self._confidence = max(self._confidence, piece.confidence)
        for point in piece.points:
            if points and point.time_s <= points[-1].time_s:
                continue
            if len(points) > 1 and points[-2].box == points[-1].box == point.box:
                points.pop()
            points.append(point)

    def parts(self) -> Iterator[Trajectory]:
        """Give what is new since the last part, if anything is."""
        if self._last is None or (self._is_continued and len(self.points) == 1):
            return
        points = tuple(self.points)
        self.points, self._is_continued = [points[-1]], True
        yield replace(self._last, points=points, confidence=self._confidence, piece=0)


def _place(box: Box, aspect: float) -> _Place:
    left, top, right, bottom = box
    return (
        (left + right) / 2 * aspect / TOLERANCE,
        (top + bottom) / 2 / TOLERANCE,
        bottom / TOLERANCE,
        (right - left) / 2 * aspect / (EDGE_TOLERANCE - TOLERANCE),
    )


def _between(before: TrajectoryPoint, after: TrajectoryPoint, time_s: float) -> Box:
    share = (time_s - before.time_s) / (after.time_s - before.time_s)
    return _four(a + (b - a) * share for a, b in zip(before.box, after.box, strict=True))


def _four(values: Iterable[float]) -> _Place:
    a, b, c, d = values
    return a, b, c, d


def _four_steps(box: Box) -> Steps:
    a, b, c, d = (round(value * BOX_STEPS) for value in box)
    return a, b, c, d
