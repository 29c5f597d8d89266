"""When a second of an analysis is evidence: pure, by capture time.

The evidence of a second says that every crossing of that second is known and was published before it.
A second in which a crossing may have been missed, or may still become known, is withheld: when the
process ends before that is decided, the second stays a gap. Evidence names the revision of the setup that
was counted under, and the lines of which alone a crossing may be missing.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.core.counting import Unexplained
from services.core.evidence.rate import Steps
from services.core.times import second_of
from services.core.types import AnalysedSecond, CameraId, LineId

SETTLE_S = 0.5
SETTLE_FRAMES = 4
"""After a beginning the tracker needs this long to confirm what is in the picture already."""

BORN_S = 1.8
"""A track that is seen first within this time after a beginning, in the middle of the picture or on a line,
may have been there at the beginning and hidden: as long as a tracker waits for a hidden object."""

HOLE_S = 0.52
"""More time than this without a frame is an end and a new beginning: what the tracker bears, as measured
(docs/adr/0028). One picture of a camera that sends four a second may be missing."""

LIMIT_S = 60.0
"""Waiting ends after this time: what trembles on a line for ever must not take its seconds away for ever."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What an analyser cannot know yet after a frame."""

    unseen_since_s: float = math.inf
    """When the track was seen last that is unseen for longest: it may come back beyond a line."""
    undecided_s: Sequence[float] = ()
    """Times of meetings with a line that may still become crossings."""
    unexplained: Sequence[Unexplained] = ()
    """Meetings of tracks that began on a line, in this frame."""
    has_appeared: bool = False
    """A track was seen first in this frame that did not just enter the picture."""

    def after(self, skipped: "Pending") -> "Pending":
        """Give the same, with what happened in frames before it that were skipped."""
        met = [*skipped.unexplained, *self.unexplained]
        return replace(self, unexplained=met, has_appeared=self.has_appeared or skipped.has_appeared)


CERTAIN = Pending()


@dataclass(frozen=True, slots=True)
class CountingChange:
    """What another setup does to the counting of lines."""

    cut: frozenset[LineId] = frozenset()
    """Lines whose crossings in flight are not counted as they would have been."""
    begun: frozenset[LineId] = frozenset()
    """Lines that are counted from now on, and know nothing of what is in the picture."""


