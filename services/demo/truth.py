"""What really crosses a line: dense sampling of the scripted boxes, and nothing else.

This file is the judge of the counter and so knows nothing of it, nor of any detector or tracker.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from services.core.types import Direction, Line, LineId, Point
from services.demo.geometry import Floats
from services.demo.script import BoxTrack, Script, ScriptedObject

STEP_S = 1 / 200
BAND = 0.02
"""Share of the picture's height that an object must be away from a line to be clearly on one side."""


@dataclass(frozen=True, slots=True)
class TrueCrossing:
    """An object of the script crosses a line; `along` is 0 at the line's first point and 1 at its last."""

    time_s: float
    line: LineId
    direction: Direction
    class_name: str
    along: float
    number: int


def true_crossings(
    objects: Iterable[tuple[int, str, BoxTrack]], lines: Iterable[Line], aspect: float = 640 / 360
) -> list[TrueCrossing]:
    """All crossings of `(number, class, track)` objects, in order of time; `aspect`: width by height."""
    found: list[TrueCrossing] = []
    for line in lines:
        for number, class_name, track in objects:
            if line.classes is not None and class_name not in line.classes:
                continue
            if len(track.times_s) < 2:
                continue
            found.extend(_of_track(number, class_name, track, line, aspect))
    return sorted(found, key=lambda crossing: (crossing.time_s, crossing.line, crossing.number))


def truth_of(scene: Script[ScriptedObject], lines: Iterable[Line] | None = None) -> list[TrueCrossing]:
    """The crossings of one loop of a scene, over its own lines or others."""
    objects = [(thing.number, thing.class_name, thing.track) for thing in scene.objects]
    return true_crossings(objects, scene.lines if lines is None else lines)


def _of_track(number: int, class_name: str, track: BoxTrack, line: Line, aspect: float) -> list[TrueCrossing]:
    """Walks along one track; remembers the last clear side and where the line was met since then."""
    times = np.arange(track.times_s[0], track.times_s[-1], STEP_S)
    points = _anchors(track, times, line.anchor == "foot")
    sides, alongs, distances = _against(points, line.points, aspect)
    found: list[TrueCrossing] = []
    clear_side, met_at = 0, -1
    for i in range(len(times)):
        meets = i > 0 and sides[i] != sides[i - 1]
        if meets and 0.0 <= alongs[i] <= 1.0:
            met_at = i
        if distances[i] < BAND:
            continue
        side = int(sides[i])
        if clear_side != 0 and side != clear_side and met_at >= 0:
            direction: Direction = "forward" if side > 0 else "backward"
            found.append(
                TrueCrossing(
                    float(times[met_at]), line.id, direction, class_name, float(alongs[met_at]), number
                )
            )
        if side != clear_side or met_at >= 0:
            clear_side, met_at = side, -1
    return found


def _anchors(track: BoxTrack, times_s: Floats, foot: bool) -> Floats:
    """The counted point of the box at each time."""
    x1, y1, x2, y2 = (np.interp(times_s, track.times_s, track.boxes[:, i]) for i in range(4))
    return np.stack([(x1 + x2) / 2, y2 if foot else (y1 + y2) / 2], axis=1)


def _against(points: Floats, corners: tuple[Point, ...], aspect: float) -> tuple[Floats, Floats, Floats]:
    """Side, place along the line and distance of each point, by the line's nearest piece."""
    scale = np.array([aspect, 1.0])
    line, where = np.array(corners) * scale, points * scale
    pieces = np.linalg.norm(np.diff(line, axis=0), axis=1)
    whole, before = float(pieces.sum()), 0.0
    best = np.full(len(where), np.inf)
    sides, alongs = np.zeros(len(where)), np.zeros(len(where))
    for start, end, length in zip(line[:-1], line[1:], pieces, strict=True):
        ahead, off = (end - start) / length, where - start
        place = off @ ahead
        distance = np.linalg.norm(off - np.clip(place, 0.0, length)[:, None] * ahead, axis=1)
        nearer = distance < best
        side = np.sign(ahead[0] * off[:, 1] - ahead[1] * off[:, 0])
        sides, best = np.where(nearer, side, sides), np.where(nearer, distance, best)
        alongs = np.where(nearer, (before + place) / whole, alongs)
        before += float(length)
    return sides, alongs, best
