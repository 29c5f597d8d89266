"""Whether what is said of stored positions is true: against what was observed."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from services.core.times import second_of, whole
from services.core.trajectories import (
    BOX_STEPS,
    EDGE_TOLERANCE,
    REST_FACTOR,
    TOLERANCE,
    joined,
    packed,
    unpacked,
    with_points_at,
)
from services.core.types import Box, Event, PositionSeconds, TrackedFrame, Trajectory

HALF_STEP = 0.5 / BOX_STEPS


def stored(piece: Trajectory) -> Trajectory:
    """A piece as the database gives it back."""
    return replace(piece, points=unpacked(*packed(piece.points)))


def longest(recorded: Sequence[Event]) -> list[Trajectory]:
    """The pieces as they are in the database: of a rest that grows, the longest."""
    pieces = [stored(item) for item in recorded if isinstance(item, Trajectory)]
    pieces.sort(key=lambda piece: piece.points[-1].time_s)
    kept = {piece.piece_id: piece for piece in pieces}
    return sorted(kept.values(), key=lambda piece: piece.points[-1].time_s)


def box_of(track: Trajectory, time_s: float) -> Box | None:
    """Where a joined track was; None where it was not."""
    place = bisect_left(track.points, time_s - 1e-6, key=lambda point: point.time_s)
    near = track.points[max(0, place - 1) : place + 1]
    points = with_points_at(near, [time_s]) if near else []
    return next((point.box for point in points if abs(point.time_s - time_s) < 1e-6), None)


def errors(seen: Box, kept: Box, aspect: float) -> tuple[float, float]:
    """How far apart two boxes are in picture heights: centre and foot, and edges."""
    (a, b, c, d), (e, f, g, h) = seen, kept
    middle = max(abs((a + c) - (e + g)) / 2 * aspect, abs((b + d) - (f + h)) / 2, abs(d - h))
    return middle, max(abs(a - e) * aspect, abs(b - f), abs(c - g) * aspect, abs(d - h))


def position_lies(
    frames: Sequence[TrackedFrame], published: Sequence[Event], aspect: float, said: set[int] | None = None
) -> list[str]:
    """Which observations of seconds that are said to be stored are not, or not near enough."""
    if said is None:
        said = {s for item in published if isinstance(item, PositionSeconds) for s in item.seconds}
    tracks = {track.track: track for track in joined(longest(published))}
    found = []
    for seen in frames:
        if second_of(seen.time_s) not in said:
            continue
        for item in seen.objects:
            kept = box_of(tracks[item.track], whole(seen.time_s)) if item.track in tracks else None
            if kept is None:
                found.append(f"track {item.track} at {seen.time_s} is not stored")
            else:
                middle, edge = errors(item.box, kept, aspect)
                if middle > REST_FACTOR * TOLERANCE + 2 * HALF_STEP * aspect + 1e-9:
                    found.append(f"track {item.track} at {seen.time_s}: {middle:.4f} off")
                if edge > REST_FACTOR * EDGE_TOLERANCE + 2 * HALF_STEP * aspect + 1e-9:
                    found.append(f"track {item.track} at {seen.time_s}: an edge {edge:.4f} off")
    return found
