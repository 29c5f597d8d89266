"""The bus between processes, over NATS: events by JetStream, setups in a bucket, the rest by core NATS.

Whatever the server does, nothing raises out of publishing or reading: it is kept within its bound and
sent when the server is back, or dropped and counted where only the newest matters.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager

from nats.aio.client import Client

from services.common.access.check import Access
from services.common.bus.camera_states import CameraStates
from services.common.bus.local import camera_ids
from services.common.bus.messages import decode_access, decode_setups, encode_access, encode_setups
from services.common.bus.nats.events import EventSender
from services.common.bus.nats.live import NatsStateBoard, NatsTrackFeed
from services.common.bus.nats.reader import ACK_WAIT_S, EventReader
from services.common.bus.nats.setups import NatsSharedValue, SharedValues
from services.common.bus.protocol import EVENT_LIMIT, Bus, EventBatch, Setups
from services.common.metrics import Figure
from services.core.types import Event

log = logging.getLogger(__name__)

RESTART_S = 1.0
LAST_FLUSH_S = 1.0


class NatsEventQueue:
    """Implements `EventQueue`: a sender and a reader of the stream of events."""

    def __init__(self, sender: EventSender, reader: EventReader) -> None:
        self._sender, self._reader = sender, reader

    @property
    def dropped(self) -> int:
        """Events that the bound of the buffer could not hold, or that could not be sent."""
        return self._sender.dropped

    @property
    def waiting(self) -> int:
        """Events in this process that the stream has not stored yet."""
        return self._sender.waiting

    def publish(self, events: Sequence[Event]) -> None:
        """Keep events within the bound until JetStream has stored them."""
        self._sender.publish(events)

    async def flush(self, timeout_s: float) -> bool:
        """Wait until JetStream has stored what was published before the call."""
        return await self._sender.flush(timeout_s)

    async def next_batch(self, limit: int = 500) -> EventBatch:
        """Wait for events; the same batch comes until it is acknowledged. One reader a process."""
        return await self._reader.next_batch(limit)

    def acknowledge(self, batch: EventBatch) -> None:
        """Let the stream forget the batch."""
        self._reader.acknowledge(batch)


class NatsBus(Bus):
    """All doors over one connection. Made by `nats_bus`, on the event loop of that connection."""

    def __init__(
        self, client: Client, event_limit: int = EVENT_LIMIT, ack_wait_s: float = ACK_WAIT_S
    ) -> None:
        states = CameraStates(secrets.token_hex(8))
        setups = NatsSharedValue[Setups](
            "all", encode_setups, decode_setups, (), lambda setups: states.retain(camera_ids(setups))
        )
        access = NatsSharedValue[Access]("access", encode_access, decode_access, Access())
        tracks, board = NatsTrackFeed(client), NatsStateBoard(client, states)
        self._sender, self._reader = EventSender(client, event_limit), EventReader(client, ack_wait_s)
        self._receiving = (self._reader, tracks, board, SharedValues(client, (setups, access)))
        super().__init__(NatsEventQueue(self._sender, self._reader), tracks, board, setups, access)

    async def run(self) -> None:
        """Carry everything until cancelled."""
        parts = (self._sender, *self._receiving)
        tasks = [asyncio.create_task(_guarded(part.run)) for part in parts]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.shield(self._reader.close())

    @property
    def refused_messages(self) -> int:
        """Messages that were broken, foreign or of another version."""
        return sum(part.refused for part in self._receiving)

    def figures(self) -> Iterator[Figure]:
        """Give what waits, what was lost, and what was refused."""
        yield from super().figures()
        yield Figure("sightline_messages_refused_total", self.refused_messages)


@asynccontextmanager
async def nats_bus(
    client: Client, event_limit: int = EVENT_LIMIT, ack_wait_s: float = ACK_WAIT_S
) -> AsyncIterator[NatsBus]:
    """A bus over a connection, which must stay open until this context has ended.

    At the end there is a moment for what still waits to be handed on.
    """
    bus = NatsBus(client, event_limit, ack_wait_s)
    running = asyncio.create_task(bus.run())
    try:
        yield bus
    finally:
        if client.is_connected and not await bus.events.flush(LAST_FLUSH_S):
            log.warning("%d events could not be handed on before the end", bus.events.waiting)
        running.cancel()
        await asyncio.wait([running])


async def _guarded(run: Callable[[], Awaitable[None]]) -> None:
    """Run a part of the bus; what nobody foresaw costs a pause, not the process."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("a part of the bus failed and starts again")
        await asyncio.sleep(RESTART_S)
