"""A scripted scene that is analysed by owners which crash, freeze, wake up as zombies and are replaced.

All of them see the same camera at ten frames a second; what reaches the store is a part of what each one
published, in any order and more than once. The truth is worked out from the script alone.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from services.core.evidence.fencing import Ownerships, admitted
from services.core.evidence.seconds import EvidenceJudge
from services.core.types import (
    AnalysedSecond,
    CameraId,
    Crossing,
    Detection,
    Event,
    Line,
    LineId,
    Ownership,
    PositionSeconds,
    Trajectory,
)
from services.detector.analyser import Analyser

CAMERA = CameraId("gate")
FPS = 10
LANES = 6
LENGTH_S = 24
START = 1_000_000_000
LINE = Line(LineId("main"), "Main", ((0.0, 0.5), (1.0, 0.5)))
WIDTH, HEIGHT = 0.05, 0.12

FREEZE_S = 2.1
"""Longer than an owner freezes: the time of a crossing in between is a guess; no two are that near."""

Judge = Callable[[], EvidenceJudge]
Rule = Callable[[Event, Ownerships], Event | None]


@dataclass(frozen=True)
class Walker:
    """An object on a straight way down its lane or up, perhaps resting on the line, perhaps hidden there."""

    lane: int
    begin_s: float
    speed: float
    is_up: bool
    rest_s: float = 0.0
    rest_y: float = 0.5
    hidden: tuple[float, float] = (0.0, 0.0)

    @property
    def end_s(self) -> float:
        return self.begin_s + 0.8 / self.speed + self.rest_s

    def y(self, time_s: float) -> float | None:
        """Its centre at a time; None when it is not there."""
        if not self.begin_s <= time_s <= self.end_s:
            return None
        moving_s = time_s - self.begin_s
        before_s = (self.rest_y - 0.1) / self.speed
        moving_s = min(moving_s, max(before_s, moving_s - self.rest_s))
        y = 0.1 + moving_s * self.speed
        return 1 - y if self.is_up else y

    def detection(self, time_s: float) -> Detection | None:
        y = self.y(time_s)
        if y is None or self.hidden[0] <= time_s < self.hidden[1]:
            return None
        x = (self.lane + 0.5) / LANES
        return Detection((x - WIDTH / 2, y - HEIGHT / 2, x + WIDTH / 2, y + HEIGHT / 2), "car", 0.8)


def time_of(frame: int) -> float:
    return START + frame / FPS


def shifted(event: Event, by_s: float) -> Event:
    """The same event at another time, for what keeps recent events only."""
    if isinstance(event, Crossing):
        return replace(event, time_s=event.time_s + by_s)
    if isinstance(event, Ownership):
        return replace(event, from_s=event.from_s + by_s)
    if isinstance(event, AnalysedSecond):
        return replace(event, second=event.second + int(by_s))
    if isinstance(event, PositionSeconds):
        return replace(event, seconds=tuple(second + int(by_s) for second in event.seconds))
    if isinstance(event, Trajectory):
        points = tuple(replace(point, time_s=point.time_s + by_s) for point in event.points)
        return replace(event, points=points)
    return event


def make_walkers(chance: random.Random) -> list[Walker]:
    walkers = []
    for lane in range(LANES):
        free_s = START + chance.uniform(-6, 2)
        while free_s < START + LENGTH_S:
            walker = _walker(chance, lane, free_s)
            walkers.append(walker)
            free_s = walker.end_s + chance.uniform(1.8, 4)
    return walkers


def _walker(chance: random.Random, lane: int, begin_s: float) -> Walker:
    speed, is_up = chance.uniform(0.15, 0.5), chance.random() < 0.5
    kind = chance.random()
    if kind < 0.25:
        speed = min(speed, 0.35)
        return Walker(lane, begin_s, speed, is_up, chance.uniform(1, 6), 0.5 + chance.uniform(-0.015, 0.015))
    if kind < 0.5:
        speed = chance.uniform(0.15, 0.3)
        hides_s = begin_s + 0.4 / speed - chance.uniform(0, 0.5)
        return Walker(lane, begin_s, speed, is_up, hidden=(hides_s, hides_s + chance.uniform(0.2, 1.2)))
    return Walker(lane, begin_s, speed, is_up)


Passing = tuple[int, float, str]
"""Lane, time and direction of a crossing."""


def true_passings(walkers: list[Walker]) -> list[Passing]:
    """Where each walker's way, straight between the frames, goes over the line."""
    found = []
    for walker in walkers:
        places = [(time_of(f), walker.y(time_of(f))) for f in range(-80, LENGTH_S * FPS + 120)]
        seen = [(time_s, y) for time_s, y in places if y is not None]
        for (a_s, a), (b_s, b) in pairwise(seen):
            if (a > 0.5) != (b > 0.5):
                time_s = a_s + (0.5 - a) / (b - a) * (b_s - a_s)
                found.append((walker.lane, time_s, "forward" if b > a else "backward"))
    return found


@dataclass
class Owner:
    """One ownership: what it published, frame by frame."""

    epoch: int
    first: int
    """The first frame that it analyses."""
    published: list[Event] = field(default_factory=list)


