"""How many pictures a second counting needs: one rule for what people set and for what cameras send. Pure.

Measured on the recordings and the scripted scenes (docs/adr/0028): down to four pictures a second most of
what crosses is counted; below that ever more of it passes between two pictures.
"""

import math

from services.core.errors import BadInputError

LEAST_FPS, MOST_FPS = 4.0, 60.0
"""Pictures to analyse each second that a camera may be set to."""

LEAST_RATE = 0.9 * LEAST_FPS
"""Pictures a second from which a second can be evidence: a camera that sends four trembles a little."""

STEADY_RATE = 0.95 * LEAST_FPS
"""Pictures a second from which a camera that was too slow is quick enough again."""

WINDOW_S = 3.0
"""Over how long the rate of a camera is measured. The first slow window may hold quicker pictures too."""

LONGEST_S = 30.0
"""Longer without a picture is no slow camera but another silence."""


def check_fps(fps: float, name: str = "fps", most: float = MOST_FPS) -> None:
    """Refuse a rate at which nothing can be counted; BadInputError says what may stand there."""
    if not (math.isfinite(fps) and LEAST_FPS <= fps <= most):
        raise BadInputError(
            f"{name} is {fps:g}: give {LEAST_FPS:g} to {most:g} frames to analyse a second; with fewer than "
            f"{LEAST_FPS:g} too much passes between two of them to be counted"
        )


def countable_fps(fps: float) -> float:
    """Give the rate at which a camera is analysed whose setup may be of an older release."""
    return min(max(fps, LEAST_FPS), MOST_FPS)


class DeliveredRate:
    """Measures what a camera sends, by its capture times, and says whether that is too slow to be counted."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._was_slow = False
        self.cause = ""
        """Why the camera cannot be counted, and what to do; empty where it can."""

    def begin(self) -> None:
        """Measure anew: the next picture is of another connection. What was found last holds until then."""
        self._first, self._was_slow = None, False

    def see(self, frame: int, time_s: float) -> str:
        """Take the number and time of a picture, and give the cause as it is now."""
        if self._first is None or not 0 <= time_s - self._first[1] <= LONGEST_S:
            self._first = frame, time_s
        first_frame, first_s = self._first
        if time_s - first_s >= WINDOW_S:
            self._judge((frame - first_frame) / (time_s - first_s))
            self._first = frame, time_s
        return self.cause

    def _judge(self, rate: float) -> None:
        is_slow = rate < LEAST_RATE
        if rate >= STEADY_RATE:
            self.cause = ""
        elif is_slow and self._was_slow and not self.cause:
            self.cause = (
                f"the camera sends {_words(rate)}, too few to count: at least {LEAST_FPS:g} are needed; "
                "raise its frame rate, and in the dark the slowest shutter that it may choose"
            )
        self._was_slow = is_slow


def _words(rate: float) -> str:
    """Give a rate as a person reads it."""
    return f"{rate:.1f} pictures a second" if rate >= 0.95 else f"a picture every {1 / rate:.0f} s"
