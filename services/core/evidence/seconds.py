"""Which seconds of an analysis are evidence: pure, by capture time.

The evidence of a second says that every crossing of that second is known and was published before it.
A second in which a crossing may have been missed, or may still become known, is withheld: when the
process ends before that is decided, the second stays a gap.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.core.counting import Unexplained
from services.core.evidence.fencing import second_of
from services.core.types import AnalysedSecond, CameraId

LEAST_FRAMES = 3

SETTLE_S = 0.5
SETTLE_FRAMES = 4
"""After a beginning the tracker needs this long to confirm what is in the picture already."""

BORN_S = 1.8
"""A track that is seen first within this time after a beginning, in the middle of the picture or on a line,
may have been there at the beginning and hidden: as long as a tracker waits for a hidden object."""

HOLE_S = 0.5
HOLE_FRAMES = 3
"""More time than both without a frame is an end and a new beginning."""

LIMIT_S = 60.0
"""Doubt ends after this time: what trembles on a line for ever must not take its seconds away for ever."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What an analyser cannot tell yet after a frame."""

    unseen_since_s: float = math.inf
    """When the track was seen last that is unseen for longest: it may come back beyond a line."""
    undecided_s: Sequence[float] = ()
    """Times of meetings with a line that may still become crossings."""
    unexplained: Sequence[Unexplained] = ()
    """Meetings of tracks that began on a line, in this frame."""
    has_appeared: bool = False
    """A track was seen first in this frame that did not just enter the picture."""


CERTAIN = Doubt()


class Coverage:
    """Follows the frames of one analyser from its beginning to its end, and gives evidence of seconds.

    A second is evidence when it lies after the beginning and before a later frame as a whole, holds
    enough frames (half the rate of the camera and at least three), has no hole, and is not in doubt. So the
    last second before an end never is: what crosses after the last frame is seen by nobody.
    """

    def __init__(self, camera: CameraId, fps: float, epoch: int = 0, connection: int = 0) -> None:
        self._camera, self._epoch, self._connection = camera, epoch, connection
        self._least = max(LEAST_FRAMES, fps / 2)
        self._hole_s = max(HOLE_S, HOLE_FRAMES / fps)
        self._begun_s = self._clear_from_s = -math.inf
        self._frames = 0
        self._last_s = -math.inf
        self._second, self._frames_of_second = 0, 0
        self._waiting: set[int] = set()
        self._struck: set[int] = set()

    def add(self, time_s: float, doubt: Doubt = CERTAIN) -> list[AnalysedSecond]:
        """Take a frame that was analysed, with the doubt after it, and give the seconds that are certain now.

        Publish them after everything else that the frame brought.
        """
        if not 0 < time_s - self._last_s <= self._hole_s:
            self._begin(time_s)
        if self._is_settling(time_s, doubt):
            self._clear_from_s = time_s
        self._strike(time_s, doubt)
        second = second_of(time_s)
        if second != self._second:
            self._complete(second)
        self._frames += 1
        self._frames_of_second += 1
        self._last_s = time_s
        return self._decide(time_s, doubt)

    def _begin(self, time_s: float) -> None:
        """Start anew, after a hole too: what was in doubt before it cannot be decided any more."""
        self._begun_s = time_s
        self._second, self._frames, self._frames_of_second = second_of(time_s), 0, 0
        self._waiting.clear()
        self._struck.clear()

    def _is_settling(self, time_s: float, doubt: Doubt) -> bool:
        """Tell whether up to this frame something may have crossed before its track was known."""
        since_s = time_s - self._begun_s
        if doubt.has_appeared and since_s <= BORN_S:
            return True
        return self._frames < SETTLE_FRAMES or since_s <= SETTLE_S + 1e-6

    def _strike(self, time_s: float, doubt: Doubt) -> None:
        """Give up the seconds in which something may have crossed that was on a line at the beginning."""
        if not doubt.unexplained or time_s - self._begun_s > LIMIT_S:
            return
        struck = {
            second_of(meeting.time_s)
            for meeting in doubt.unexplained
            if meeting.first_s <= self._begun_s + BORN_S
        }
        self._waiting -= struck
        self._struck |= struck

    def _complete(self, following: int) -> None:
        """Judge the second that is over."""
        second = self._second
        if self._frames_of_second >= self._least and second not in self._struck:
            self._waiting.add(second)
        self._struck = {other for other in self._struck if other >= following}
        self._second, self._frames_of_second = following, 0

    def _decide(self, time_s: float, doubt: Doubt) -> list[AnalysedSecond]:
        if not self._waiting or time_s - self._begun_s <= BORN_S:
            return []
        self._waiting = {second for second in self._waiting if second >= self._clear_from_s}
        undecided = {second_of(met_s) for met_s in doubt.undecided_s if time_s - met_s <= LIMIT_S}
        certain = [
            second
            for second in sorted(self._waiting)
            if second + 1 <= doubt.unseen_since_s and second not in undecided
        ]
        self._waiting.difference_update(certain)
        return [AnalysedSecond(self._camera, second, self._epoch, self._connection) for second in certain]
