"""What people see of retention and of the store's clock, and what they have to say to it.

The store alone decides how long records are kept and deletes them (`retention`); here the others read what it
has noted, and leave word that somebody has confirmed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.common.database.documents import seconds_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import META, RETENTION, SECONDS_A_DAY, SET_ASIDE, Schema
from services.common.wire import JsonObject, time_text
from services.core.errors import ConflictError
from services.core.evidence.clock_belief import AGREED_S, ClockMark, Doubt

CLOCK = "clock"
"""The document of META that holds the mark of the clock."""

NOTICE_S = 24 * 3600.0
"""For how long a shorter retention is announced before it deletes."""


@dataclass(frozen=True, slots=True)
class ShorterRetention:
    """A shorter retention that would delete what is there, and waits to be applied."""

    id: str
    asked_s: float
    """When it was first asked for."""
    keep_s: Mapping[str, int]
    """Seconds to keep, by collection."""
    records: Mapping[str, int]
    """Records that it deletes, by collection."""
    waited_s: float = 0.0
    """For how long a store has announced it."""


@dataclass(frozen=True, slots=True)
class RetentionState:
    """How long records are kept now."""

    kept_s: Mapping[str, int] = field(default_factory=dict)
    """Seconds by collection; one that is missing has not been decided."""
    pending: ShorterRetention | None = None
    is_confirmed: bool = False
    """Whether somebody wants the shorter retention at once."""


class RetentionNotices:
    """Reads what the store has noted, and leaves word for it."""

    def __init__(self, link: DatabaseLink, schema: Schema) -> None:
        self._link, self._schema = link, schema

    async def retention_state(self) -> RetentionState:
        """Give how long records are kept, and what waits."""
        document = await meta_document(self._link, RETENTION)
        asked = document.get("pending")
        if asked is None:
            return RetentionState(document.get("kept", {}))
        pending = ShorterRetention(
            asked["id"], seconds_of(asked["asked"]), asked["keep"], asked["records"], asked["waited"]
        )
        return RetentionState(document.get("kept", {}), pending, document.get("confirmed") == pending.id)

    async def confirm_retention(self, id: str) -> None:
        """Want the shorter retention at once; ConflictError when it is not the one that waits."""
        await self._schema.before_writing()
        with self._link.guarded():
            result = await self._link.collection(META).update_one(
                {"_id": RETENTION, "pending.id": id}, {"$set": {"confirmed": id}}
            )
        if result.matched_count == 0:
            raise ConflictError("retention-gone")

    async def set_aside_number(self) -> int:
        """Give the number of events that are set aside."""
        with self._link.guarded():
            return await self._link.collection(SET_ASIDE).estimated_document_count()

    async def clock_mark(self) -> ClockMark | None:
        """Give what was known of the clock last."""
        document = await meta_document(self._link, CLOCK)
        if "believed" not in document:
            return None
        noted = document.get("doubt")
        doubt = None
        if noted is not None:
            doubt = Doubt(
                noted["id"],
                seconds_of(noted["since"]),
                seconds_of(noted["clock"]),
                noted["agreed"],
                noted["synchronised"],
                noted["places"],
            )
        return ClockMark(seconds_of(document["believed"]), document["steady"], document["boot"], doubt)

    async def confirm_clock(self, id: str) -> None:
        """Say that a clock in doubt is right; ConflictError when it is not the one that is in doubt."""
        await self._schema.before_writing()
        with self._link.guarded():
            result = await self._link.collection(META).update_one(
                {"_id": CLOCK, "doubt.id": id}, {"$set": {"confirmed": id}}
            )
        if result.matched_count == 0:
            raise ConflictError("clock-gone")


async def meta_document(link: DatabaseLink, id: str) -> Document:
    """Give a document of META; an empty one where there is none."""
    with link.guarded():
        return await link.collection(META).find_one({"_id": id}) or {}


def retention_object(state: RetentionState) -> JsonObject:
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


def clock_object(mark: ClockMark | None) -> JsonObject:
    """Whether the store believes its clock, and what it last showed otherwise; null before the first word."""
    if mark is None:
        return {"believed": None, "doubt": None}
    doubt = mark.doubt
    shown = doubt and {
        "id": doubt.id,
        "since": time_text(doubt.since_s),
        "shows": time_text(doubt.clock_s),
        "hours_left": _hours(AGREED_S - _lasted_s(mark, doubt)),
    }
    return {"believed": doubt is None, "doubt": shown}


def _lasted_s(mark: ClockMark, doubt: Doubt) -> float:
    """Give what speaks for a clock: for one that went back, only what a time service did."""
    return doubt.agreed_s if doubt.clock_s > mark.believed_s else doubt.synchronised_s


def _days(spans_s: Mapping[str, int]) -> dict[str, float]:
    return {name: round(span_s / SECONDS_A_DAY, 3) for name, span_s in sorted(spans_s.items())}


def _hours(seconds: float) -> float:
    return round(max(0.0, seconds) / 3600, 1)
