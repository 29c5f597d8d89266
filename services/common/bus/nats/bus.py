"""The bus between processes, over NATS: events by JetStream, setups in a bucket, the rest by core NATS.

Whatever the server does, nothing raises out of publishing or reading: it is kept within its bound and
sent when the server is back, or dropped and counted where only the newest matters.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from nats.aio.client import Client

from services.common.access.check import Access
from services.common.bus.camera_states import CameraStates
from services.common.bus.local import camera_ids
from services.common.bus.messages import decode_access, decode_setups, encode_access, encode_setups
from services.common.bus.nats.camera_tests import NatsCameraTests
from services.common.bus.nats.events import EventSender
from services.common.bus.nats.live import NatsStateBoard, NatsTrackFeed
from services.common.bus.nats.reader import ACK_WAIT_S, EventReader
from services.common.bus.nats.setups import ACCESS, ADDRESSES, CAMERAS, NatsSharedValue, SharedValues
from services.common.bus.protocol import EVENT_LIMIT, Bus, EventBatch, Setups, SharedValue
from services.common.leases.protocol import Role
from services.common.metrics import Figure
from services.common.tasks import watched
from services.core.types import CameraSetup, Event

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


BUCKETS: dict[Role | None, tuple[str, ...]] = {
    None: (ADDRESSES, CAMERAS, ACCESS),
    "web": (ADDRESSES, CAMERAS, ACCESS),
    "ingest": (ADDRESSES, ACCESS),
    "detector": (CAMERAS, ACCESS),
    "rtsp": (CAMERAS, ACCESS),
    "store": (),
}
"""What each service reads, as the permissions of its user allow."""


class PublishedSetups:
    """Implements `SharedValue` for web: whoever dials no camera is given no address of one."""

    def __init__(self, addressed: NatsSharedValue[Setups], cameras: NatsSharedValue[Setups]) -> None:
        self._addressed, self._cameras = addressed, cameras

    def publish(self, value: Setups) -> None:
        """Replace the setups, here at once and for the others as soon as NATS can be reached."""
        self._addressed.publish(value)
        self._cameras.publish(tuple(without_address(setup) for setup in value))

    def newest(self) -> Setups:
        """Give the setups with their addresses."""
        return self._addressed.newest()

    def follow(self) -> AbstractAsyncContextManager[AsyncIterator[Setups]]:
        """Follow the setups with their addresses."""
        return self._addressed.follow()


class NatsBus(Bus):
    """All doors over one connection. Made by `nats_bus`, on the event loop of that connection.

    `role`: whose bus it is, which does at the server what that service may; None does everything. `secret`:
    see `EventSender`.
    """

    def __init__(
        self,
        client: Client,
        event_limit: int = EVENT_LIMIT,
        ack_wait_s: float = ACK_WAIT_S,
        role: Role | None = None,
        secret: str = "",
    ) -> None:
        states = CameraStates(secrets.token_hex(8))

        def retain(setups: Setups) -> None:
            states.retain(camera_ids(setups))

        buckets = BUCKETS[role]
        reads_addresses = ADDRESSES in buckets
        addressed = NatsSharedValue[Setups](ADDRESSES, encode_setups, decode_setups, (), retain)
        cameras = NatsSharedValue[Setups](
            CAMERAS, encode_setups, decode_setups, (), None if reads_addresses else retain
        )
        access = NatsSharedValue[Access](ACCESS, encode_access, decode_access, Access())
        values = tuple(value for value in (addressed, cameras, access) if value.bucket in buckets)
        self._sender = EventSender(client, event_limit, role in (None, "store"), secret)
        self._reader, tracks = EventReader(client, ack_wait_s), NatsTrackFeed(client)
        board, shared = NatsStateBoard(client, states), SharedValues(client, values)
        tests = NatsCameraTests(client)
        self._receiving = (self._reader, tracks, board, shared, tests)
        self._runs = [self._sender.run, self._reader.run, tracks.run]
        if role != "store":
            self._runs.append(board.run)
        if buckets:
            self._runs.append(shared.run)
        setups: SharedValue[Setups] = PublishedSetups(addressed, cameras) if reads_addresses else cameras
        queue = NatsEventQueue(self._sender, self._reader)
        super().__init__(queue, tracks, board, setups, access, tests)

    async def run(self) -> None:
        """Carry everything until cancelled."""
        tasks = [asyncio.create_task(_guarded(run)) for run in self._runs]
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
    client: Client,
    event_limit: int = EVENT_LIMIT,
    ack_wait_s: float = ACK_WAIT_S,
    role: Role | None = None,
    secret: str = "",
) -> AsyncIterator[NatsBus]:
    """A bus over a connection, which must stay open until this context has ended.

    At the end there is a moment for what still waits to be handed on.
    """
    bus = NatsBus(client, event_limit, ack_wait_s, role, secret)
    running = watched(bus.run(), "the bus")
    try:
        yield bus
    finally:
        if client.is_connected and not await bus.events.flush(LAST_FLUSH_S):
            log.warning("%d events could not be handed on before the end", bus.events.waiting)
        running.cancel()
        await asyncio.wait([running])


def without_address(setup: CameraSetup) -> CameraSetup:
    """Give a setup as those may see it who dial no camera."""
    return replace(setup, camera=replace(setup.camera, url=""))


async def _guarded(run: Callable[[], Awaitable[None]]) -> None:
    """Run a part of the bus; what nobody foresaw costs a pause, not the process."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("a part of the bus failed and starts again")
        await asyncio.sleep(RESTART_S)
