"""The store's clock: reads the host's, and judges whether it is to be believed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from services.common.wire import time_text
from services.core.evidence.clock_belief import (
    AHEAD_S,
    ClockMark,
    ClockReading,
    Doubt,
    confirmed,
    first_mark,
    judged,
    now_s,
)

log = logging.getLogger(__name__)


@dataclass
class StoreClock:
    """Judges the clock whenever it is read, and logs when it falls into doubt or is believed again."""

    read: Callable[[], ClockReading]
    _mark: ClockMark | None = None
    was_doubted: bool = False
    """Whether a doubt has ended: records that are dated ahead may be left of it."""

    @property
    def has_begun(self) -> bool:
        """Whether it knows what was known of the clock before."""
        return self._mark is not None

    @property
    def is_believed(self) -> bool:
        """Whether the clock was believed when it was read last."""
        return self._mark is not None and self._mark.doubt is None

    def begin(self, mark: ClockMark | None, newest_record_s: float | None) -> None:
        """Go on with what the database knows, else with the time of its newest record."""
        if self._mark is None:
            self._mark = mark or first_mark(newest_record_s, self.read())
            if self._mark.doubt is not None:
                _warn(self._mark.believed_s, self._mark.doubt.clock_s)

    def look(self) -> ClockMark:
        """Judge the clock as it shows now."""
        return self._judge(self.read())

    def limit_s(self) -> float:
        """Give the time up to which an event may be dated; later ones are set aside."""
        reading = self.read()
        return now_s(self._judge(reading), reading) + AHEAD_S

    def confirm(self, id: str | None) -> None:
        """Believe the clock, if it is still in the doubt that a person answered."""
        mark, reading = self._known(), self.read()
        if id is not None and mark.doubt is not None and mark.doubt.id == id:
            judged_now = judged(mark, reading)
            if judged_now.doubt is not None and judged_now.doubt.id == id:
                self._mark, self.was_doubted = confirmed(reading), True
                log.warning("the clock was confirmed: it is %s", time_text(reading.wall_s))

    def _judge(self, reading: ClockReading) -> ClockMark:
        before = self._known()
        self._mark = judged(before, reading)
        self._log_change(before.doubt, self._mark, reading)
        return self._mark

    def _log_change(self, before: Doubt | None, mark: ClockMark, reading: ClockReading) -> None:
        after = mark.doubt
        if after is not None and (before is None or before.id != after.id):
            _warn(mark.believed_s, reading.wall_s)
        if after is None and before is not None:
            self.was_doubted = True
            log.warning("the clock is believed again: it is %s", time_text(reading.wall_s))

    def _known(self) -> ClockMark:
        if self._mark is None:
            raise RuntimeError("the clock was asked before it began")
        return self._mark


def _warn(believed_s: float, wall_s: float) -> None:
    log.warning(
        "the clock shows %s where %s was expected: nothing is deleted until it is right again, has run "
        "evenly for 24 hours, or is confirmed on the page or by `sightline retention --confirm-clock`",
        time_text(wall_s),
        time_text(believed_s),
    )
