"""Which pictures are analysed: pure, by capture time."""

from services.core.evidence.rate import LEAST_FPS

SLOWEST_FPS = 1.0
"""Overload never lowers the rate below this. Long before that nothing is counted any more, and the live view
goes on (see `services/core/evidence/rate.py`)."""

LATE = 1.5
"""Periods between two pictures from which one that was due is missing, if any is."""

LONGEST_STEP_S = 1.2 / LEAST_FPS
"""No picture is left out where the step to the next one would be longer than this: a camera that sends a
little more than the least that can be counted would be a gap otherwise, where that is asked for."""

SMOOTHING = 0.1
"""Weight of the newest step in the measured distance of pictures: single ones tremble."""


class Sampler:
    """Picks pictures at an even rate and lowers it while analysis cannot keep up.

    Load is shed here, by analysing fewer pictures, and never by letting the delay grow.
    """

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._rate = fps
        self._next_s: float | None = None
        self._picked_s = self._step_s = 0.0
        self._seen_s: float | None = None
        self._interval_s = 0.0

    @property
    def rate(self) -> float:
        """Pictures a second that are picked now."""
        return self._rate

    def pick(self, time_s: float) -> bool:
        """Return whether the picture of this capture time is analysed."""
        period_s = 1 / self._rate
        if self._next_s is None or abs(time_s - self._next_s) > 10 * period_s:
            self._next_s = time_s
        self._follow(time_s)
        if time_s < self._next_s - period_s * 0.05:
            if self._rate < LEAST_FPS or time_s + self._interval_s - self._picked_s <= LONGEST_STEP_S:
                return False
            self._next_s = time_s
        self._next_s += period_s
        if self._next_s <= time_s:
            self._next_s = time_s + period_s * 0.5
        self._step_s, self._picked_s = time_s - self._picked_s, time_s
        return True

    def _follow(self, time_s: float) -> None:
        """Measure how far apart the pictures are that come, whether they are picked or not."""
        step_s = 0.0 if self._seen_s is None else time_s - self._seen_s
        if self._seen_s is None or not 0 < step_s <= LONGEST_STEP_S:
            self._interval_s = 0.0
        elif self._interval_s == 0.0:
            self._interval_s = step_s
        else:
            self._interval_s += (step_s - self._interval_s) * SMOOTHING
        self._seen_s = time_s

    def has_missed(self, lost: int) -> bool:
        """Return whether a picture that was due before the newest one is missing, where `lost` of all are."""
        return lost > 0 and self._step_s > LATE / self._rate

    def adapt(self, backlog_s: float) -> None:
        """Lower the rate while pictures wait for long, raise it slowly when they do not."""
        if backlog_s > 1.0:
            self._rate = max(SLOWEST_FPS, self._rate * 0.8)
        elif backlog_s < 0.3:
            self._rate = min(self.fps, self._rate * 1.05)
