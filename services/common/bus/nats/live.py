"""What is for whoever listens now, over core NATS: live tracks, and states of cameras.

Nothing of it is kept. While the server is away tracks are dropped and counted; states are told again
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

from services.common.bus.mailbox import Mailbox
from services.common.bus.messages import CameraNews, decode_news, decode_tracks, encode_news, encode_tracks
from services.common.bus.nats.publishing import BUS_ERRORS, POLL_S, listening, until_sent
from services.common.bus.protocol import TRACK_LIMIT
from services.common.bus.state_board import StateBoard
from services.core.errors import BadMessageError
from services.core.types import CameraId, TrackedFrame

log = logging.getLogger(__name__)

TRACKS_SUBJECT = "sightline.tracks"
STATES_SUBJECT = "sightline.states"
"""What ingest publishes of cameras."""

RATES_SUBJECT = "sightline.rates"
"""What detectors publish of them."""

SEND_LIMIT = 256
"""Frames of all cameras that wait to be sent: a quarter of a second of a hundred cameras."""

REPEAT_S = 1.0
NEWS_CAMERAS = 200
"""Cameras in one message of states: far below what NATS takes at once."""


class LiveTracks:
    """Sends and receives tracks."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._outbox = Mailbox[TrackedFrame](SEND_LIMIT)
        self._unsent = 0
        self._late = 0
        self.refused = 0
        """Messages that are no tracks."""

    @property
    def dropped(self) -> int:
        """Frames that were not sent, or that slow readers of this process have lost."""
        return self._unsent + self._outbox.dropped + self._late

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
        mailbox = Mailbox[bytes](TRACK_LIMIT)

        async def on_message(message: Msg) -> None:
            mailbox.put(message.data)

        async with listening(self._client, f"{TRACKS_SUBJECT}.{camera}", on_message):
            if self._client.is_connected:
                with suppress(*BUS_ERRORS):
                    await until_sent(self._client)
            try:
                yield self._frames(mailbox)
            finally:
                self._late += mailbox.dropped

    async def _frames(self, mailbox: Mailbox[bytes]) -> AsyncIterator[TrackedFrame]:
        async for data in mailbox.read():
            try:
                frame = decode_tracks(data)
            except BadMessageError as error:
                self.refused += 1
                log.warning("tracks are refused: %s", error)
                continue
            yield frame


class LiveStates:
    """Tells others what this process's board holds, and puts on it what others tell."""

    def __init__(self, client: Client, board: StateBoard) -> None:
        self._client, self._board = client, board
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self.refused = 0
        """Messages that are no states."""

    def wake(self) -> None:
        """Tell changes soon. Callable from any thread."""
        if self._changed.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._changed.set)
        except RuntimeError:
            log.debug("the bus has ended: no states are told any more")

    async def run(self) -> None:
        """Tell changes at once and everything each second, until cancelled."""
        async with (
            listening(self._client, STATES_SUBJECT, self._on_message),
            listening(self._client, RATES_SUBJECT, self._on_message),
        ):
            await self._repeat()

    async def _repeat(self) -> None:
        repeat_s = self._loop.time()
        while True:
            self._changed.clear()
            await self._tell(self._board.changes())
            if self._loop.time() >= repeat_s:
                await self._tell(self._board.own_news())
                repeat_s = self._loop.time() + REPEAT_S
            with suppress(TimeoutError):
                async with asyncio.timeout(max(POLL_S, repeat_s - self._loop.time())):
                    await self._changed.wait()

    async def _tell(self, news: CameraNews) -> None:
        for subject, part in _parts(news):
            if not self._client.is_connected:
                return
            try:
                await self._client.publish(subject, encode_news(part))
            except (*BUS_ERRORS, BadMessageError) as error:
                log.debug("states could not be told: %s", type(error).__name__)

    async def _on_message(self, message: Msg) -> None:
        try:
            self._board.hear(_of_subject(message.subject, decode_news(message.data)))
        except BadMessageError as error:
            self.refused += 1
            log.warning("states are refused: %s", error)


def _parts(news: CameraNews) -> Iterator[tuple[str, CameraNews]]:
    """Give messages with their subjects, which tell apart who may publish what."""
    cameras = iter(sorted(news.states.keys() | news.rates.keys()))
    while chosen := set(islice(cameras, NEWS_CAMERAS)):
        part = CameraNews(
            news.process,
            {camera: told for camera, told in news.states.items() if camera in chosen},
            {camera: told for camera, told in news.rates.items() if camera in chosen},
        )
        for subject in (STATES_SUBJECT, RATES_SUBJECT):
            own = _of_subject(subject, part)
            if own.states or own.rates:
                yield subject, own


def _of_subject(subject: str, news: CameraNews) -> CameraNews:
    """Give what may be published there: states by ingest, rates by detectors."""
    return replace(news, rates={}) if subject == STATES_SUBJECT else replace(news, states={})
