"""Writes the script of an entrance from a seed: room, camera, line, and who comes in; pure."""

import functools
import math
import random
from dataclasses import dataclass

from services.core.types import Line, LineId
from services.demo.entrance.programme import FACE_M, Programme
from services.demo.entrance.room import Room
from services.demo.entrance.visitor import Visitor, face_track
from services.demo.geometry import Viewpoint
from services.demo.script import DEFAULT_DURATION_S, DEFAULT_SEED, Script

SHORTEST_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Entrance(Script[Visitor]):
    """A scripted entrance."""

    room: Room


@functools.lru_cache(maxsize=16)
def make_entrance(seed: int = DEFAULT_SEED, duration_s: float = DEFAULT_DURATION_S) -> Entrance:
    """The entrance of a seed; a short one holds the first part of the programme only."""
    if duration_s < SHORTEST_S:
        raise ValueError(f"a demo scene lasts at least {SHORTEST_S:g} s, not {duration_s:g} s")
    rng = random.Random(f"sightline-entrance-{seed}")
    room = Room.draw(rng)
    line_m = rng.uniform(2.35, 2.65)
    view = _viewpoint(rng, line_m)
    programme = Programme(rng, seed, room, view, line_m)
    visitors = tuple(
        Visitor(number, situation, way, face_track(way, room.wall_m))
        for number, (situation, way) in enumerate(programme.ways(duration_s))
    )
    return Entrance(
        seed=seed,
        duration_s=duration_s,
        view=view,
        lines=(_line(view, line_m),),
        objects=visitors,
        room=room,
    )


def _viewpoint(rng: random.Random, line_m: float) -> Viewpoint:
    """A camera above the inner end of the way in, which looks at the faces."""
    height, focal = rng.uniform(2.1, 2.28), rng.uniform(635.0, 685.0)
    pitch = math.atan((height - FACE_M) / line_m) + math.atan(rng.uniform(10.0, 40.0) / focal)
    return Viewpoint(height, math.radians(rng.uniform(-6.0, 6.0)), pitch, focal)


def _line(view: Viewpoint, line_m: float) -> Line:
    """Across the way in; forward is inwards."""
    ends = (view.normalised((-1.15, line_m, FACE_M)), view.normalised((1.15, line_m, FACE_M)))
    points = tuple((round(min(max(x, 0.02), 0.98), 4), round(y, 4)) for x, y in ends)
    return Line(LineId("entrance"), "Entrance", points, color="#ff6b35")
