"""Retention and clock as JSON, for the API and the command line."""

from collections.abc import Mapping

from services.common.database.retention import RetentionState
from services.common.database.schema import SECONDS_A_DAY
from services.common.wire import JsonObject, time_text
from services.core.evidence.clock_belief import AGREED_S, ClockMark, Doubt

NOTICE_S = 24 * 3600.0
"""For how long a shorter retention is told before it deletes."""


def told_retention(state: RetentionState) -> JsonObject:
    """How long records are kept, and what waits."""
    pending = state.pending
    waiting = pending and {
        "id": pending.id,
        "asked": time_text(pending.asked_s),
        "hours_left": 0.0 if state.is_confirmed else _hours(NOTICE_S - pending.waited_s),
        "days": _days(pending.keep_s),
        "records": dict(pending.records),
    }
    return {"days": _days(state.kept_s), "pending": waiting}


def told_doubt(mark: ClockMark | None) -> JsonObject:
    """Whether the store believes its clock, and what it last showed otherwise; null before the first word."""
    if mark is None:
        return {"believed": None, "doubt": None}
    doubt = mark.doubt
    told = doubt and {
        "id": doubt.id,
        "since": time_text(doubt.since_s),
        "shows": time_text(doubt.clock_s),
        "hours_left": _hours(AGREED_S - _lasted_s(mark, doubt)),
    }
    return {"believed": doubt is None, "doubt": told}


def _lasted_s(mark: ClockMark, doubt: Doubt) -> float:
    """Give what speaks for a clock: for one that went back, only what a time service did."""
    return doubt.agreed_s if doubt.clock_s > mark.believed_s else doubt.synchronised_s


def _days(spans_s: Mapping[str, int]) -> dict[str, float]:
    return {name: round(span_s / SECONDS_A_DAY, 3) for name, span_s in sorted(spans_s.items())}


def _hours(seconds: float) -> float:
    return round(max(0.0, seconds) / 3600, 1)
