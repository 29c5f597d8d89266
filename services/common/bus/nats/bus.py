"""The bus between processes, over NATS: events by JetStream, setups in a bucket, the rest by core NATS.

Whatever the server does, nothing raises out of publishing or reading: it is kept within its bound and
sent when the server is back, or dropped and counted where only the newest matters.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

from nats.aio.client import Client

from services.common.access.check import Access
from services.common.bus.mailbox import Mailbox
from services.common.bus.messages import decode_access, decode_setups, encode_access, encode_setups
from services.common.bus.nats.events import EventSender
from services.common.bus.nats.live import LiveStates, LiveTracks
from services.common.bus.nats.reader import ACK_WAIT_S, EventReader
from services.common.bus.nats.setups import SharedValue, SharedValues
from services.common.bus.protocol import EVENT_LIMIT, EventBatch
from services.common.bus.state_board import StateBoard
from services.common.tasks import watched
from services.core.types import CameraId, CameraSetup, CameraState, Event, TrackedFrame

log = logging.getLogger(__name__)

RESTART_S = 1.0
LAST_FLUSH_S = 1.0

Setups = tuple[CameraSetup, ...]


class NatsBus:
    """Implements `Bus`. Made by `nats_bus`, on the event loop of its connection."""

    def __init__(
        self, client: Client, event_limit: int = EVENT_LIMIT, ack_wait_s: float = ACK_WAIT_S
    ) -> None:
        self._sender = EventSender(client, event_limit)
        self._reader = EventReader(client, ack_wait_s)
        self._tracks = LiveTracks(client)
        self._board = StateBoard(secrets.token_hex(8))
        self._states = LiveStates(client, self._board)
        self._setup_readers: list[Mailbox[Setups]] = []
        self._setups = SharedValue[Setups]("all", encode_setups, decode_setups, self._on_setups)
        self._access = SharedValue[Access]("access", encode_access, decode_access, lambda access: None)
        values: tuple[SharedValue[Any], ...] = (self._setups, self._access)
        self._values = SharedValues(client, values)

    async def run(self) -> None:
        """Carry everything until cancelled."""
        parts = (self._sender, self._reader, self._tracks, self._states, self._values)
        tasks = [asyncio.create_task(_guarded(part.run)) for part in parts]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await asyncio.shield(self._reader.close())

    @property
    def dropped_events(self) -> int:
        """Events that the bound of the buffer could not hold, or that could not be sent."""
        return self._sender.dropped

    @property
    def waiting_events(self) -> int:
        """Events in this process that the stream has not stored yet."""
        return self._sender.waiting

    @property
    def dropped_tracks(self) -> int:
        """Frames of tracks that were not sent, or that slow readers of this process have lost."""
        return self._tracks.dropped

    @property
    def refused_messages(self) -> int:
        """Messages that were broken, foreign or of another version."""
        parts = (self._reader, self._tracks, self._states, self._values)
        return sum(part.refused for part in parts)

    def publish_events(self, events: Sequence[Event]) -> None:
        """Keep events within the bound until JetStream has stored them."""
        self._sender.publish(events)

    async def flush(self, timeout_s: float) -> bool:
        """Wait until JetStream has stored what was published before the call."""
        return await self._sender.flush(timeout_s)

    async def next_events(self, limit: int = 500) -> EventBatch:
        """Wait for events; the same batch comes until it is acknowledged. One reader a process."""
        return await self._reader.next_events(limit)

    def acknowledge(self, batch: EventBatch) -> None:
        """Let the stream forget the batch."""
        self._reader.acknowledge(batch)

    def publish_tracks(self, frame: TrackedFrame) -> None:
        """Tell live readers what was seen."""
        self._tracks.publish(frame)

    def tracks(self, camera: CameraId) -> AbstractAsyncContextManager[AsyncIterator[TrackedFrame]]:
        """Follow one camera's tracks from now on."""
        return self._tracks.follow(camera)

    def publish_state(self, camera: CameraId, state: CameraState) -> None:
        """Tell a camera's state, now and each second until it is forgotten."""
        self._board.tell_state(camera, state)
        self._states.wake()

    def publish_fps(self, camera: CameraId, fps: float) -> None:
        """Tell the rate at which a camera is analysed, now and each second until it is forgotten."""
        self._board.tell_rate(camera, fps)
        self._states.wake()

    def forget_state(self, camera: CameraId) -> None:
        """Tell nothing of a camera any more."""
        self._board.forget(camera)

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state that any process tells."""
        return self._board.state(camera)

    def publish_setups(self, setups: Sequence[CameraSetup]) -> None:
        """Replace the setups, here at once and for the others as soon as NATS can be reached."""
        self._setups.publish(tuple(setups))
        self._values.wake()

    @asynccontextmanager
    async def setups(self) -> AsyncIterator[AsyncIterator[Setups]]:
        """Follow the setups; a reader that lags sees only the newest."""
        with self._setup_reader() as reader:
            if self._setups.value is not None:
                reader.put(self._setups.value)
            yield reader.read()

    def publish_access(self, access: Access) -> None:
        """Replace who may watch."""
        self._access.publish(access)
        self._values.wake()

    def access(self) -> Access:
        """Give who may watch."""
        return self._access.value or Access()

    @contextmanager
    def _setup_reader(self) -> Iterator[Mailbox[Setups]]:
        reader = Mailbox[Setups](1)
        self._setup_readers.append(reader)
        try:
            yield reader
        finally:
            self._setup_readers.remove(reader)

    def _on_setups(self, setups: Setups) -> None:
        for reader in list(self._setup_readers):
            reader.put(setups)


@asynccontextmanager
async def nats_bus(
    client: Client, event_limit: int = EVENT_LIMIT, ack_wait_s: float = ACK_WAIT_S
) -> AsyncIterator[NatsBus]:
    """A bus over a connection, which must stay open until this context has ended.

    At the end there is a moment for what still waits to be handed on.
    """
    bus = NatsBus(client, event_limit, ack_wait_s)
    running = watched(bus.run(), "the bus")
    try:
        yield bus
    finally:
        if client.is_connected and not await bus.flush(LAST_FLUSH_S):
            log.warning("%d events could not be handed on before the end", bus.waiting_events)
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
