"""The capture time of pictures: the stream's own clock, anchored to UTC. Pure.

Here times of frames are born, and rounded to the millisecond: everything that follows compares them as they
are.
"""

from collections.abc import Callable

from services.core.times import whole

LARGEST_DRIFT_S = 2.0
"""A stream clock that has left UTC by more than this is anchored anew."""

LONGEST_REORDERING_S = 0.5
"""A stream with B-frames sends a picture this much later than those that show after it."""

STEP_S = 0.001
"""Two pictures in a row are never captured in the same millisecond."""


class CaptureClock:
    """Turns the clock of one connection into UTC seconds that grow in the order in which pictures show.

    A camera that buffers and then bursts must not squeeze seconds of walking into one moment, so the
    arrival time is used only to anchor the stream's clock, and for streams that carry no time. When the clock
    of this machine is set, this one ends: what follows is anchored by a new one.
    """

    def __init__(self, now_s: Callable[[], float], after_s: float = 0.0) -> None:
        """`after_s` is the newest capture time of the connection before, which this one comes after."""
        self._now_s = now_s
        self._after_s = after_s
        self._anchor_s: float | None = None
        self._last_s = 0.0
        self.newest_s = 0.0
        """The newest capture time that was given."""

    def time_s(self, stream_s: float | None) -> float:
        """Give the capture time of the next picture in whole milliseconds."""
        now_s = self._now_s()
        if now_s <= self._after_s < now_s + LARGEST_DRIFT_S:
            now_s = self._after_s + STEP_S
        if stream_s is None:
            time_s = max(now_s, self.newest_s + STEP_S)
        else:
            if self._anchor_s is None or abs(self._anchor_s + stream_s - now_s) > LARGEST_DRIFT_S:
                self._anchor_s = now_s - stream_s
            time_s = self._anchor_s + stream_s
        time_s = whole(time_s)
        if time_s < self.newest_s - LONGEST_REORDERING_S:
            time_s = self.newest_s
        while time_s in (self.newest_s, self._last_s):
            time_s = whole(time_s + STEP_S)
        self._last_s = time_s
        self.newest_s = max(self.newest_s, time_s)
        return time_s
