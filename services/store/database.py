"""What the store needs of the database: it alone writes events, decides about the past and deletes records.

Protocols, because the store's decisions are tried over records in memory too; `services.common.database` has
what fulfils them.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.common.access.accounts import AuditEntry
from services.common.database.retention_notices import RetentionState, ShorterRetention
from services.core.evidence.clock_belief import ClockMark
from services.core.types import Event


class Events(Protocol):
    """Where events go, and where what was left half done is finished."""

    async def prepare(self) -> None:
        """Make indexes and finish what was left half done."""

    async def insert_events(self, events: Sequence[Event]) -> int:
        """Write events durably; the same events may come again. Gives the number of refused ones."""


class EventsAside(Protocol):
    """Where events that are dated ahead of the clock wait."""

    async def set_aside(self, events: Sequence[Event]) -> None:
        """Keep events durably until their time."""

    async def take_aside(self, after_s: float) -> int:
        """Take stored records that are dated later than a time out of their place and set them aside."""

    async def bring_back(self, until_s: float) -> int:
        """Write a batch of those whose time has come; 0 when none is left."""


class Notices(Protocol):
    """What was noted of retention and clock, and what people answered."""

    async def retention_state(self) -> RetentionState:
        """Give how long records are kept, and what waits."""

    async def clock_mark(self) -> ClockMark | None:
        """Give what was known of the clock last."""


class Retaining(Protocol):
    """Decisions about the past: what is kept for how long, deletion, and the mark of the clock."""

    async def keep_records(self, kept_s: Mapping[str, int]) -> None:
        """Note how long some kinds of records are kept from now on."""

    async def await_retention(self, pending: ShorterRetention | None) -> None:
        """Note what waits."""

    async def count_before(self, collection: str, time_s: float) -> int:
        """Give the number of records that are older than a time."""

    def delete_before(self, collection: str, time_s: float, most: int) -> AsyncIterator[int]:
        """Delete the records that are older than a time, the oldest first."""

    async def end_expiry(self) -> None:
        """Take back indexes that delete."""

    async def newest_record_s(self, now_s: float) -> float | None:
        """Give the time of the newest record."""

    async def keep_clock_mark(self, mark: ClockMark) -> None:
        """Keep what is known of the clock."""

    async def confirmed_clock(self) -> str | None:
        """Give the id of the doubt that somebody has answered last."""


class Removing(Protocol):
    """Removal of what people want to be rid of."""

    def remove_asked(self, most: int) -> AsyncIterator[int]:
        """Remove what belongs to generations of deleted cameras, at most so many records at a time."""


class Audit(Protocol):
    """The audit log."""

    async def add_audit(self, entry: AuditEntry, must: bool = False) -> None:
        """Keep an entry; `must`: also where others are refused for want of room."""


@dataclass(frozen=True, slots=True)
class StoreDatabase:
    """The store's parts of the database."""

    events: Events
    aside: EventsAside
    notices: Notices
    retention: Retaining
    removal: Removing
    audit: Audit
