"""Writes a scene's script from a seed: street, camera, lines and a programme of traffic; pure."""

import dataclasses
import functools
import math
import random
from collections.abc import Callable

from services.core.types import Line, LineId
from services.demo.bodies import Body, BodyKind
from services.demo.geometry import Viewpoint
from services.demo.paths import Path, Route, straight, turning
from services.demo.script import (
    DEFAULT_DURATION_S,
    DEFAULT_SEED,
    BoxTrack,
    Pole,
    Scene,
    SceneObject,
    Situation,
    Street,
    placed,
)

MARGIN_S = 0.4
"""The street is empty this long at both ends of a loop."""
REACH_M = 75.0
"""Routes begin and end this far to the sides, out of the picture."""
SHORTEST_S = 20.0

Entry = tuple[BodyKind, Path, Situation, int]
Act = Callable[[float], tuple[list[Entry], float]]
"""Body, path, situation and the group that lives or is left out together."""


@functools.lru_cache(maxsize=16)
def make_scene(seed: int = DEFAULT_SEED, duration_s: float = DEFAULT_DURATION_S) -> Scene:
    """The scene of a seed; a short one holds the first part of the programme only."""
    if duration_s < SHORTEST_S:
        raise ValueError(f"a demo scene lasts at least {SHORTEST_S:g} s, not {duration_s:g} s")
    rng = random.Random(f"sightline-demo-{seed}")
    view, street = _viewpoint(rng)
    line_u = rng.uniform(0.46, 0.54)
    side = rng.choice((-1.0, 1.0))
    walk_u = line_u + side * rng.uniform(0.02, 0.1)
    road_x = view.x_at(line_u, (street.near_m + street.far_m) / 2)
    walk_x = view.x_at(walk_u, street.walk_m)
    poles = (
        Pole(
            view.x_at(line_u - side * 0.27, street.kerb_m), street.kerb_m - 0.3, rng.uniform(6.0, 8.0), 0.09
        ),
        Pole(view.x_at(line_u + side * 0.36, street.end_m), street.end_m + 0.6, rng.uniform(6.0, 8.0), 0.09),
    )
    programme = _Programme(rng, street, road_x, walk_x)
    entries = programme.road(duration_s) + programme.walk(duration_s)
    objects = _fit(rng, entries, view, duration_s)
    return Scene(
        seed=seed,
        duration_s=duration_s,
        view=view,
        street=street,
        lines=_lines(view, street, road_x, walk_x),
        objects=objects,
        poles=poles,
    )


def _viewpoint(rng: random.Random) -> tuple[Viewpoint, Street]:
    """A lamp post's camera that looks over the street, from square on to well along it."""
    yaw = math.radians(rng.choice((-1, 1)) * rng.uniform(3.0, 33.0))
    height, focal = rng.uniform(4.6, 6.4), rng.uniform(530.0, 590.0)
    kerb = rng.uniform(14.5, 16.0) * math.cos(yaw)
    target_m = (kerb + 4.0) / math.cos(yaw)
    pitch = math.atan(height / target_m) - math.atan(rng.uniform(0.0, 25.0) / focal)
    street = Street(
        kerb, kerb - 4.4, kerb + 0.9, kerb + 3.4, kerb + 8.4, kerb + 11.0, rng.choice((1, 1, 1, -1))
    )
    return Viewpoint(height, yaw, pitch, focal), street


def _lines(view: Viewpoint, street: Street, road_x: float, walk_x: float) -> tuple[Line, ...]:
    """One line across the road and one across the pavement, at the height of the objects' centres."""

    def across(name: str, x_m: float, start_m: float, end_m: float, z_m: float, color: str) -> Line:
        ends = (view.normalised((x_m, start_m, z_m)), view.normalised((x_m, end_m, z_m)))
        points = tuple((round(x, 4), round(y, 4)) for x, y in ends)
        return Line(LineId(name.lower()), name, points, color=color)

    return (
        across("Road", road_x, street.kerb_m - 1.3, street.end_m + 3.0, 0.75, "#ff6b35"),
        across("Pavement", walk_x, street.walk_m - 1.7, street.walk_m + 1.7, 0.9, "#2ec4b6"),
    )


