"""The capture time of pictures: the stream's own clock, anchored to UTC. Pure."""

from collections.abc import Callable

LARGEST_DRIFT_S = 2.0
"""A stream clock that has left UTC by more than this is anchored anew."""

LONGEST_REORDERING_S = 0.5
"""A stream with B-frames sends a picture this much later than those that show after it."""


class CaptureClock:
    """Turns the clock of one connection into UTC seconds that grow in the order in which pictures show.

    A camera that buffers and then bursts must not squeeze seconds of walking into one moment, so the
    arrival time is used only to anchor the stream's clock, and for streams that tell no time.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._anchor_s: float | None = None
        self._last_s = 0.0

    def time_s(self, stream_s: float | None) -> float:
        """Give the capture time of the next picture."""
        now_s = self._now_s()
        if stream_s is None:
            time_s = now_s
        else:
            if self._anchor_s is None or abs(self._anchor_s + stream_s - now_s) > LARGEST_DRIFT_S:
                self._anchor_s = now_s - stream_s
            time_s = self._anchor_s + stream_s
        if time_s < self._last_s - LONGEST_REORDERING_S:
            time_s = self._last_s + 0.001
        self._last_s = max(self._last_s, time_s)
        return time_s
