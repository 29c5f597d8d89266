"""What is for whoever listens now, over core NATS: live tracks, and states of cameras.

Nothing of it is kept. While the server is away tracks are dropped and counted; states are published again
each second, so that a process that starts or comes back later knows them within that time.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import islice

from nats.aio.client import Client
from nats.aio.msg import Msg

from services.common.bus.camera_states import CameraStates
from services.common.bus.messages import (
    CameraUpdate,
    decode_tracks,
    decode_update,
    encode_tracks,
    encode_update,
)
from services.common.bus.nats.publishing import BUS_ERRORS, POLL_S, listening, until_sent
from services.common.bus.protocol import TRACK_LIMIT
from services.common.bus.readers import Mailbox, Readers
from services.core.costs import AnalysisCost
from services.core.errors import BadMessageError
from services.core.types import CameraId, CameraState, StatusChange, TrackedFrame

log = logging.getLogger(__name__)

TRACKS_SUBJECT = "sightline.tracks"
STATES_SUBJECT = "sightline.states"
"""What ingest publishes of cameras."""

RATES_SUBJECT = "sightline.rates"
"""What detectors publish of them."""

SEND_LIMIT = 256
"""Frames of all cameras that wait to be sent: a quarter of a second of a hundred cameras."""

REPEAT_S = 1.0
COSTS_EVERY_S = 5.0
"""Costs are for people to look at: nobody waits for them."""

UPDATE_CAMERAS = 200
"""Cameras in one message of states: far below what NATS takes at once."""


class NatsTrackFeed:
    """Implements `TrackFeed`: sends and receives for as long as `run` runs."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._outbox = Mailbox[TrackedFrame](SEND_LIMIT)
        self._unsent = 0
        self._readers = Readers[bytes](TRACK_LIMIT)
        self.refused = 0
        """Messages that are no tracks."""

    @property
    def dropped(self) -> int:
        """Frames that were not sent, or that slow readers of this process have lost."""
        return self._unsent + self._outbox.dropped + self._readers.dropped

    @property
    def waiting(self) -> int:
        """Frames that the slowest reader of this process has not taken yet."""
        return self._readers.waiting

    def publish(self, frame: TrackedFrame) -> None:
        """Send a frame soon. Callable from any thread."""
        self._outbox.put(frame)

    async def run(self) -> None:
        """Send until cancelled."""
        async for frame in self._outbox.read():
            if not self._client.is_connected:
                self._unsent += 1
                continue
            try:
                await self._client.publish(f"{TRACKS_SUBJECT}.{frame.camera}", encode_tracks(frame))
            except (*BUS_ERRORS, BadMessageError):
                self._unsent += 1

    @asynccontextmanager
    async def follow(self, camera: CameraId) -> AsyncIterator[AsyncIterator[TrackedFrame]]:
        """Follow one camera's tracks; a slow reader loses the oldest."""
        with self._readers.reading() as mailbox:

            async def on_message(message: Msg) -> None:
                mailbox.put(message.data)

            async with listening(self._client, f"{TRACKS_SUBJECT}.{camera}", on_message):
                if self._client.is_connected:
                    with suppress(*BUS_ERRORS):
                        await until_sent(self._client)
                yield self._frames(mailbox)

    async def _frames(self, mailbox: Mailbox[bytes]) -> AsyncIterator[TrackedFrame]:
        async for data in mailbox.read():
            try:
                frame = decode_tracks(data)
            except BadMessageError as error:
                self.refused += 1
                log.warning("tracks are refused: %s", error)
                continue
            yield frame


class NatsStateBoard:
    """Implements `StateBoard`: publishes what this process reports, and receives what others do."""

    def __init__(self, client: Client, states: CameraStates) -> None:
        self._client, self._states = client, states
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self.refused = 0
        """Messages that are no states."""

    def publish_state(self, camera: CameraId, state: CameraState) -> None:
        """Publish a camera's state, now and each second until it is withdrawn."""
        self._states.publish_state(camera, state)
        self._wake()

    def publish_rate(self, camera: CameraId, fps: float, fault: StatusChange | None = None) -> None:
        """Publish the rate at which a camera is analysed, now and each second until it is withdrawn."""
        self._states.publish_rate(camera, fps, fault)
        self._wake()

    def publish_cost(self, camera: CameraId, cost: AnalysisCost) -> None:
        """Publish what a camera's analysis costs, every few seconds until its rate is withdrawn."""
        self._states.publish_cost(camera, cost)

    def withdraw_state(self, camera: CameraId) -> None:
        """Publish a camera's state no more."""
        self._states.withdraw_state(camera)

    def withdraw_rate(self, camera: CameraId) -> None:
        """Publish a camera's rate and cost no more, after a last rate of nothing."""
        self._states.withdraw_rate(camera)
        self._wake()

    def state(self, camera: CameraId) -> CameraState | None:
        """Give the newest state that any process reports."""
        return self._states.state(camera)

    def cost(self, camera: CameraId) -> AnalysisCost | None:
        """Give the newest cost that any process reports."""
        return self._states.cost(camera)

    def _wake(self) -> None:
        """Publish changes soon. Callable from any thread."""
        if self._changed.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:
            log.debug("the bus has ended: no states are published any more")

    async def run(self) -> None:
        """Publish changes at once and everything each second, until cancelled."""
        async with (
            listening(self._client, STATES_SUBJECT, self._on_message),
            listening(self._client, RATES_SUBJECT, self._on_message),
        ):
            await self._repeat()

    async def _repeat(self) -> None:
        repeat_s = costs_s = self._loop.time()
        while True:
            self._changed.clear()
            await self._publish(self._states.changes())
            if self._loop.time() >= repeat_s:
                await self._publish(self._states.own_update())
                repeat_s = self._loop.time() + REPEAT_S
            if self._loop.time() >= costs_s:
                await self._publish(self._states.own_costs())
                costs_s = self._loop.time() + COSTS_EVERY_S
            with suppress(TimeoutError):
                async with asyncio.timeout(max(POLL_S, repeat_s - self._loop.time())):
                    await self._changed.wait()

    async def _publish(self, update: CameraUpdate) -> None:
        for subject, part in _parts(update):
            if not self._client.is_connected:
                return
            try:
                await self._client.publish(subject, encode_update(part))
            except (*BUS_ERRORS, BadMessageError) as error:
                log.debug("states could not be published: %s", type(error).__name__)

    async def _on_message(self, message: Msg) -> None:
        try:
            self._states.receive(_of_subject(message.subject, decode_update(message.data)))
        except BadMessageError as error:
            self.refused += 1
            log.warning("states are refused: %s", error)


def _parts(update: CameraUpdate) -> Iterator[tuple[str, CameraUpdate]]:
    """Give messages with their subjects, which distinguish who may publish what."""
    cameras = iter(sorted(update.states.keys() | update.rates.keys() | update.costs.keys()))
    while chosen := set(islice(cameras, UPDATE_CAMERAS)):
        part = CameraUpdate(
            update.process,
            {camera: report for camera, report in update.states.items() if camera in chosen},
            {camera: report for camera, report in update.rates.items() if camera in chosen},
            {camera: report for camera, report in update.costs.items() if camera in chosen},
        )
        for subject in (STATES_SUBJECT, RATES_SUBJECT):
            own = _of_subject(subject, part)
            if own.states or own.rates or own.costs:
                yield subject, own


def _of_subject(subject: str, update: CameraUpdate) -> CameraUpdate:
    """Give what may be published there: states by ingest, rates and costs by detectors."""
    return replace(update, rates={}, costs={}) if subject == STATES_SUBJECT else replace(update, states={})
