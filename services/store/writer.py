"""The store: events from the bus into the database, acknowledged when they are durable."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.common.access.accounts import AuditEntry
from services.common.bus.protocol import EventBatch, EventQueue
from services.common.metrics import Figure
from services.core.errors import DatabaseUnavailableError
from services.core.sentences.sentence import Sentence
from services.core.types import Event
from services.store.space import KINDS, Kind, SpaceGate, Step

log = logging.getLogger(__name__)

BATCH_EVENTS = 500
LONGEST_WAIT_S = 10.0
IDLE_S = 0.2
"""With nothing to write for this long, the bus is taken to be empty."""


class EventSink(Protocol):
    """Where events go: to their place in the database, or aside."""

    async def prepare(self) -> None:
        """Make indexes and finish what was left half done."""

    async def insert_events(self, events: Sequence[Event]) -> int:
        """Write events durably; the same events may come again. Gives the number of refused ones."""

    async def add_audit(self, entry: AuditEntry, must: bool = False) -> None:
        """Keep an entry of the audit log; `must`: also where others are refused for want of room."""


@dataclass(slots=True)
class StoreHealth:
    """How the store is doing."""

    is_database_up: bool = False
    written: int = 0
    """Events that became durable since the start."""
    refused: int = 0
    """Events that a newer owner of their camera forbade."""
    waiting: int = 0
    """Events of the batch that is being written or tried again."""
    last_error: Sentence | None = None


class StoreWriter:
    """Writes until it is cancelled. While the database is away events wait in the bus, which is bounded."""

    def __init__(
        self,
        sink: EventSink,
        events: EventQueue,
        batch_events: int = BATCH_EVENTS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        space: SpaceGate | None = None,
    ) -> None:
        self._sink, self._events = sink, events
        self.space = space
        """What is stored while the disk fills; None: everything, always."""
        self._noted = Step.EVERYTHING
        self._batch_events = batch_events
        self._sleep = sleep
        self.health = StoreHealth()

    async def run(self) -> None:
        """Prepare the database, then write batch after batch."""
        await self._until_done(self._sink.prepare)
        while True:
            await self._write(await self._events.next_batch(self._batch_events))

    async def drain(self, timeout_s: float) -> bool:
        """Write what the bus still holds before the process ends; False when the time did not suffice.

        Call it when `run` has ended, after the other services.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    try:
                        async with asyncio.timeout(IDLE_S):
                            batch = await self._events.next_batch(self._batch_events)
                    except TimeoutError:
                        return True
                    await self._write(batch)
        except TimeoutError:
            return False

    async def _write(self, batch: EventBatch) -> None:
        self.health.waiting = len(batch.events)
        await self._until_done(lambda: self._insert(batch.events))
        self._events.acknowledge(batch)
        self.health.waiting = 0

    async def _insert(self, events: Sequence[Event]) -> None:
        kept, given_up = events, Counter[Kind]()
        if self.space is not None:
            self.space.look()
            kept, given_up = self.space.admit(events)
            await self._note_step(self.space)
        self.health.refused += await self._sink.insert_events(kept)
        self.health.written += len(kept)
        if self.space is not None:
            self.space.given_up.update(given_up)

    async def _note_step(self, space: SpaceGate) -> None:
        """Leave a durable note of what is missing from when on, and until when."""
        if space.step is self._noted:
            return
        action = "storage.cut" if space.step > self._noted else "storage.return"
        entry = AuditEntry(action, str(space.shortage or "everything is stored"), user="store", by="disk")
        await self._sink.add_audit(entry, must=True)
        self._noted = space.step

    async def _until_done(self, action: Callable[[], Awaitable[None]]) -> None:
        """Try until it works, after 1, 2, 4 … 10 s; logs an outage once, and its end."""
        wait_s, began_s = 1.0, time.monotonic()
        while True:
            try:
                await action()
            except DatabaseUnavailableError as error:
                self._on_failure(error)
            else:
                break
            await self._sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        if not self.health.is_database_up:
            log.info("the database answers%s", self._after_outage(began_s))
        self.health.is_database_up, self.health.last_error = True, None

    def _on_failure(self, error: DatabaseUnavailableError) -> None:
        if self.health.last_error is None:
            log.warning("%s; events are kept and written when it is back", error)
        self.health.is_database_up, self.health.last_error = False, error.sentence

    def _after_outage(self, began_s: float) -> str:
        return f" again after {time.monotonic() - began_s:.0f} s" if self.health.last_error else ""


def store_figures(writer: StoreWriter) -> Iterator[Figure]:
    """Give the figures of a store."""
    yield Figure("sightline_events_written_total", writer.health.written)
    yield Figure("sightline_events_fenced_total", writer.health.refused)
    if writer.space is not None:
        for kind in KINDS:
            yield Figure("sightline_events_not_stored_total", writer.space.given_up[kind], {"kind": kind})