class EvidenceJudge:
    """Follows the frames of one analyser from its beginning to its end, and gives evidence of seconds.

    A second is evidence when it lies after the beginning and before a later frame as a whole, every picture
    that was due in it was analysed, at a rate that can be counted and without a hole, and nothing of it is
    pending. So the last second before an end never is: what crosses after the last frame is seen by nobody.
    """

    def __init__(self, camera: CameraId, epoch: int = 0, connection: int = 0, revision: str = "") -> None:
        self._camera, self._epoch, self._connection = camera, epoch, connection
        self._revision, self._revision_of_second = revision, revision
        self._change = CountingChange()
        self._begun_s = self._clear_from_s = -math.inf
        self._frames = 0
        self._last_s = -math.inf
        self._second, self._steps = 0, Steps()
        self._waiting: dict[int, str] = {}
        """Seconds that are over, with the revision of the setup that they were counted under."""
        self._retracted: set[int] = set()
        self._skipped, self._has_missed = CERTAIN, False
        """What happened in frames that were skipped since the last one."""
        self._lacking: dict[int, set[LineId]] = {}
        self._line_begun_s: dict[LineId, float] = {}

    def count_under(self, revision: str, change: CountingChange) -> None:
        """Go on under another revision of the setup from the next frame on."""
        self._revision = revision
        self._change = CountingChange(self._change.cut | change.cut, self._change.begun | change.begun)

    def skip(self, pending: Pending = CERTAIN, has_missed: bool = False) -> None:
        """Take a frame that is no evidence, since its picture was damaged: as if it had not come.

        What it shows is tracked and counted. `pending` and `has_missed` as in `add`.
        """
        self._skipped = pending.after(self._skipped)
        self._has_missed |= has_missed

    def add(
        self, time_s: float, pending: Pending = CERTAIN, has_missed: bool = False
    ) -> list[AnalysedSecond]:
        """Take a frame that was analysed, what is pending after it, and whether one before it was due but
        not analysed; give the seconds that are certain now.

        Publish them after everything else that the frame brought.
        """
        pending, has_missed = pending.after(self._skipped), has_missed or self._has_missed
        self._skipped, self._has_missed = CERTAIN, False
        if not 0 < time_s - self._last_s <= HOLE_S:
            self._begin(time_s)
        if self._is_settling(time_s, pending):
            self._clear_from_s = time_s
        second = second_of(time_s)
        if has_missed:
            self._retract(range(second_of(self._last_s), second + 1))
        self._take_change(time_s)
        self._judge_unexplained(time_s, pending)
        self._steps.add(time_s - self._last_s)
        if second != self._second:
            self._complete(second, time_s)
        self._frames += 1
        self._last_s, self._revision_of_second = time_s, self._revision
        return self._decide(time_s, pending)

    def _begin(self, time_s: float) -> None:
        """Start anew, after a hole too: what was pending before it cannot be decided any more."""
        self._begun_s = self._last_s = time_s
        self._second, self._frames, self._steps = second_of(time_s), 0, Steps()
        self._waiting.clear()
        self._retracted.clear()
        self._lacking.clear()
        self._line_begun_s.clear()
        self._change = CountingChange()

    def _is_settling(self, time_s: float, pending: Pending) -> bool:
        """Return whether up to this frame something may have crossed before its track was known."""
        since_s = time_s - self._begun_s
        if pending.has_appeared and since_s <= BORN_S:
            return True
        return self._frames < SETTLE_FRAMES or since_s <= SETTLE_S + 1e-6

    def _retract(self, seconds: Iterable[int]) -> None:
        """Give up seconds of which a crossing may be missing."""
        for second in seconds:
            self._waiting.pop(second, None)
            self._retracted.add(second)

    def _take_change(self, time_s: float) -> None:
        """Note which lines lack something of the seconds up to this frame: it is counted otherwise."""
        cut, now = self._change.cut, second_of(time_s)
        for second in {*self._waiting, self._second, now} if cut else ():
            self._lacking.setdefault(second, set()).update(cut)
        self._line_begun_s |= dict.fromkeys(self._change.begun, time_s)
        self._change = CountingChange()

    def _judge_unexplained(self, time_s: float, pending: Pending) -> None:
        """Give up the seconds in which something may have crossed that was on a line at a beginning.

        At that of the analysis they are given up as a whole, at that of a line for this line alone.
        """
        for meeting in pending.unexplained:
            if time_s - self._begun_s <= LIMIT_S and meeting.first_s <= self._begun_s + BORN_S:
                self._retract([second_of(meeting.time_s)])
                continue
            begun_s = self._line_begun_s.get(meeting.line, -math.inf)
            if time_s - begun_s <= LIMIT_S and meeting.first_s <= begun_s + BORN_S:
                self._lacking.setdefault(second_of(meeting.time_s), set()).add(meeting.line)

    def _complete(self, following: int, time_s: float) -> None:
        """Judge the second that is over, by its steps and those which lead into it and out of it."""
        second = self._second
        if self._steps.are_countable and second not in self._retracted:
            self._waiting[second] = self._revision_of_second
        begun = {
            line for line, at_s in self._line_begun_s.items() if second_of(at_s) <= second < at_s + BORN_S
        }
        if begun:
            self._lacking.setdefault(second, set()).update(begun)
        self._retracted = {other for other in self._retracted if other >= following}
        self._lacking = {s: lines for s, lines in self._lacking.items() if s >= second or s in self._waiting}
        self._second, self._steps = following, Steps()
        self._steps.add(time_s - self._last_s)

    def _decide(self, time_s: float, pending: Pending) -> list[AnalysedSecond]:
        if not self._waiting or time_s - self._begun_s <= BORN_S:
            return []
        self._waiting = {s: revision for s, revision in self._waiting.items() if s >= self._clear_from_s}
        undecided = {second_of(met_s) for met_s in pending.undecided_s if time_s - met_s <= LIMIT_S}
        certain = [
            second
            for second in sorted(self._waiting)
            if second + 1 <= pending.unseen_since_s and second not in undecided
        ]
        return [self._evidence(second, self._waiting.pop(second)) for second in certain]

    def _evidence(self, second: int, revision: str) -> AnalysedSecond:
        lacking = tuple(sorted(self._lacking.get(second, ())))
        return AnalysedSecond(self._camera, second, self._epoch, self._connection, revision, lacking)
