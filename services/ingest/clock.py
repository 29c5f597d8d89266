"""The capture time of pictures: the stream's own clock, anchored to UTC, as far as it can be followed. Pure.

Here times of frames are born, and rounded to the millisecond: everything that follows compares them as they
are.
"""

from collections import deque
from collections.abc import Callable
from statistics import median

from services.core.limits import UNITS_PER_S_LIMIT
from services.core.times import whole
from services.ingest.clock_rate import ClockRate

LARGEST_DRIFT_S = 3.0
"""Times that have come this far behind UTC are anchored anew; none is ahead of it by more."""

STEP_S = 0.001
"""Two pictures in a row are never captured in the same millisecond."""

LEAST_STEP_S = 1 / UNITS_PER_S_LIMIT
"""No camera sends pictures that are closer."""

STEPS_KEPT, LEAST_STEPS = 15, 4
"""Steps of the stream's clock that show what it usually does, and the fewest of them."""

FREE, FILLS_KEPT = 0.6, 20
"""Place that a picture needs before and behind it to show there, and share of the steps back that find it."""

USUAL = 4.0
"""A step of the stream's clock so many times longer or shorter than usual needs arrival to confirm it."""

LONG_STEP_S, UNKNOWN_STEP_S = 0.3, 1.0
"""A longer step to one needs that too, however usual it is, and a longer one that nobody can compare."""

LEAD_S = 0.3
"""A picture is not captured later than it arrives; by so much it may seem so."""

PAUSE = 2.5
"""A wait for a picture so many times longer than usual, and than any burst, is a pause of the camera."""

LEAST_PAUSE_S, LATE_STILL = 0.5, 0.8
"""A picture that comes so much later than its stamp says was kept back, or the camera's clock paused with it:
then those that follow are late by this share of it, too."""

LONGEST_KEPT_S = 30.0
"""No picture is kept back for longer: after such a wait this machine has slept, or was stopped."""

KNOWN_S = 5.0
"""After so much of a connection it is known how its pictures arrive."""

NEAR_S = 0.1
"""A time that is no further off from the pictures that came with the least delay is right."""

SLEW_S, MOST_SLEW = 5.0, 0.1
"""What is further off is made up for within so many seconds, by a tenth of the time at most."""

LAGS_S, LEAST_LAGS_S = 3.0, 1.0
"""Over how long the least delay is looked for: so much, or two bursts."""


def reached_s(now_s: float, newest_s: float) -> float:
    """Give how far a camera's time has come, whose newest capture time may be a little ahead of the clock.

    When it is ahead by more than a capture time ever is, the clock of this machine was set back.
    """
    return newest_s if now_s <= newest_s < now_s + LARGEST_DRIFT_S else now_s