class _Programme:
    """What happens on the street, one thing after the other."""

    def __init__(self, rng: random.Random, street: Street, road_x: float, walk_x: float) -> None:
        self.rng, self.street, self.road_x, self.walk_x = rng, street, road_x, walk_x
        self.group = 0

    def road(self, duration_s: float) -> list[Entry]:
        """Traffic on the road: each act gets the time that it needs alone at the line."""
        acts: list[Act] = [self._stop, self._u_turn, self._behind_bus]
        self.rng.shuffle(acts)
        others: list[Act] = [
            self._pair,
            self._bicycle,
            self._truck,
            self._pair,
            self._motorbike,
            self._pair,
            self._bicycle,
        ]
        self.rng.shuffle(others)
        for place, act in enumerate(others[:2]):
            acts.insert(2 * place + 1, act)
        acts += others[2:] + others
        entries: list[Entry] = []
        time_s = 0.0
        for act in acts:
            if time_s > duration_s:
                break
            self.group += 1
            more, length_s = act(time_s)
            entries += more
            time_s += length_s
        return entries

    def _lane(self, near: bool) -> tuple[float, int]:
        """A lane's lateral distance and its direction along x."""
        sign = self.street.hand if near else -self.street.hand
        return (self.street.near_m if near else self.street.far_m), sign

    def _ride(
        self,
        kind: BodyKind,
        near: bool,
        time_s: float,
        speed_ms: float,
        y_m: float | None = None,
        stop_s: float = 0.0,
        situation: Situation = "pass",
    ) -> Entry:
        """Straight along a lane, over the line at `time_s` (or standing on it from about then)."""
        lane_m, sign = self._lane(near)
        y_m = lane_m if y_m is None else y_m
        route = straight((self.road_x - sign * REACH_M, y_m), (self.road_x + sign * REACH_M, y_m))
        at_m = REACH_M + (self.rng.uniform(-0.15, 0.15) if stop_s else 0.0)
        path = route.drive(speed_ms, time_s, at_m, (at_m, stop_s) if stop_s else None)
        return kind, path, situation, self.group

    def _speed(self) -> float:
        return self.rng.uniform(7.0, 9.0)

    def _pair(self, time_s: float) -> tuple[list[Entry], float]:
        """A car one way and a car the other way."""
        first = self.rng.random() < 0.5
        return [
            self._ride("car", first, time_s, self._speed()),
            self._ride("car", not first, time_s + self.rng.uniform(2.0, 2.6), self._speed()),
        ], 5.0

    def _truck(self, time_s: float) -> tuple[list[Entry], float]:
        return [self._ride("truck", self.rng.random() < 0.5, time_s + 0.4, self._speed())], 4.0

    def _motorbike(self, time_s: float) -> tuple[list[Entry], float]:
        near, speed = self.rng.random() < 0.6, self._speed()
        ride = self._ride("motorbike", near, time_s, speed)
        return [ride, ("motorcyclist", *ride[1:])], 3.5

    def _bicycle(self, time_s: float) -> tuple[list[Entry], float]:
        ride = self._ride("bicycle", True, time_s + 0.5, self.rng.uniform(4.0, 5.2), self.street.bike_m)
        return [ride, ("cyclist", *ride[1:])], 4.0

    def _stop(self, time_s: float) -> tuple[list[Entry], float]:
        """A car stands with its centre on the line for some seconds and goes on."""
        pause_s = self.rng.uniform(3.0, 4.0)
        return [self._ride("car", True, time_s + 1.5, 7.0, None, pause_s, "stop")], pause_s + 7.0

    def _u_turn(self, time_s: float) -> tuple[list[Entry], float]:
        """A car crosses the line, turns round and comes back over it on the other lane."""
        near_m, sign = self._lane(True)
        beyond_m = self.rng.uniform(3.6, 4.6)
        start_x = self.road_x - sign * REACH_M
        route = turning(start_x, self.road_x + sign * beyond_m, near_m, self.street.far_m)
        path = route.drive(5.0, time_s + 1.0, REACH_M)
        return [("car", path, "u_turn", self.group)], 10.0

    def _behind_bus(self, time_s: float) -> tuple[list[Entry], float]:
        """A bus on the near lane hides a car of the far lane, away from the line."""
        speed = self.rng.uniform(6.5, 7.5)
        return [
            self._ride("bus", True, time_s + 1.0, speed, None, 0.0, "occlusion"),
            self._ride("car", False, time_s + 3.4, 8.0, None, 0.0, "occlusion"),
        ], 6.5

    def walk(self, duration_s: float) -> list[Entry]:
        """People on the pavement, both ways; one comes near the line and goes back."""
        entries: list[Entry] = []
        time_s, number = 0.0, 0
        while time_s < duration_s:
            self.group += 1
            if number == 2:
                entries.append(self._near_miss(time_s + 2.5))
                time_s += 8.5
            else:
                entries.append(self._walker(time_s, 1 if self.rng.random() < 0.5 else -1))
                time_s += self.rng.uniform(3.4, 5.0)
            number += 1
        return entries

    def _walker(self, time_s: float, sign: int) -> Entry:
        y_m = self.street.walk_m + sign * self.rng.uniform(0.25, 0.5)
        route = straight((self.walk_x - sign * 40.0, y_m), (self.walk_x + sign * 40.0, y_m))
        return "person", route.drive(self.rng.uniform(1.3, 1.6), time_s, 40.0), "pass", self.group

    def _near_miss(self, time_s: float) -> Entry:
        """Somebody walks up to the line, turns round well before it and goes back."""
        sign = self.rng.choice((-1, 1))
        y_m, short_m = self.street.walk_m + 1.15, self.rng.uniform(1.0, 1.4)
        start_x = self.walk_x - sign * 40.0
        route: Route = turning(start_x, self.walk_x - sign * (short_m + 0.25), y_m - 0.25, y_m + 0.25)
        return "person", route.drive(1.4, time_s, 40.0 - short_m), "near_miss", self.group