def analyse(walkers: list[Walker], owner: Owner, frames: Iterator[int] | range, judge: Judge) -> Analyser:
    """Let an owner analyse frames; what it publishes is in its list in the order in which it goes out."""
    analyser = Analyser(CAMERA, 16 / 9, [LINE], owner.epoch)
    evidence = judge()
    for frame in frames:
        if not owner.published:
            owner.published.append(Ownership(CAMERA, owner.epoch, time_of(frame)))
        found = (walker.detection(time_of(frame)) for walker in walkers)
        analysis = analyser.update(frame, time_of(frame), [item for item in found if item is not None])
        seconds = evidence.add(time_of(frame), analyser.pending())
        owner.published += [*analysis.crossings, *analysis.recorded]
        owner.published += [AnalysedSecond(CAMERA, item.second, owner.epoch) for item in seconds]
    return analyser


def run_owners(chance: random.Random, walkers: list[Walker], judge: Judge) -> tuple[list[Event], float]:
    """Let owners follow each other over the scene; give what got out, and how long nobody analysed."""
    events: list[Event] = []
    first, epoch, outage_s = 0, 100, float(LENGTH_S)
    while first < LENGTH_S * FPS:
        last = min(first + chance.randint(5, 120), LENGTH_S * FPS)
        owner = Owner(epoch, first)
        outage_s -= (last - first) / FPS
        if last < LENGTH_S * FPS:
            outage_s += _end(chance, walkers, owner, range(first, last), judge)
        else:
            analyse(walkers, owner, range(first, last), judge)
        events += owner.published
        first, epoch = last + chance.randint(1, 40), epoch + chance.randint(1, 3)
    return events, outage_s


def _end(chance: random.Random, walkers: list[Walker], owner: Owner, frames: range, judge: Judge) -> float:
    """End an ownership in one of three ways; give how many seconds of what it analysed never got out."""
    manner = chance.choice(["orderly", "killed", "zombie"])
    if manner == "orderly":
        analyser = analyse(walkers, owner, frames, judge)
        owner.published += analyser.finish()
        return 0.0
    if manner == "killed":
        analyse(walkers, owner, frames, judge)
        kept = Owner(owner.epoch, owner.first)
        lag = min(chance.randint(0, 10), len(frames))
        analyse(walkers, kept, frames[: len(frames) - lag], judge)
        number = chance.randint(len(kept.published), len(owner.published))
        del owner.published[number:]
        return lag / FPS
    frozen = chance.choice([0, chance.randint(1, 20)])
    woken = range(frames.stop + frozen, frames.stop + frozen + chance.randint(1, 60))
    analyse(walkers, owner, iter([*frames, *woken]), judge)
    return 0.0


@dataclass
class Kept:
    """What is in the store at the end."""

    passings: list[Passing]
    seconds: set[int]


def store(chance: random.Random, events: list[Event], rule: Rule = admitted) -> Kept:
    """Bring events to the store in any order, some twice, in batches; each batch is fenced by what is known.

    What was kept before is fenced again by each ownership that comes, as the database does it.
    """
    arriving = events + chance.sample(events, len(events) // 4)
    chance.shuffle(arriving)
    known: list[Ownership] = []
    kept: dict[object, Event] = {}
    while arriving:
        size = chance.randint(1, 20)
        batch, arriving = arriving[:size], arriving[size:]
        known += [event for event in batch if isinstance(event, Ownership)]
        kept.update((getattr(event, "id", event), event) for event in batch)
        kept = {key: rest for key, event in kept.items() if (rest := rule(event, {CAMERA: known}))}
    crossings = [event for event in kept.values() if isinstance(event, Crossing)]
    return Kept(
        [(int(crossing.along * LANES), crossing.time_s, crossing.direction) for crossing in crossings],
        {event.second for event in kept.values() if isinstance(event, AnalysedSecond)},
    )


def lies(walkers: list[Walker], kept: Kept) -> list[str]:
    """Say what the store claims that is not so."""
    found = []
    left: dict[tuple[int, str], list[float]] = defaultdict(list)
    for lane, time_s, direction in kept.passings:
        left[lane, direction].append(time_s)
    for lane, time_s, direction in true_passings(walkers):
        near = [other for other in left[lane, direction] if abs(other - time_s) < FREEZE_S]
        if near:
            left[lane, direction].remove(near[0])
        elif round(time_s * 1000) // 1000 in kept.seconds:
            found.append(f"missed in a covered second: lane {lane}, {time_s - START:.2f} s, {direction}")
    for (lane, direction), times in left.items():
        found += [f"counted without truth: lane {lane}, {t - START:.2f} s, {direction}" for t in times]
    return found


@dataclass(frozen=True)
class Round:
    """What one round came to."""

    lies: list[str]
    uncovered: int
    """Seconds without evidence."""
    outage_s: float
    takeovers: int
    rests: int


def play(seed: int, judge: Judge = lambda: EvidenceJudge(CAMERA), rule: Rule = admitted) -> Round:
    """One scene with its owners."""
    chance = random.Random(seed)
    walkers = make_walkers(chance)
    events, outage_s = run_owners(chance, walkers, judge)
    kept = store(chance, events, rule)
    scene = range(START, START + LENGTH_S)
    return Round(
        lies(walkers, kept),
        len([second for second in scene if second not in kept.seconds]),
        outage_s,
        len({event.epoch for event in events if isinstance(event, Ownership)}),
        len([walker for walker in walkers if walker.rest_s]),
    )
