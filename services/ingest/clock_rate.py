"""How fast the clock of a stream runs, against a clock that nobody sets. Pure.

What arrives is late by a delay that varies, and never early: so the rate is taken between the pictures that
came with the least delay. A stream's clock is steady when pictures are spread by it as evenly as they arrive,
or more: a camera that sends in bursts has a good clock and a bad arrival, one that stamps in leaps has it the
other way round.
"""

from collections import deque
from itertools import pairwise

WINDOW_S = 30.0
"""How far back pictures are looked at."""

PICTURES_KEPT = 1500

QUICK_S = 2.0
"""A rate that has changed shows in so much of the newest pictures."""

RECENT_S = 4.0
"""Over how long the evenness of pictures is measured."""

LEAST_SPAN_S, LEAST_PICTURES = 0.4, 8
"""From fewer pictures nothing is concluded."""

BURSTS = 8
"""So many bursts show how many pictures come in one."""

JUDGE_EVERY_S = 0.5

EXACT = 0.01
"""A clock that is off by no more than this is a good one."""

SLOWEST, FASTEST = 1 / 200, 200.0
"""Rates beyond these are none."""

UNEVEN, TREMBLING, MOST_UNEVEN = 2.0, 0.25, 0.75
"""A clock is unsteady that spreads its pictures so many times less evenly than they arrive, and by this part
of the time between two on top; and one that spreads them less evenly than chance would."""

RARE_SHARE = 0.1
"""Longer waits for a picture that make up no more of the time than this are no habit."""


Seen = tuple[float, float, float | None]
"""When a picture came, when it was by the stream's clock without its jumps, and how far apart that clock has
put those before it, None for one that shows between others."""


class ClockRate:
    """Measures one connection: what its clock counts in a second, and how its pictures arrive."""

    def __init__(self) -> None:
        self.rate: float | None = 1.0
        """Seconds of the stream in one second; None while its clock is unsteady. A good one until shown."""
        self.wait_s: float | None = None
        """How long the camera often lets wait for a picture: the length of its bursts, if it sends in such.

        None as long as that is not known.
        """
        self.interval_s: float | None = None
        """The time between two arrivals, on average of the newest; None as long as that is not known."""
        self.spacing_s = 0.0
        """The time between two pictures by the stream's clock, on average; 0 as long as that is not known."""
        self._pictures: deque[Seen] = deque(maxlen=PICTURES_KEPT)
        self._error = 1.0
        """How far the rate may be off."""
        self._judged_s = 0.0

    def look(self, steady_s: float, may_judge: bool = True) -> bool:
        """Judge by the pictures so far, if one may, when it is time for that; returns whether it was.

        Call it before `add`: the picture that comes now may begin a burst, of which nothing can be said yet.
        """
        if len(self._pictures) < LEAST_PICTURES or steady_s - self._judged_s < JUDGE_EVERY_S:
            return False
        self._judged_s = steady_s
        if may_judge:
            self._judge(steady_s)
        return True

    def add(self, steady_s: float, stream_s: float, apart_s: float | None) -> None:
        """Take a picture, see `Seen`."""
        if not self._pictures:
            self._judged_s = steady_s
        self._pictures.append((steady_s, stream_s, apart_s))
        while steady_s - self._pictures[0][0] > WINDOW_S:
            self._pictures.popleft()

    def go_on(self, rate: float | None) -> None:
        """Begin anew with a rate that was measured before a pause, in which the stream's clock stood."""
        self._pictures.clear()
        self.rate = rate

    def _newest(self, span_s: float) -> list[Seen]:
        from_s, newest = self._pictures[-1][0] - span_s, []
        for picture in reversed(self._pictures):
            if picture[0] < from_s:
                break
            newest.append(picture)
        return newest[::-1]

    def _judge(self, steady_s: float) -> None:
        pictures = list(self._pictures)
        self.wait_s = _wait_s(pictures)
        stamps = [stream_s for _, stream_s, _ in pictures]
        self.spacing_s = (max(stamps) - min(stamps)) / (len(stamps) - 1)
        newest = self._newest(max(RECENT_S, BURSTS * self.wait_s))
        end_s = min(steady_s, newest[-1][0] + self.wait_s)
        self.interval_s = (end_s - newest[0][0]) / len(newest)
        quick = self._newest(QUICK_S)
        if self._differs(quick, 2.0):
            self._pictures = deque(quick, PICTURES_KEPT)
            pictures = quick
        span_s = pictures[-1][0] - pictures[0][0]
        if len(pictures) < LEAST_PICTURES or span_s < LEAST_SPAN_S:
            return
        rate, error = _slope(pictures), self._error_of(span_s)
        if not SLOWEST <= rate <= FASTEST or not self._is_steady():
            self.rate, self._error = None, 1.0
            return
        before = self.rate
        is_refined = before != 1.0 and error <= self._error
        if before is None or is_refined or abs(rate / before - 1) > error:
            self.rate, self._error = 1.0 if abs(rate - 1) <= EXACT else rate, error

    def _differs(self, pictures: list[Seen], times: float) -> bool:
        """Return whether pictures show another rate, so many times surer than need be."""
        span_s = pictures[-1][0] - pictures[0][0]
        if self.rate is None or len(pictures) < LEAST_PICTURES or span_s < LEAST_SPAN_S:
            return False
        return abs(_slope(pictures) / self.rate - 1) > times * self._error_of(span_s)

    def _is_steady(self) -> bool:
        """Return whether the clock spreads pictures about as evenly as they arrive, or more."""
        newest = self._newest(RECENT_S)
        stamped = _unevenness([apart_s for _, _, apart_s in newest if apart_s is not None], self.spacing_s)
        arrived = _unevenness([b[0] - a[0] for a, b in pairwise(newest)], self.interval_s or 0.0)
        return stamped <= min(UNEVEN * arrived + TREMBLING, MOST_UNEVEN)

    def _error_of(self, span_s: float) -> float:
        return max(EXACT, (self.wait_s or 0.0) / span_s)


def _slope(pictures: list[Seen]) -> float:
    """Give the rate between the pictures of the first third and of the last that were delayed least."""
    (first_s, from_s, _), (last_s, to_s, _) = pictures[0], pictures[-1]
    span_s = last_s - first_s
    early = [picture for picture in pictures if picture[0] <= first_s + span_s / 3]
    late = [picture for picture in pictures if picture[0] >= last_s - span_s / 3]
    rate = (to_s - from_s) / span_s
    for _ in range(3):
        (early_s, early_stream_s, _), (late_s, late_stream_s, _) = (
            max(part, key=lambda picture: picture[1] - rate * picture[0]) for part in (early, late)
        )
        rate = (late_stream_s - early_stream_s) / (late_s - early_s)
    return rate


def _unevenness(spans_s: list[float], usual_s: float) -> float:
    """Give by which part of what is usual spans differ from it, on average; one counts for 1 at most."""
    if usual_s <= 0:
        return 1.0
    return sum(min(1.0, abs(span_s / usual_s - 1)) for span_s in spans_s) / max(1, len(spans_s))


def _wait_s(pictures: list[Seen]) -> float:
    """Give the longest wait for a picture that is no rare one."""
    waits = sorted((b[0] - a[0] for a, b in pairwise(pictures)), reverse=True)
    rare_s, passed_s = RARE_SHARE * sum(waits), 0.0
    for wait_s in waits:
        passed_s += wait_s
        if passed_s > rare_s:
            return wait_s
    return 0.0
