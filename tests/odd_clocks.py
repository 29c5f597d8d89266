"""Cameras with odd clocks, played by a clock that is passed in: an hour takes no time."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from services.core.evidence.seconds import EvidenceJudge
from services.core.types import CameraId, Crossing, Detection, Line, LineId
from services.detector.analyser import Analyser
from services.detector.decode.sampler import Sampler
from services.ingest.clock import CaptureClock
from tests.fixtures.clock_habits import ClockHabit

BEGAN_S = 1_790_000_000.0
DELAY_S = 0.05
"""What every picture is under way at least."""

ANALYSED_FPS = 10.0
CAMERA = CameraId("odd")
LINE = Line(LineId("middle"), "Middle", ((0.5, 0.0), (0.5, 1.0)))
LANES, EVERY_S, PASSES_S = 4, 2.0, 3.0
"""In so many lanes something begins to pass each so many seconds, and takes so long."""

Arrival = Callable[[float, random.Random], float]
"""Gives when a picture arrives that was captured then."""

ARRIVALS: dict[str, Arrival] = {
    "even": lambda at_s, chance: at_s + abs(chance.gauss(0, 0.004)),
    "wifi": lambda at_s, chance: at_s + chance.expovariate(25),
    "busy": lambda at_s, chance: at_s + 0.3 * (chance.random() < 0.02) + abs(chance.gauss(0, 0.01)),
    "bursts": lambda at_s, chance: at_s // 2 * 2 + 2 + chance.random() * 0.01,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in the order of showing: seconds since the first one, when it was captured and as told."""

    real_s: float
    time_s: float
    ahead_s: float
    """By how much it was told to be captured after it arrived."""


def order_of(pictures: int, b_frames: int) -> list[int]:
    """Give the numbers of pictures as they are sent, where some show between two others."""
    order = [0]
    for first in range(1, pictures - b_frames, b_frames + 1):
        order += [first + b_frames, *range(first, first + b_frames)]
    return order


def play(
    habit: ClockHabit,
    arrival: str = "even",
    seconds: float = 60,
    fps: float = 25,
    b_frames: int = 0,
    seed: int = 0,
) -> list[Shown]:
    """Send pictures, and give what is made of them."""
    chance, now_s, shown = random.Random(seed), 0.0, []
    clock = CaptureClock(lambda: BEGAN_S + now_s, 0.0, lambda: 50 + now_s)
    for position, number in enumerate(order_of(int(seconds * fps), b_frames)):
        sent_s = (position + b_frames) / fps
        now_s = max(now_s, ARRIVALS[arrival](sent_s, chance) + DELAY_S)
        time_s = clock.time_s(habit(number / fps, number, fps)) - BEGAN_S
        shown.append(Shown(number / fps, time_s, time_s - now_s))
    return sorted(shown, key=lambda picture: picture.real_s)


@dataclass(slots=True)
class Tally:
    """What is counted of a street."""

    crossings: list[Crossing] = field(default_factory=list)
    seconds: set[int] = field(default_factory=set)
    """Those with evidence."""


def street(real_s: float) -> list[Detection]:
    """Give what passes the line at a time: half of it to the right, half to the left."""
    found = []
    for lane in range(LANES):
        from_s = real_s - (lane + 1) * EVERY_S / LANES
        for number in range(max(0, int((from_s - PASSES_S) // EVERY_S)), int(from_s // EVERY_S) + 1):
            share = (from_s - number * EVERY_S) / PASSES_S
            if 0 <= share <= 1:
                x, y = (share if lane % 2 else 1 - share), (lane + 0.5) / LANES
                found.append(Detection((x - 0.05, y - 0.08, x + 0.05, y + 0.08), "car", 0.9))
    return found


def count(shown: list[Shown]) -> Tally:
    """Count the street in pictures that were played."""
    sampler, tally = Sampler(ANALYSED_FPS), Tally()
    analyser, judge = Analyser(CAMERA, 16 / 9, [LINE]), EvidenceJudge(CAMERA)
    for frame, picture in enumerate(shown):
        time_s = BEGAN_S + picture.time_s
        if sampler.pick(time_s):
            tally.crossings += analyser.update(frame, time_s, street(picture.real_s)).crossings
            tally.seconds |= {second.second for second in judge.add(time_s, analyser.pending())}
    return tally
