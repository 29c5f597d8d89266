"""The store as one: it writes events, and keeps records as long as they are to be kept."""

import asyncio
from collections.abc import Callable, Iterator

from services.common.bus.protocol import EventQueue
from services.common.clocks import read_host_clock
from services.common.database.schema import Retention
from services.common.metrics import Figure
from services.common.tasks import end_tasks
from services.core.evidence.clock_belief import ClockReading
from services.store.clock import StoreClock
from services.store.database import StoreDatabase
from services.store.keeper import RetentionKeeper
from services.store.placement import Placement
from services.store.space import SpaceGate
from services.store.writer import BATCH_EVENTS, StoreHealth, StoreWriter, store_figures


class StoreService:
    """Runs until it is cancelled; the only one that deletes records."""

    def __init__(
        self,
        database: StoreDatabase,
        events: EventQueue,
        retention: Retention,
        batch_events: int = BATCH_EVENTS,
        read_clock: Callable[[], ClockReading] = read_host_clock,
        space: SpaceGate | None = None,
    ) -> None:
        """`space` says what is stored while the disk fills; None: everything, always."""
        self._clock = StoreClock(read_clock)
        self._placement = Placement(
            database, self._clock, space.has_room if space is not None else lambda: True
        )
        self._writer = StoreWriter(self._placement, events, batch_events, space=space)
        self._keeper = RetentionKeeper(database, retention, self._clock, self._placement)

    @property
    def health(self) -> StoreHealth:
        """How the writing is doing."""
        return self._writer.health

    async def run(self) -> None:
        """Write and keep; raises what either fails with."""
        tasks = [asyncio.create_task(self._writer.run()), asyncio.create_task(self._keeper.run())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end_tasks(tasks)

    async def drain(self, timeout_s: float) -> bool:
        """Write what the bus still holds when `run` has ended; False when the time did not suffice."""
        return await self._writer.drain(timeout_s)

    def figures(self) -> Iterator[Figure]:
        """Give the figures of this moment."""
        yield from store_figures(self._writer)
        yield Figure("sightline_events_set_aside_total", self._placement.set_aside_total)
        yield Figure("sightline_clock_believed", float(self._clock.is_believed))
        for kind, number in sorted(self._keeper.deleted.items()):
            yield Figure("sightline_records_deleted_total", number, {"kind": kind})
