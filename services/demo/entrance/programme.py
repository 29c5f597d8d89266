"""Who comes in when, what they do on the way, and how each wears a mask; pure."""

import math
import random

import numpy as np

from services.demo.entrance.looks import VisitorLook, Wear
from services.demo.entrance.room import Room
from services.demo.entrance.visitor import EYES_M, Glance, Situation, Way
from services.demo.geometry import Floats, Viewpoint
from services.demo.paths import STEP_S, Path

MARGIN_S = 0.4
"""Nobody is in the room this long at both ends of a loop."""
WEARS = (Wear.RIGHT,) * 8 + (Wear.NONE,) * 5 + (Wear.NOSE_FREE,) * 3 + (Wear.UNDER_CHIN,) * 2
"""In what share masks are worn how; each scene has all of them."""
FIRST_S = 9.0
"""When the first visitor crosses the line."""
BEHIND_M = 1.6
"""Visitors begin this far behind the wall, beside its door."""
LAST_M = 0.5
"""Visitors end this near to the camera, beside its picture."""

FACE_M = 1.6
"""Height of a mean face's middle: the line lies across the way in at this height."""
FACE_BELOW_EYES_M, FACE_AHEAD_M = 0.032, 0.045
"""Where a face's middle is seen from the eyes' height and from where its owner stands."""
STOP_PX = 3.0
"""Who stops on the line stands this far from it in the picture: within its band, on a side that is sure."""

Mark = tuple[float, float]
"""A time and the way gone by then (seconds, metres)."""
Entry = tuple[Situation, Way]