class CaptureClock:
    """Turns the clock of one connection into UTC seconds that grow in the order in which pictures show.

    While the stream's clock is steady its steps are taken, at the rate that was measured: so a camera that
    buffers and then bursts does not squeeze seconds of walking into one moment. A step that is unlike the
    others and that arrival does not confirm (a jump, a clock that stands still) is replaced by a usual one;
    while the clock is unsteady all steps are those of arrival. What is left of a difference to UTC is made up
    for slowly, so that no picture is squeezed. When the clock of this machine is set, this clock ends: what
    follows is anchored by a new one.
    """

    def __init__(
        self, now_s: Callable[[], float], after_s: float = 0.0, steady_s: Callable[[], float] | None = None
    ) -> None:
        """`after_s` is the newest capture time of the connection before, which this one comes after.

        `steady_s` is a clock that nobody sets; without it `now_s` is none that is set.
        """
        self._now_s, self._steady_s = now_s, steady_s
        self._after_s = after_s
        self._rate = ClockRate()
        self._steps: deque[float] = deque(maxlen=STEPS_KEPT)
        self._lags: deque[tuple[float, float]] = deque()
        """When a picture came, and how late it was, without what has been made up for until then."""
        self._made_up_s = 0.0
        self._lag_s: float | None = None
        """How late the pictures with the least delay are by the times that they get."""
        self._arrived_s: float | None = None
        self._began_s = 0.0
        self._paused_s = 0.0
        """How long the camera paused in all, of which its clock says nothing: that measures no rate."""
        self._late_s, self._rate_before = 0.0, self._rate.rate
        """How late a picture came of which it is open whether it was kept back, and the rate before it."""
        self._has_paused = False
        """Whether what is left of a difference to UTC is a pause, in which nothing was seen."""
        self._front_s = self._front_before_s = self._front_stream_s = self._stamped_s = 0.0
        """The newest stamp, the one before it, the newest without the clock's jumps, and the newest step."""
        self._fills: deque[bool] = deque(maxlen=FILLS_KEPT)
        """Of the newest steps back, which led to a place left free."""
        self._reordered = 0
        """Pictures since the newest that show before it."""
        self._time_s = self._before_s = self._last_s = 0.0
        self.newest_s = 0.0
        """The newest capture time that was given."""

    def time_s(self, stream_s: float | None) -> float:
        """Give the capture time of the next picture in whole milliseconds."""
        now_s = self._now_s()
        steady_s = now_s if self._steady_s is None else self._steady_s()
        if self._arrived_s is not None and steady_s - self._arrived_s > LONGEST_KEPT_S:
            self._begin_anew()
        if self._arrived_s is None:
            return self._given(self._first_s(stream_s or 0.0, now_s, steady_s))
        rate, wait_s = self._rate.rate, max(0.0, steady_s - self._arrived_s)
        self._arrived_s = steady_s
        steady_s -= self._paused_s
        if self._rate.look(steady_s, may_judge=not self._late_s):
            self._look_back(rate)
        if stream_s is None:
            stream_s = self._front_s + self._usual_step_s()
        if self._is_reordered(stream_s):
            return self._given(self._between_s(stream_s, steady_s))
        self._before_s, apart_s = self._time_s, self._stamped_s / (1 + self._reordered)
        self._go_on(self._step_s(stream_s, wait_s, now_s), wait_s, now_s)
        self._rate.add(steady_s, self._front_stream_s, apart_s)
        self._lags.append((steady_s, now_s - self._time_s + self._made_up_s))
        return self._given(self._time_s)

    def _begin_anew(self) -> None:
        """Forget how pictures came, and keep what is known of the stream's clock."""
        self._after_s, self._arrived_s, self._lag_s = self.newest_s, None, None
        self._rate.go_on(self._rate.rate)
        self._lags.clear()
        self._paused_s = self._late_s = self._front_stream_s = self._stamped_s = 0.0
        self._has_paused, self._reordered = False, 0

    def _first_s(self, stream_s: float, now_s: float, steady_s: float) -> float:
        """Begin with the first picture of the connection, as captured when it came."""
        reached = reached_s(now_s, self._after_s)
        self._time_s = self._before_s = reached + STEP_S if reached == self._after_s else reached
        self._front_s = self._front_before_s = stream_s
        self._rate.add(steady_s, 0.0, None)
        self._arrived_s = self._began_s = steady_s
        return self._time_s

    def _between_s(self, stream_s: float, steady_s: float) -> float:
        """Give the time of a picture that shows before the newest one."""
        self._reordered += 1
        self._rate.add(steady_s, self._front_stream_s + stream_s - self._front_s, None)
        share = (stream_s - self._front_before_s) / (self._front_s - self._front_before_s)
        return self._before_s + share * (self._time_s - self._before_s)

    def _given(self, time_s: float) -> float:
        """Round a time; no two in a row are the same."""
        time_s = whole(time_s)
        while time_s in (self.newest_s, self._last_s):
            time_s = whole(time_s + STEP_S)
        self._last_s = time_s
        self.newest_s = max(self.newest_s, time_s)
        return time_s

    def _usual_step_s(self) -> float:
        """Give the usual step from one newest stamp to the next; 0 while that is not known."""
        return median(self._steps) if len(self._steps) >= LEAST_STEPS else 0.0

    def _is_reordered(self, stream_s: float) -> bool:
        """Return whether a picture shows before the newest, as B-frames do: they fill places left free."""
        if stream_s >= self._front_s:
            return False
        nearest_s = min(self._front_s - stream_s, stream_s - self._front_before_s)
        self._fills.append(nearest_s > 0 and nearest_s >= FREE * self._rate.spacing_s)
        return self._fills[-1] and sum(self._fills) >= FREE * len(self._fills)

    def _step_s(self, stream_s: float, wait_s: float, now_s: float) -> float:
        """Give how much later than the newest one a picture was captured, and follow the stream's clock."""
        rate, usual_s, stamped_s = self._rate.rate, self._usual_step_s(), stream_s - self._front_s
        pictures, self._reordered = 1 + self._reordered, 0
        if stamped_s > 0:
            self._steps.append(stamped_s)
        latest_s = now_s - (self._lag_s or 0.0) + LEAD_S - self._time_s
        is_usual = self._is_usual(stamped_s, usual_s, wait_s, latest_s)
        self._front_before_s = self._front_s if is_usual else stream_s - usual_s
        self._front_s, self._stamped_s = stream_s, stamped_s
        taken_s = stamped_s if is_usual else pictures * self._rate.spacing_s
        self._front_stream_s += taken_s
        step_s = 0.0 if rate is None else taken_s / rate
        is_possible = LEAST_STEP_S <= step_s <= max(LONG_STEP_S * pictures, latest_s)
        if is_possible and (is_usual or not self._is_pause(wait_s, step_s)):
            self._see_late(wait_s, step_s)
            return step_s
        interval_s = self._rate.interval_s
        if interval_s is not None and not self._is_pause(wait_s, interval_s):
            return pictures * interval_s
        if step_s > 0 and not is_usual:
            self._paused_s += max(0.0, wait_s - step_s)
        return wait_s

    def _see_late(self, wait_s: float, step_s: float) -> None:
        """Notice a picture that comes late by its stamp, once it is known how pictures arrive."""
        is_known = (self._arrived_s or 0.0) - self._began_s >= KNOWN_S
        if is_known and wait_s - step_s > LEAST_PAUSE_S and self._is_pause(wait_s, step_s):
            self._late_s, self._rate_before = wait_s - step_s, self._rate.rate
            self._lags.clear()

    def _is_usual(self, step_s: float, usual_s: float, wait_s: float, latest_s: float) -> bool:
        """Return whether a step of the stream's clock is one like the others, or arrival confirms it."""
        rate = self._rate.rate or 1.0
        if step_s <= 0:
            return False
        if usual_s and step_s < usual_s / USUAL:
            return wait_s < usual_s / rate / 2
        return step_s <= (usual_s * USUAL or UNKNOWN_STEP_S * rate) or step_s / rate <= latest_s

    def _is_pause(self, wait_s: float, interval_s: float) -> bool:
        return self._rate.wait_s is None or wait_s > max(PAUSE * interval_s, 1.2 * self._rate.wait_s)

    def _go_on(self, step_s: float, wait_s: float, now_s: float) -> None:
        """Lead time on by a step, and make up for a part of what it is off."""
        lag_s = self._lag_s or 0.0
        made_up_s = lag_s if self._has_paused or lag_s > LARGEST_DRIFT_S else 0.0
        self._has_paused = False
        if not made_up_s and abs(lag_s) > NEAR_S:
            made_up_s = step_s * min(max(lag_s / SLEW_S, -MOST_SLEW), MOST_SLEW)
        latest_s = now_s + LARGEST_DRIFT_S
        if self._rate.rate is None:
            latest_s = min(latest_s, now_s - lag_s + max(LEAD_S, self._rate.wait_s or wait_s))
        time_s = min(self._time_s + step_s + made_up_s, latest_s)
        self._time_s = max(time_s, self.newest_s + STEP_S)
        self._made_up_s += made_up_s
        if self._lag_s is not None:
            self._lag_s -= made_up_s

    def _look_back(self, rate_before: float | None) -> None:
        """Find the least delay of the last pictures; under another rate it is looked for anew."""
        rate, wait_s = self._rate.rate, self._rate.wait_s or 0.0
        if self._late_s:
            wait_s = 0.0
        elif rate_before is not None and (rate is None or abs(rate / rate_before - 1) > 0.02):
            self._lags.clear()
        span_s = max(LAGS_S, 2 * wait_s)
        while self._lags and self._lags[-1][0] - self._lags[0][0] > span_s:
            self._lags.popleft()
        if self._lags and self._lags[-1][0] - self._lags[0][0] >= max(LEAST_LAGS_S, 0.9 * wait_s):
            self._lag_s = min(lag_s for _, lag_s in self._lags) - self._made_up_s
            if self._late_s and self._lag_s > LATE_STILL * self._late_s:
                self._has_paused = True
                self._rate.go_on(self._rate_before)
            self._late_s = 0.0
