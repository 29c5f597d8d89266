"""Retention: what is older than it is to be kept goes, and a shorter span waits until people could see it.

Whoever shortens the retention of records that exist learns how many go, and they go 24 hours later or when
somebody confirms it. Only a believed clock deletes (docs/adr/0023).
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from services.common.database.retention_notices import NOTICE_S, ShorterRetention
from services.common.database.schema import SECONDS_A_DAY, SET_ASIDE, Retention
from services.core.errors import DatabaseUnavailableError
from services.core.evidence.clock_belief import ClockMark
from services.core.times import milliseconds
from services.store.clock import StoreClock
from services.store.database import StoreDatabase
from services.store.placement import Placement

log = logging.getLogger(__name__)

LOOK_S = 30.0
"""How often is looked at what to delete."""

BATCH_RECORDS = 500
"""Records that are deleted together: the database answers others in between."""

PAUSE_S = 0.05
START_S = 1.0
"""How often is looked until the database has been prepared."""


class RetentionKeeper:
    """Looks every half minute, until it is cancelled."""

    def __init__(
        self,
        database: StoreDatabase,
        retention: Retention,
        clock: StoreClock,
        placement: Placement,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._notices, self._retention = database.notices, database.retention
        self._removal = database.removal
        self._clock, self._placement = clock, placement
        self._wanted = retention.by_collection()
        self._sleep = sleep
        self._last_steady_s: float | None = None
        self._waited: tuple[str, float] | None = None
        """The shorter retention that waits, and for how long it had when this process looked last."""
        self.deleted: Counter[str] = Counter()
        """Records that were deleted since the start, by collection."""

    async def run(self) -> None:
        """Look again and again; while the database is away nothing is due."""
        while True:
            try:
                await self.look()
            except DatabaseUnavailableError as error:
                log.debug("retention waits: %s", error)
            await self._sleep(LOOK_S if self._clock.has_begun else START_S)

    async def look(self) -> None:
        """Judge the clock, bring back what was set aside, delete what is too old, and what is not wanted."""
        if not self._clock.has_begun:
            return
        self._clock.confirm(await self._retention.confirmed_clock())
        mark = self._clock.look()
        await self._retention.keep_clock_mark(mark)
        passed_s = self._passed_s(mark.steady_s)
        await self._retention.end_expiry()
        await self._placement.look()
        kept_s = await self._decide(mark, passed_s)
        if mark.doubt is None:
            await self._delete(kept_s, mark.believed_s)
        await self._remove_asked()

    def _passed_s(self, steady_s: float) -> float:
        """Give what has passed since the look before, of this process alone and without a host's sleep."""
        last_s, self._last_steady_s = self._last_steady_s, steady_s
        return 0.0 if last_s is None else max(0.0, min(steady_s - last_s, 2 * LOOK_S))

    async def _decide(self, mark: ClockMark, passed_s: float) -> Mapping[str, int]:
        """Give how long records are kept now: longer at once, shorter when it has been announced for long."""
        state = await self._notices.retention_state()
        kept = dict(state.kept_s)
        longer = {name: span for name, span in self._wanted.items() if name in kept and span > kept[name]}
        shorter = {name: span for name, span in self._wanted.items() if name not in kept or span < kept[name]}
        if longer:
            await self._retention.keep_records(longer)
            kept |= longer
        pending = state.pending
        if pending is not None and dict(pending.keep_s) == shorter:
            return {**kept, **await self._wait(state.is_confirmed, pending, passed_s)}
        if pending is not None and not shorter:
            await self._retention.await_retention(None)
            log.info("the shorter retention was withdrawn: nothing of it was deleted")
        if shorter and mark.doubt is None:
            return {**kept, **await self._ask(shorter, mark.believed_s)}
        return kept

    async def _wait(
        self, is_confirmed: bool, pending: ShorterRetention, passed_s: float
    ) -> Mapping[str, int]:
        """Go on waiting, or apply what has been announced for long enough."""
        waited_s = self._waited_s(pending, passed_s)
        if not is_confirmed and waited_s < NOTICE_S:
            await self._retention.await_retention(replace(pending, waited_s=waited_s))
            return {}
        await self._retention.keep_records(pending.keep_s)
        await self._retention.await_retention(None)
        log.warning("the shorter retention is applied%s", ": it was confirmed" if is_confirmed else "")
        return pending.keep_s

    def _waited_s(self, pending: ShorterRetention, passed_s: float) -> float:
        """Give for how long it has been announced by now, by however many stores at once."""
        before = self._waited
        is_known = before is not None and before[0] == pending.id
        own_s = before[1] + passed_s if before is not None and is_known else 0.0
        waited_s = max(pending.waited_s, own_s)
        self._waited = pending.id, waited_s
        return waited_s

    async def _ask(self, shorter: Mapping[str, int], now_s: float) -> Mapping[str, int]:
        """Announce what a shorter retention would delete; where that is nothing, apply it."""
        counts = {
            name: await self._retention.count_before(name, now_s - span) for name, span in shorter.items()
        }
        harmless = {name: span for name, span in shorter.items() if counts[name] == 0}
        await self._retention.keep_records(harmless)
        records = {name: number for name, number in counts.items() if number > 0}
        if records:
            keep = {name: shorter[name] for name in records}
            id = str(milliseconds(now_s))
            await self._retention.await_retention(ShorterRetention(id, now_s, keep, records))
            self._waited = id, 0.0
            log.warning(
                "a shorter retention will delete %s: in 24 hours, or when it is confirmed on the page or by "
                "`sightline retention --confirm`; a longer one in the settings takes it back",
                ", ".join(
                    f"{records[name]} {name} older than {keep[name] / SECONDS_A_DAY:g} days"
                    for name in sorted(records)
                ),
            )
        else:
            await self._retention.await_retention(None)
        return harmless

    async def _remove_asked(self) -> None:
        """Remove what somebody asked for: that needs no clock."""
        number = 0
        async for removed in self._removal.remove_asked(BATCH_RECORDS):
            number += removed
            await self._sleep(PAUSE_S)
        if number:
            log.info("%d records of generations of deleted cameras are removed, as somebody asked", number)

    async def _delete(self, kept_s: Mapping[str, int], now_s: float) -> None:
        spans = dict(kept_s)
        if spans.keys() >= self._wanted.keys():
            spans[SET_ASIDE] = max(spans.values())
        for name, span_s in spans.items():
            before_s = (now_s - span_s) // 60 * 60
            number = 0
            async for deleted in self._retention.delete_before(name, before_s, BATCH_RECORDS):
                number += deleted
                await self._sleep(PAUSE_S)
                if self._clock.look().doubt is not None:
                    return
            if number:
                self.deleted[name] += number
                log.info("%d %s were older than their retention and are deleted", number, name)
