"""Where an event goes: to its place in the database, or aside when it is dated ahead of the clock."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from services.common.access.accounts import AuditEntry
from services.common.database.aside import event_end_s
from services.core.types import NO_CAMERA, CameraId, Event
from services.store.clock import StoreClock
from services.store.database import StoreDatabase

log = logging.getLogger(__name__)

LONGEST_TURN_BATCHES = 20
"""Batches that are brought back before what is new has its turn again."""


class Placement:
    """Writes events one batch after another, whoever hands them in; durable when it returns."""

    def __init__(
        self, database: StoreDatabase, clock: StoreClock, has_room: Callable[[], bool] = lambda: True
    ) -> None:
        """`has_room` says whether the disk takes anything at all."""
        self._database, self._clock, self._has_room = database, clock, has_room
        self._writing = asyncio.Lock()
        self._looked_s = float("-inf")
        self._is_announcing, self._announced_total = True, 0
        self.set_aside_total = 0

    async def prepare(self) -> None:
        """Prepare the database, let no index delete, and learn what is known of the clock."""
        await self._database.events.prepare()
        await self._database.retention.end_expiry()
        await self._begin_clock()

    async def insert_events(self, events: Sequence[Event]) -> int:
        """Write events, or set them aside; gives the number of those that a newer owner forbids."""
        async with self._writing:
            await self._begin_clock()
            limit_s = self._clock.limit_s()
            if abs(limit_s - self._looked_s) >= 1:
                await self._bring_back(limit_s, LONGEST_TURN_BATCHES)
            ahead = [event for event in events if (event_end_s(event) or 0.0) > limit_s]
            if not ahead:
                return await self._database.events.insert_events(events)
            await self._database.aside.set_aside(ahead)
            refused = await self._database.events.insert_events(
                [event for event in events if (event_end_s(event) or 0.0) <= limit_s]
            )
            self._count(len(ahead), ahead[0].camera)
            return refused

    async def add_audit(self, entry: AuditEntry, must: bool = False) -> None:
        """Keep an entry of the audit log; `must`: also where others are refused for want of room."""
        await self._database.audit.add_audit(entry, must)

    async def look(self) -> None:
        """Bring back what is due, and take stored records aside that a clock has dated ahead."""
        limit_s, before = self._clock.limit_s(), self.set_aside_total
        self._is_announcing = self._is_announcing or before == self._announced_total
        self._announced_total = before
        if not self._has_room():
            return
        for _ in range(LONGEST_TURN_BATCHES):
            async with self._writing:
                if not await self._bring_back(limit_s, 1):
                    break
        for _ in range(LONGEST_TURN_BATCHES):
            async with self._writing:
                if not await self._take_aside(limit_s):
                    break

    async def _begin_clock(self) -> None:
        if not self._clock.has_begun:
            mark = await self._database.notices.clock_mark()
            newest_s = (
                None if mark else await self._database.retention.newest_record_s(self._clock.read().wall_s)
            )
            self._clock.begin(mark, newest_s)

    async def _bring_back(self, limit_s: float, most_batches: int) -> bool:
        """Bring back what is due; True when more may be. Not asked again within a second of the clock."""
        for _ in range(most_batches):
            number = await self._database.aside.bring_back(limit_s)
            if number == 0:
                self._looked_s = limit_s
                return False
            log.info("%d events that were set aside are in their place now", number)
        return True

    async def _take_aside(self, limit_s: float) -> int:
        """Only after a doubt: another store, whose clock is ahead of this one, may be right."""
        if not (self._clock.is_believed and self._clock.was_doubted):
            return 0
        taken = await self._database.aside.take_aside(limit_s)
        self._clock.was_doubted = taken > 0
        if taken:
            self._count(taken, NO_CAMERA)
        return taken

    def _count(self, number: int, camera: CameraId) -> None:
        self.set_aside_total += number
        if self._is_announcing:
            self._is_announcing = False
            log.warning(
                "events%s are dated more than 60 s ahead of the clock: they are set aside until their time "
                "comes, and counted as sightline_events_set_aside_total",
                "" if camera == NO_CAMERA else f" of camera {camera}",
            )
