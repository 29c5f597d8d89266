"""Events on their way to JetStream: kept here, within a bound, until the stream has stored them.

The evidence of a second is sent only when everything before it is stored, and announcements of owners
are sent first: whoever reads the stream never sees a covered second whose crossings are still to come.
"""

import asyncio
import hmac
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace

from nats.aio.client import Client
from nats.errors import MaxPayloadError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.client import JetStreamContext
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from services.common.bus.event_buffer import EventBuffer, Waiting
from services.common.bus.messages import encode_event, event_identity
from services.common.bus.nats.publishing import (
    BUS_ERRORS,
    REQUEST_TIMEOUT_S,
    AnsweredPublisher,
    Outgoing,
    pause,
    until_connected,
    while_connected,
)
from services.core.errors import BadMessageError
from services.core.evidence.ranks import RANKS
from services.core.types import AccessNote, Event, RepeatedSpan, StatusChange

log = logging.getLogger(__name__)

STREAM = "SIGHTLINE_EVENTS"
SUBJECT = "sightline.events"
SUBJECTS = [f"{SUBJECT}.>"]
STREAM_BYTES = 1024**3
STREAM_AGE_S = 7 * 86_400.0
DUPLICATE_WINDOW_S = 600.0
"""An event that comes again later than this is recognised by the database's unique index."""

HEADER_BYTES = 1024
"""What a message needs beside its data."""

BATCH_EVENTS = 256
FIRST_RETRY_S = 0.1
LONGEST_RETRY_S = 2.0
LOOK_S = 2.0
"""How often whoever makes the stream looks whether it is there."""

TOO_LARGE_CODE = 10054
"""JetStream's error for a message that is larger than the stream takes."""


def event_subject(event: Event) -> str:
    """Give where an event is published: its kind decides which service may (configmaps/nats-users.conf)."""
    match event:
        case AccessNote():
            return f"{SUBJECT}.access.{event.place}"
        case StatusChange():
            return f"{SUBJECT}.status.{event.camera}"
        case RepeatedSpan():
            return f"{SUBJECT}.repeated.{event.camera}"
        case _:
            return f"{SUBJECT}.counted.{event.camera}"


def is_in_place(event: Event, subject: str) -> bool:
    """Return whether an event was published where its kind may be, or where an earlier version kept all."""
    return subject in (event_subject(event), f"{SUBJECT}.{event.camera}")


async def ensure_event_stream(jetstream: JetStreamContext) -> StreamInfo:
    """Give the stream of events, made if it is not there; one whose limits were changed by hand stays.

    One of an earlier version is given the subjects of this one.
    """
    try:
        info = await jetstream.stream_info(STREAM)
        known = info.config.subjects or []
        if set(SUBJECTS) <= set(known):
            return info
        others = [subject for subject in known if not subject.startswith(f"{SUBJECT}.")]
        return await jetstream.update_stream(replace(info.config, subjects=[*others, *SUBJECTS]))
    except NotFoundError:
        config = StreamConfig(
            name=STREAM,
            subjects=SUBJECTS,
            storage=StorageType.FILE,
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
            max_bytes=STREAM_BYTES,
            max_age=STREAM_AGE_S,
            duplicate_window=DUPLICATE_WINDOW_S,
        )
        return await jetstream.add_stream(config)


