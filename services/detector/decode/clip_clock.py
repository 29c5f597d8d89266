"""The time of a file's pictures from its beginning, whatever its stamps do. Pure."""

PARTS_STEP_S = 10.0
"""In a container of parts that can be joined, such as MPEG-TS, a step that is longer begins another part."""

LONGEST_STEP_S = 86_400.0
"""No video stands still for longer than a day: a step that is longer begins another part."""

LATE_PERIODS = 2.0
"""A stamp that is behind the picture before it by more periods than this begins another part."""


class ClipClock:
    """Turns the stamps of pictures, in the order in which they show, into seconds that only grow.

    Stamps may begin anywhere. Where they lead back, or far ahead, another file was joined: its first picture
    comes one period after the last one before. A picture with no stamp, or with that of the one before it,
    comes a period later too.
    """

    def __init__(self, period_s: float, has_parts: bool = False) -> None:
        """`has_parts`: whether the container is one of parts that can be joined."""
        self._period_s = period_s
        self._longest_s = PARTS_STEP_S if has_parts else LONGEST_STEP_S
        self._offset_s: float | None = None
        self._last_s: float | None = None

    def time_s(self, stamp_s: float | None) -> float:
        """Give the time of the next picture in seconds from that of the first."""
        expected_s = 0.0 if self._last_s is None else self._last_s + self._period_s
        if stamp_s is None:
            time_s = expected_s
        elif self._offset_s is None or not self._goes_on(stamp_s - self._offset_s):
            self._offset_s = stamp_s - expected_s
            time_s = expected_s
        else:
            time_s = stamp_s - self._offset_s
            if self._last_s is not None and time_s <= self._last_s:
                time_s = expected_s
        self._last_s = time_s
        return time_s

    def _goes_on(self, time_s: float) -> bool:
        step_s = 0.0 if self._last_s is None else time_s - self._last_s
        return -LATE_PERIODS * self._period_s <= step_s <= self._longest_s