def _fit(
    rng: random.Random, entries: list[Entry], view: Viewpoint, duration_s: float
) -> tuple[SceneObject, ...]:
    """Moves the programme so that the street is empty at first; leaves out what would not end in time."""
    seeds = {id(path): rng.randrange(1 << 30) for _, path, _, _ in entries}
    things = [
        (group, placed(number, Body(kind, seeds[id(path)] + number), path, situation, view))
        for number, (kind, path, situation, group) in enumerate(entries)
    ]
    seen = [(group, thing) for group, thing in things if len(thing.track.times_s) > 1]
    walkers_s = min(float(t.track.times_s[0]) for _, t in seen if t.body.kind == "person")
    riders_s = min(float(t.track.times_s[0]) for _, t in seen if t.body.kind != "person")
    kept: list[SceneObject] = []
    late: set[int] = set()
    for group, thing in seen:
        earliest_s = walkers_s if thing.body.kind == "person" else riders_s
        shift_s = math.ceil((MARGIN_S - earliest_s) * 25) / 25
        if thing.track.times_s[-1] + shift_s > duration_s - MARGIN_S:
            late.add(group)
        track = BoxTrack(thing.track.times_s + shift_s, thing.track.boxes)
        kept.append(dataclasses.replace(thing, path=thing.path.shifted(shift_s), track=track))
    groups = {thing.number: group for group, thing in seen}
    return tuple(thing for thing in kept if groups[thing.number] not in late)