class EventSender:
    """Takes events from any thread and hands them to the stream, for as long as `run` runs.

    `makes_stream`: whether it makes the stream where that is gone, or waits until another does. `secret`
    is what all processes of a service share: the stream drops what comes with an identity that it knows, and
    nobody else shall be able to guess one.
    """

    def __init__(self, client: Client, event_limit: int, makes_stream: bool = True, secret: str = "") -> None:
        self._makes_stream, self._secret = makes_stream, secret.encode()
        self._client = client
        self._jetstream = client.jetstream(timeout=REQUEST_TIMEOUT_S)
        self._publisher = AnsweredPublisher(client)
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._buffer = EventBuffer[Outgoing](event_limit)
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        self._logged = ""

    @property
    def dropped(self) -> int:
        """Events that were given up."""
        return self._buffer.dropped

    @property
    def waiting(self) -> int:
        """Events that the stream has not stored yet."""
        return len(self._buffer)

    def publish(self, events: Sequence[Event]) -> None:
        """Keep events to be sent. Never blocks; callable from any thread."""
        messages = [self._message(event) for event in events]
        with self._lock:
            for event, message in zip(events, messages, strict=True):
                self._buffer.add(event, message)
        if self._wake.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:
            log.warning("the bus has ended: %d events are not sent", len(events))

    async def flush(self, timeout_s: float) -> bool:
        """Wait until the stream has stored all that was published before; False when time was short."""
        with self._lock:
            newest = self._buffer.newest
        try:
            async with asyncio.timeout(timeout_s):
                while self._is_waiting(newest):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            if self._makes_stream:
                tasks.create_task(self._keep_stream())
            tasks.create_task(self._send_all())

    async def _keep_stream(self) -> None:
        """Make the stream where it is gone, also while nothing is sent or read here: others may not."""
        while True:
            await until_connected(self._client)
            await self._mend()
            await pause(self._client, LOOK_S)

    async def _send_all(self) -> None:
        wait_s = FIRST_RETRY_S
        while True:
            await self._until_some()
            await until_connected(self._client)
            error = await self._send_first()
            if error is None:
                self._log("")
                wait_s = FIRST_RETRY_S
                continue
            self._log(_words(error))
            await self._mend()
            await pause(self._client, wait_s)
            wait_s = min(2 * wait_s, LONGEST_RETRY_S)

    async def _until_some(self) -> None:
        while not self._buffer:
            self._wake.clear()
            if not self._buffer:
                await self._wake.wait()

    def _is_waiting(self, sequence: int) -> bool:
        with self._lock:
            oldest = self._buffer.oldest
        return oldest is not None and oldest <= sequence

    def _message(self, event: Event) -> Outgoing | None:
        """Give an event as it is sent; None when it cannot be."""
        try:
            data = encode_event(event)
        except BadMessageError as error:
            log.error("an event of camera %s is lost: %s", event.camera, error)
            return None
        if len(data) > self._client.max_payload - HEADER_BYTES:
            log.error("an event of camera %s is lost: its %d bytes are too many", event.camera, len(data))
            return None
        identity = event_identity(event)
        if self._secret:
            identity = hmac.digest(self._secret, identity.encode(), "sha256").hex()
        return Outgoing(event_subject(event), identity, data)

    async def _send_first(self) -> Exception | None:
        """Send the oldest events, rank after rank; give what stopped it."""
        with self._lock:
            batch = self._buffer.first(BATCH_EVENTS)
        for ranks in RANKS:
            chosen = [waiting for waiting in batch if waiting.rank in ranks]
            if chosen and (error := await self._send(chosen)) is not None:
                return error
        return None

    async def _send(self, chosen: Sequence[Waiting[Outgoing]]) -> Exception | None:
        errors = await self._publisher.publish([waiting.item for waiting in chosen])
        results = list(zip(chosen, errors, strict=True))
        with self._lock:
            self._buffer.remove({waiting.sequence for waiting, error in results if error is None})
            for waiting, error in results:
                if error is not None and _is_final(error):
                    self._buffer.drop(waiting)
        self._moved.set()
        return next((error for error in errors if error is not None), None)

    async def _mend(self) -> None:
        """Make the stream again if it is gone: NATS may have lost its disk."""
        if not (self._makes_stream and self._client.is_connected):
            return
        try:
            await while_connected(self._client, ensure_event_stream(self._jetstream))
        except BUS_ERRORS as error:
            self._log(_words(error))

    def _log(self, cause: str) -> None:
        """Log when events begin to wait, with each new cause, and when they go on."""
        if cause and cause != self._logged:
            log.warning("events wait in this process: %s", cause)
        elif self._logged and not cause:
            log.info("events are sent again")
        self._logged = cause


def _is_final(error: Exception) -> bool:
    return isinstance(error, MaxPayloadError) or getattr(error, "err_code", None) == TOO_LARGE_CODE


def _words(error: Exception) -> str:
    """Say what JetStream answers, without what was sent."""
    if isinstance(error, APIError):
        return f"JetStream says: {error.description}"
    if isinstance(error, NoStreamResponseError):
        return "their stream is away and is made again by the store"
    return "NATS does not answer" if isinstance(error, TimeoutError) else type(error).__name__
