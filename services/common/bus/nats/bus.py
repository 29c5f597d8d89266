"""The bus between processes, over NATS: events by JetStream, setups in a bucket, the rest by core NATS.

Whatever the server does, nothing raises out of publishing or reading: it is kept within its bound and
sent when the server is back, or dropped and counted where only the newest matters.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

from nats.aio.client import Client

from services.common.access.check import Access
from services.common.bus.mailbox import Mailbox
from services.common.bus.messages import decode_access, decode_setups, encode_access, encode_setups
from services.common.bus.nats.events import EventSender
from services.common.bus.nats.live import LiveStates, LiveTracks
from services.common.bus.nats.reader import ACK_WAIT_S, EventReader
from services.common.bus.nats.setups import ACCESS, ADDRESSES, CAMERAS, SharedValue, SharedValues
from services.common.bus.protocol import EVENT_LIMIT, EventBatch
from services.common.bus.state_board import StateBoard
from services.common.leases.protocol import Role
from services.common.tasks import watched
from services.core.types import CameraId, CameraSetup, CameraState, Event, TrackedFrame

log = logging.getLogger(__name__)

RESTART_S = 1.0
LAST_FLUSH_S = 1.0

Setups = tuple[CameraSetup, ...]

BUCKETS: dict[Role | None, tuple[str, ...]] = {
    None: (ADDRESSES, CAMERAS, ACCESS),
    "web": (ADDRESSES, CAMERAS, ACCESS),
    "ingest": (ADDRESSES, ACCESS),
    "detector": (CAMERAS, ACCESS),
    "rtsp": (CAMERAS, ACCESS),
    "store": (),
}
"""What each service reads, as the permissions of its user allow."""


class NatsBus:
    """Implements `Bus`. Made by `nats_bus`, on the event loop of its connection.

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
        self._role = role
        self._sender = EventSender(client, event_limit, role in (None, "store"), secret)
        self._reader = EventReader(client, ack_wait_s)
        self._tracks = LiveTracks(client)
        self._board = StateBoard(secrets.token_hex(8))
        self._states = LiveStates(client, self._board)
        self._setup_readers: list[Mailbox[Setups]] = []
        reads_addresses = ADDRESSES in BUCKETS[role]
        on_addresses, on_cameras = (
            (self._on_setups, _ignore) if reads_addresses else (_ignore, self._on_setups)
        )
        self._addressed = SharedValue[Setups](ADDRESSES, encode_setups, decode_setups, on_addresses)
        self._cameras = SharedValue[Setups](CAMERAS, encode_setups, decode_setups, on_cameras)
        self._setups = self._addressed if reads_addresses else self._cameras
        self._access = SharedValue[Access](ACCESS, encode_access, decode_access, _ignore)
        values: tuple[SharedValue[Any], ...] = (self._addressed, self._cameras, self._access)
        self._values = SharedValues(client, tuple(value for value in values if value.bucket in BUCKETS[role]))

    async def run(self) -> None:
        """Carry everything until cancelled."""
        runs = [self._sender.run, self._reader.run, self._tracks.run]
        if self._role not in ("store", "rtsp"):
            runs.append(self._states.run)
        if BUCKETS[self._role]:
            runs.append(self._values.run)
        tasks = [asyncio.create_task(_guarded(run)) for run in runs]
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
        """Replace the setups, here at once and for the others as soon as NATS can be reached.

        Those who dial no camera are given no address of one.
        """
        self._addressed.publish(tuple(setups))
        self._cameras.publish(tuple(without_address(setup) for setup in setups))
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
        if client.is_connected and not await bus.flush(LAST_FLUSH_S):
            log.warning("%d events could not be handed on before the end", bus.waiting_events)
        running.cancel()
        await asyncio.wait([running])


def without_address(setup: CameraSetup) -> CameraSetup:
    """Give a setup as those may see it who dial no camera."""
    return replace(setup, camera=replace(setup.camera, url=""))


def _ignore(_: object) -> None:
    """A change that nobody follows."""


async def _guarded(run: Callable[[], Awaitable[None]]) -> None:
    """Run a part of the bus; what nobody foresaw costs a pause, not the process."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("a part of the bus failed and starts again")
        await asyncio.sleep(RESTART_S)
