"""Cutting the paths of live tracks into pieces, and the word that the positions of seconds are stored. Pure.

Time is divided into cells of five seconds of the capture time. With the first frame of a later cell, the
pieces of the cell that is over are given, and after them the word for its seconds: whoever publishes them in
this order never says that positions are stored which are not. What ends without notice loses one cell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from services.core.times import second_of
from services.core.trajectories import LONGEST_REST_S, Range, thinned
from services.core.types import (
    Box,
    CameraId,
    PositionSeconds,
    TrackedFrame,
    TrackedObject,
    Trajectory,
    TrajectoryPoint,
)

PIECE_S = 5
"""Longest span of a piece, and the length of a cell."""

MOST_OBSERVED = 250
"""Positions observed of a track within a piece: with more pictures a second it ends earlier."""

Recorded = Trajectory | PositionSeconds


@dataclass(slots=True)
class _Path:
    """What is known of a live track that is not in a piece yet, and of its rest up to there."""

    object: TrackedObject
    confidence: float = 0.0
    pieces: int = 0
    points: list[TrajectoryPoint] = field(default_factory=list)
    rest: "_Rest | None" = None


@dataclass(frozen=True, slots=True)
class _Rest:
    """A track has been at rest up to the end of its newest piece."""

    since_s: float
    range: Range


class PieceRecorder:
    """Follows the tracks of one analyser; what it gives is to be published in its order."""

    def __init__(self, camera: CameraId, aspect: float, epoch: int = 0, connection: int = 0) -> None:
        self._camera, self._aspect = camera, aspect
        self._epoch, self._connection = epoch, connection
        self._first_frame: int | None = None
        self._first_second = 0
        """Another analyser may have seen frames of it before this one began: no word is given for it."""
        self._last_s = float("-inf")
        self._paths: dict[int, _Path] = {}
        self._seconds: list[int] = []
        """Seconds of the cell that have frames."""

    def identity(self, track: int) -> str:
        """Name a track for ever: another analyser of this connection began at another frame."""
        return f"{self._camera}/{self._epoch}.{self._connection}.{self._first_frame}/{track}"

    def confidence(self, track: int) -> float:
        """Give the highest confidence with which a live track was seen."""
        return self._paths[track].confidence

    def add(self, frame: TrackedFrame) -> list[Recorded]:
        """Take the tracks of the next frame; give the pieces of a cell that is over, and its word."""
        second = second_of(frame.time_s)
        if self._first_frame is None:
            self._first_frame, self._first_second = frame.frame, second
        recorded: list[Recorded] = []
        is_back = frame.time_s <= self._last_s
        if self._seconds and (is_back or second // PIECE_S != self._seconds[0] // PIECE_S):
            recorded = self._end_cell(second)
        if is_back:
            for path in self._paths.values():
                path.rest = None
        self._last_s = frame.time_s
        if not self._seconds or self._seconds[-1] != second:
            self._seconds.append(second)
        for item in frame.objects:
            path = self._paths.setdefault(item.track, _Path(item))
            path.object = item
            path.confidence = max(path.confidence, item.confidence)
            path.points.append(TrajectoryPoint(frame.time_s, item.box))
            if len(path.points) >= MOST_OBSERVED:
                recorded.append(self._piece(path))
        return recorded

    def close(self, tracks: Iterable[int]) -> list[Recorded]:
        """Give the last pieces of tracks that are closed."""
        paths = [self._paths.pop(track) for track in tracks if track in self._paths]
        return [self._piece(path) for path in paths if path.points]

    def finish(self) -> list[Recorded]:
        """Close all tracks. The second of the last frame is not over, and no word is given for it."""
        recorded = self._end_cell(second_of(self._last_s)) if self._seconds else []
        self._paths.clear()
        return recorded

    def _end_cell(self, following: int) -> list[Recorded]:
        """Give what was seen up to a frame of a second that may be the same, or an earlier one."""
        recorded: list[Recorded] = [self._piece(path) for path in self._paths.values() if path.points]
        newest, begun = self._seconds[-1], self._first_second
        over = tuple(
            second
            for second in self._seconds
            if second not in (begun, following) and (second < newest or newest < following)
        )
        if over:
            recorded.append(PositionSeconds(self._camera, over, self._epoch, self._connection))
        self._seconds = []
        return recorded

    def _piece(self, path: _Path) -> Trajectory:
        """Give what was observed since the last piece, or the piece of a rest that goes on, longer."""
        points, path.points = path.points, []
        seen = Range.of(points, self._aspect)
        first_s, last_s = points[0].time_s, points[-1].time_s
        rest = path.rest
        if rest is not None and last_s <= rest.since_s + LONGEST_REST_S:
            whole = rest.range.with_range(seen)
            if whole.is_rest:
                path.rest = replace(rest, range=whole)
                return self._trajectory(path, _still(rest.since_s, last_s, whole.middle(self._aspect)))
        path.pieces += 1
        if seen.is_rest:
            path.rest = _Rest(first_s, seen)
            return self._trajectory(path, _still(first_s, last_s, seen.middle(self._aspect)))
        path.rest = None
        return self._trajectory(path, thinned(points, self._aspect))

    def _trajectory(self, path: _Path, points: Sequence[TrajectoryPoint]) -> Trajectory:
        return Trajectory(
            id=self.identity(path.object.track),
            camera=self._camera,
            track=path.object.track,
            epoch=self._epoch,
            class_name=path.object.class_name,
            confidence=path.confidence,
            points=tuple(points),
            piece=path.pieces,
        )


def newest_seconds(piece: Trajectory) -> tuple[int, ...]:
    """Give the seconds whose positions a piece brings: those of its newest cell, also of one at rest.

    A track that is one piece as a whole is of an earlier version, which gave no word for its seconds.
    """
    if not piece.piece or not piece.points:
        return ()
    first, last = second_of(piece.points[0].time_s), second_of(piece.points[-1].time_s)
    cell = last // PIECE_S * PIECE_S
    return tuple(range(max(first, cell), last + 1))


def _still(from_s: float, to_s: float, box: Box) -> list[TrajectoryPoint]:
    points = [TrajectoryPoint(from_s, box)]
    return points if to_s <= from_s else [*points, TrajectoryPoint(to_s, box)]
