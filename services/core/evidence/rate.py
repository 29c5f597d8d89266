"""How many pictures a second counting needs: one rule for what people set and for what cameras send. Pure.

Measured on the recordings and the scripted scenes (docs/adr/0028): down to four pictures a second most of
what crosses is counted; below that ever more of it passes between two pictures.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from services.core.errors import BadInputError
from services.core.sentences.sentence import Sentence, sentence

LEAST_FPS, MOST_FPS = 4.0, 60.0
"""Pictures to analyse each second that a camera may be set to."""

LEAST_RATE = 0.9 * LEAST_FPS
"""Pictures a second from which a second can be evidence: a camera that sends four trembles a little."""

MOST_LATE = 0.27
"""Share of a span by which its steps may be longer than those of the least rate: what one hole that the
tracker bears takes of a second. A camera that sends in bursts shows little more than a picture for each."""

STEADY_RATE = 0.95 * LEAST_FPS
"""Pictures a second from which a camera that was too slow is quick enough again."""

WINDOW_S = 3.0
"""Over how long the rate of a camera is measured. The first slow window may hold quicker pictures too."""

SLOWEST_RATE = 0.95
"""Pictures a second from which a person reads a rate; below it, how long one picture takes."""

LONGEST_S = 30.0
"""Longer without a picture is no slow camera but another silence."""


def check_fps(fps: float, name: str = "fps", most: float = MOST_FPS) -> None:
    """Refuse a rate at which nothing can be counted; BadInputError says what may stand there."""
    if not (math.isfinite(fps) and LEAST_FPS <= fps <= most):
        raise BadInputError("fps-invalid", name=name, fps=fps, least=LEAST_FPS, most=most, fewest=LEAST_FPS)


def countable_fps(fps: float) -> float:
    """Give the rate at which a camera is analysed whose setup may be of an older release."""
    return min(max(fps, LEAST_FPS), MOST_FPS)


@dataclass(slots=True)
class Steps:
    """Steps of time from one picture to the next."""

    number: int = 0
    span_s: float = 0.0
    late_s: float = 0.0
    """By how much they are longer than those of the least rate."""

    def add(self, step_s: float) -> None:
        """Take the next step."""
        self.number += 1
        self.span_s += step_s
        self.late_s += max(0.0, step_s - 1 / LEAST_FPS)

    @property
    def rate(self) -> float:
        """Pictures a second; 0 where no time has passed."""
        return self.number / self.span_s if self.span_s > 0 else 0.0

    @property
    def are_even(self) -> bool:
        """Whether the pictures do not come in bursts."""
        return self.late_s <= MOST_LATE * self.span_s

    @property
    def are_countable(self) -> bool:
        """Whether there are enough pictures, and no bursts."""
        return self.number >= LEAST_RATE * self.span_s and self.are_even


class DeliveredRate:
    """Measures what a camera sends, by its capture times, and says whether that is too slow to be counted."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._was_slow = False
        self.cause: Sentence | None = None
        """Why the camera cannot be counted, and what to do; None where it can."""

    def begin(self) -> None:
        """Measure anew: the next picture is of another connection. What was found last holds until then."""
        self._times_s, self._was_slow = [], False

    def see(self, time_s: float) -> Sentence | None:
        """Take the time of the next picture, in the order of decoding, and give the cause as it is now."""
        times_s = self._times_s
        if times_s and not 0 <= time_s - times_s[0] <= LONGEST_S:
            times_s.clear()
        times_s.append(time_s)
        if time_s - times_s[0] >= WINDOW_S:
            steps = Steps()
            for before_s, after_s in pairwise(sorted(times_s)):
                steps.add(after_s - before_s)
            self._judge(steps)
            self._times_s = [time_s]
        return self.cause

    def _judge(self, steps: Steps) -> None:
        is_slow = not steps.are_countable
        if steps.rate >= STEADY_RATE and steps.are_even:
            self.cause = None
        elif is_slow and self._was_slow and self.cause is None:
            self.cause = _cause(steps)
        self._was_slow = is_slow


def _cause(steps: Steps) -> Sentence:
    """Say it with the rate as a person reads it."""
    if steps.rate >= LEAST_RATE:
        return sentence("camera-bursts", rate=round(steps.rate, 1), seconds=1 / LEAST_FPS)
    if steps.rate >= SLOWEST_RATE:
        return sentence("camera-slow", rate=round(steps.rate, 1), least=LEAST_FPS)
    return sentence("camera-very-slow", seconds=round(1 / steps.rate), least=LEAST_FPS)