class Programme:
    """What happens at the entrance, one thing after the other."""

    def __init__(self, rng: random.Random, seed: int, room: Room, view: Viewpoint, line_m: float) -> None:
        self.rng, self.seed, self.room, self.view = rng, seed, room, view
        self.line_m = line_m
        self.number = 0
        self._wears: list[Wear] = []

    def ways(self, duration_s: float) -> list[Entry]:
        """Everybody who comes and goes within the duration."""
        acts = [
            self._one,
            self._stop,
            self._pair,
            self._step_back,
            self._looks,
            self._behind,
            self._near_miss,
        ]
        entries: list[Entry] = self._bystander(5.0)
        time_s, turn = FIRST_S, 0
        while time_s < duration_s:
            group, length_s = acts[turn % len(acts)](time_s)
            if any(way.path.times_s[-1] > duration_s - MARGIN_S for _, way in group):
                group, length_s = self._one(time_s)
            if all(way.path.times_s[-1] <= duration_s - MARGIN_S for _, way in group):
                entries += group
            time_s += length_s
            turn += 1
        return [(kind, way) for kind, way in entries if way.path.times_s[0] >= MARGIN_S]

    def _look(self) -> VisitorLook:
        if not self._wears:
            self._wears = list(WEARS)
            self.rng.shuffle(self._wears)
        self.number += 1
        return VisitorLook.draw(self.seed * 1000 + self.number, self._wears.pop())

    def _meets_m(self, look: VisitorLook) -> float:
        """How far from the camera somebody stands whose face is seen on the line: a tall one nearer."""
        face_m = self.line_m * (self.view.height_m - _face_m(look)) / (self.view.height_m - FACE_M)
        return face_m + FACE_AHEAD_M

    def _route(self, lane_m: float, line_m: float) -> Floats:
        """From behind the wall through the door, along a lane and past the camera."""
        room = self.room
        side = self.rng.choice((-1, 1))
        return np.array(
            [
                (room.door_m + side * (room.door_half_m + 0.9), room.wall_m + BEHIND_M),
                (room.door_m + side * 0.25, room.wall_m + 0.5),
                (room.door_m + 0.4 * (lane_m - room.door_m), room.wall_m - 0.8),
                (lane_m, line_m + 1.3),
                (lane_m * 1.02, line_m - 0.5),
                (lane_m * 0.75, min(0.9, line_m - 0.7)),
                (math.copysign(1.0, lane_m), LAST_M),
            ]
        )

    def _walk(
        self,
        time_s: float,
        lane_m: float,
        marks: tuple[Mark, ...] = (),
        glances: tuple[Glance, ...] = (),
        look: VisitorLook | None = None,
    ) -> Way:
        """Over the line at `time_s`; marks: ways gone beyond the line by seconds after that, in between."""
        look = look or self._look()
        line_m = self._meets_m(look)
        route = self._route(lane_m, line_m)
        lengths = _lengths(route)
        at_m = float(np.interp(-line_m, -route[:, 1], lengths))
        speed_ms = self.rng.uniform(0.95, 1.25)
        times, gone = [time_s - at_m / speed_ms], [0.0]
        for after_s, beyond_m in (*marks,) or ((0.0, 0.0),):
            times.append(time_s + after_s)
            gone.append(at_m + beyond_m)
        times.append(times[-1] + (lengths[-1] - gone[-1]) / speed_ms)
        gone.append(float(lengths[-1]))
        path = _along(route, lengths, np.array(times), np.array(gone))
        return Way(look, path, self.view, glances)

    def _lane(self) -> float:
        return self.rng.uniform(-0.5, 0.5)

    def _one(self, time_s: float) -> tuple[list[Entry], float]:
        """One person straight in; some look at their telephone on the way."""
        nods = (
            (Glance(time_s - 4.0, 2.6, self.rng.uniform(-0.1, 0.1), 0.4),) if self.rng.random() < 0.3 else ()
        )
        return [("pass", self._walk(time_s, self._lane(), (), nods))], self.rng.uniform(2.2, 2.8)

    def _pair(self, time_s: float) -> tuple[list[Entry], float]:
        """Two side by side."""
        lane_m = self.rng.uniform(0.42, 0.55)
        other_s = time_s + self.rng.uniform(0.1, 0.4)
        return [("pass", self._walk(time_s, -lane_m)), ("pass", self._walk(other_s, lane_m))], 2.8

    def _behind(self, time_s: float) -> tuple[list[Entry], float]:
        """One close behind the other, hidden by the first's head for a while far from the line."""
        lane_m = self._lane()
        first = self._walk(time_s, lane_m)
        return [("occlusion", first), ("occlusion", self._walk(time_s + 1.3, lane_m * 0.8))], 3.6

    def _looks(self, time_s: float) -> tuple[list[Entry], float]:
        """Somebody looks to one side and to the other on the way in."""
        sign = self.rng.choice((-1, 1))
        glances = (
            Glance(time_s - 4.2, 1.8, sign * self.rng.uniform(0.6, 1.0)),
            Glance(time_s - 2.2, 1.6, -sign * self.rng.uniform(0.5, 0.9)),
        )
        return [("look_around", self._walk(time_s, self._lane(), (), glances))], 2.6

    def _stop(self, time_s: float) -> tuple[list[Entry], float]:
        """Somebody stands on the line for some seconds, as to have the temperature taken, and goes on."""
        pause_s = self.rng.uniform(2.6, 3.4)
        look = self._look()
        line_m = self._meets_m(look)
        metre_px = self.view.focal_px * (self.view.height_m - _face_m(look)) / line_m**2
        at_m = self.rng.choice((-1, 1)) * STOP_PX / metre_px
        marks = ((-1.2, -0.9), (0.0, at_m), (pause_s, at_m), (pause_s + 1.0, 0.8))
        return [("stop", self._walk(time_s, self._lane(), marks, look=look))], pause_s + 2.6

    def _step_back(self, time_s: float) -> tuple[list[Entry], float]:
        """Somebody is sent back over the line, waits, and comes in again."""
        marks = ((0.0, 0.0), (0.6, 0.42), (1.6, 0.42), (3.2, -0.75), (4.6, -0.75), (5.8, 0.4))
        return [("step_back", self._walk(time_s, self._lane(), marks))], 8.0

    def _near_miss(self, time_s: float) -> tuple[list[Entry], float]:
        """Somebody comes near the line, turns round well before it and leaves."""
        lane_m = self._lane()
        look = self._look()
        line_m = self._meets_m(look)
        route = self._route(lane_m, line_m)[:4]
        radius = 0.3 * (1 if lane_m < 0 else -1)
        turn = np.linspace(-math.pi / 2, math.pi / 2, 9)
        turn_m = line_m + self.rng.uniform(0.85, 1.15)
        arc = np.stack([lane_m + radius * (1 + np.sin(turn)), turn_m - 0.3 * np.cos(turn)], axis=1)
        back = route[:3][::-1] + np.array([[2 * radius, 0.0], [0.0, 0.0], [0.0, 0.0]])
        whole = np.concatenate([route[:3], [[lane_m, turn_m + 0.2]], arc, back])
        lengths = _lengths(whole)
        near_m, speed_ms = float(lengths[8]), 1.1
        times = np.array([time_s - near_m / speed_ms, time_s, time_s + (lengths[-1] - near_m) / speed_ms])
        path = _along(whole, lengths, times, np.array([0.0, near_m, float(lengths[-1])]))
        return [("near_miss", Way(look, path, self.view))], 2.4

    def _bystander(self, time_s: float) -> list[Entry]:
        """Somebody who waits by the wall, looks at who comes in, and leaves again."""
        side = self.rng.choice((-1, 1))
        room, look = self.room, self._look()
        spot = np.array([side * (room.half_m - 0.35), self._meets_m(look) + self.rng.uniform(2.0, 2.5)])
        door = np.array([room.door_m, room.wall_m + 0.3])
        hidden = np.array([room.door_m + side * (room.door_half_m + 0.9), room.wall_m + BEHIND_M])
        beyond, aside = spot + np.array([0.0, 0.7]), spot + np.array([-side * 0.3, 0.1])
        route = np.stack([hidden, door, beyond, spot, aside, door, hidden])
        lengths = _lengths(route)
        stay_s = self.rng.uniform(10.0, 16.0)
        walk_s = float(lengths[3]) / 1.1
        times = np.array([0.0, walk_s, walk_s + stay_s, 2 * walk_s + stay_s + 0.6]) + time_s - 4.0
        gone = np.array([0.0, lengths[3] - 0.3, lengths[3] - 0.29, lengths[-1]])
        path = _along(route, lengths, times, gone)
        glances = (Glance(time_s + walk_s, stay_s * 0.5, -side * 0.4),)
        return [("bystander", Way(look, path, self.view, glances))]


def _face_m(look: VisitorLook) -> float:
    return look.height_m - EYES_M - FACE_BELOW_EYES_M


def _lengths(route: Floats) -> Floats:
    """The way gone at each point of a route."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(route, axis=0), axis=1))])


def _along(route: Floats, lengths: Floats, marks_s: Floats, marks_m: Floats) -> Path:
    """A path by ways gone at times; it may go backwards too, facing as before."""
    times = np.arange(float(marks_s[0]), float(marks_s[-1]) + STEP_S, STEP_S)
    spread = np.linspace(-0.2, 0.2, 9)
    gone = np.mean([np.interp(times + shift, marks_s, marks_m) for shift in spread], axis=0)
    corners = np.linspace(-0.3, 0.3, 9)
    xs = np.mean([np.interp(gone + shift, lengths, route[:, 0]) for shift in corners], axis=0)
    ys = np.mean([np.interp(gone + shift, lengths, route[:, 1]) for shift in corners], axis=0)
    steps = np.diff(route, axis=0)
    angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    middles = (lengths[:-1] + lengths[1:]) / 2
    headings = np.mean([np.interp(gone + shift, middles, angles) for shift in corners], axis=0)
    travelled = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(gone)))])
    return Path(times, xs, ys, headings, travelled)
