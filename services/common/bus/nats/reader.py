"""Events from JetStream to the store, each until the store has acknowledged it.

One batch is out at a time, so that no evidence overtakes the crossings of its second. While it is worked
on, that is reported to the stream; when its reader ends, it comes to the next one after `ack_wait_s`.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo
from nats.js.client import JetStreamContext
from nats.js.errors import NotFoundError

from services.common.bus.messages import decode_event
from services.common.bus.nats.events import STREAM, ensure_event_stream, is_in_place
from services.common.bus.nats.publishing import (
    BUS_ERRORS,
    REQUEST_TIMEOUT_S,
    pause,
    returns_of,
    until_connected,
    while_connected,
)
from services.common.bus.protocol import EventBatch
from services.core.errors import BadMessageError
from services.core.types import Event

log = logging.getLogger(__name__)

CONSUMER = "store"
ACK_WAIT_S = 5.0
"""How long a batch stays with a reader that has fallen silent."""

PULL_S = 1.0
"""How long one question for events waits at the server."""

REST_S = 0.02
"""How long a batch is waited for after its first event. The question ends with it: what the server handed out
beyond a batch would be kept by nobody while the batch is written."""

RETRY_S = 0.2
LOOK_S = 0.05
MARGIN_S = 0.3
"""What the stream may need beyond `ack_wait_s` to have a batch ready for the next reader."""

ACKNOWLEDGE_ATTEMPTS = 5
CONFIRM_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class _Outstanding:
    """A batch that is out, with what acknowledges it."""

    batch: EventBatch
    messages: tuple[Msg, ...]
    created: datetime | None
    """When its stream was made: the numbers of another stream mean other events."""
    returns: int


class EventReader:
    """The one reader of this process."""

    def __init__(self, client: Client, ack_wait_s: float = ACK_WAIT_S) -> None:
        self._client, self._ack_wait_s = client, ack_wait_s
        self._jetstream = client.jetstream(timeout=REQUEST_TIMEOUT_S)
        self._pulling: JetStreamContext.PullSubscription | None = None
        self._received: list[Msg] = []
        self._created: datetime | None = None
        self._ready: tuple[int, int] | None = None
        self._gathering: asyncio.Task[_Outstanding] | None = None
        self._outstanding: _Outstanding | None = None
        self._acknowledged: deque[_Outstanding] = deque()
        self._wake = asyncio.Event()
        self._passed_on = asyncio.Event()
        self._passed_on.set()
        self.refused = 0
        """Messages in the stream that are no events."""

    async def next_batch(self, limit: int) -> EventBatch:
        """Give the batch that is out, or wait for the next one."""
        while self._outstanding is None:
            if self._gathering is None:
                self._gathering = asyncio.create_task(self._gather(limit))
            gathering = self._gathering
            await asyncio.wait([gathering])
            if gathering is self._gathering:
                self._gathering = None
                self._outstanding = gathering.result()
        return self._outstanding.batch

    def acknowledge(self, batch: EventBatch) -> None:
        """Let the stream forget a batch, now or when it can be reached again."""
        if self._outstanding is not None and self._outstanding.batch is batch:
            self._acknowledged.append(self._outstanding)
            self._outstanding = None
            self._passed_on.clear()
            self._wake.set()

    async def run(self) -> None:
        """Pass acknowledgements on, and keep the batch that is out, until cancelled."""
        while True:
            while self._acknowledged:
                await self._pass_on(self._acknowledged[0])
                self._acknowledged.popleft()
            self._passed_on.set()
            self._wake.clear()
            try:
                async with asyncio.timeout(self._ack_wait_s / 3):
                    await self._wake.wait()
            except TimeoutError:
                await self._keep()

    async def close(self) -> None:
        """Pass the last acknowledgements on. What was not worked on comes to the next reader."""
        if self._gathering is not None:
            self._gathering.cancel()
            await asyncio.wait([self._gathering])
        if not self._client.is_connected:
            return
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                while self._acknowledged:
                    await self._pass_on(self._acknowledged.popleft())
        except TimeoutError:
            log.debug("the last acknowledgements could not be passed on: these events come again")

    async def _gather(self, limit: int) -> _Outstanding:
        """Wait for events, whatever happens to the server meanwhile."""
        while True:
            await self._passed_on.wait()
            await until_connected(self._client)
            returns = returns_of(self._client)
            try:
                await while_connected(self._client, self._make_ready(limit, returns))
                await while_connected(self._client, self._until_alone())
                if not self._received:
                    self._received = await while_connected(self._client, self._fetch(limit))
            except BUS_ERRORS as error:
                log.debug("events cannot be read now: %s", type(error).__name__)
                self._ready = None
                await pause(self._client, RETRY_S)
                continue
            if returns != returns_of(self._client):
                continue
            messages, self._received = self._received, []
            events = await self._decoded(messages)
            if events:
                return self._batch_of(events, returns)

    def _batch_of(self, events: Sequence[tuple[Msg, Event]], returns: int) -> _Outstanding:
        last = max(message.metadata.sequence.stream for message, _ in events)
        batch = EventBatch(tuple(event for _, event in events), last)
        messages = tuple(message for message, _ in events)
        return _Outstanding(batch, messages, self._created, returns)

    async def _make_ready(self, limit: int, returns: int) -> None:
        """Make the stream and its consumer if they are not known to be there since the last return."""
        if self._ready == (limit, returns):
            return
        created = (await ensure_event_stream(self._jetstream)).created
        if created != self._created or self._pulling is None:
            await self._begin_pulling()
        self._created = created
        config = ConsumerConfig(
            durable_name=CONSUMER,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._ack_wait_s,
            max_ack_pending=limit,
        )
        await self._jetstream.add_consumer(STREAM, config)
        self._ready = (limit, returns)

    async def _until_alone(self) -> None:
        """Wait while another reader has a batch out, or until it is clear that it has ended."""
        seen, since_s = (-1, -1), time.monotonic()
        while not self._received and not (self._pulling and self._pulling.pending_msgs):
            info = await self._jetstream.consumer_info(STREAM, CONSUMER)
            if not info.num_ack_pending:
                return
            place = _place(info)
            if place != seen:
                seen, since_s = place, time.monotonic()
            elif time.monotonic() > since_s + self._ack_wait_s + MARGIN_S:
                return
            await asyncio.sleep(LOOK_S)

    async def _begin_pulling(self) -> None:
        """Ask the stream that is there now: what another one gave out means nothing to it."""
        self._received = []
        old, self._pulling = self._pulling, None
        if old is not None:
            await old.unsubscribe()
        self._pulling = await self._jetstream.pull_subscribe_bind(consumer=CONSUMER, stream=STREAM)

    async def _fetch(self, limit: int) -> list[Msg]:
        """Receive what is there, at most `limit`; wait a while when nothing is."""
        assert self._pulling is not None, "it was made ready before"
        try:
            messages = await self._pulling.fetch(1, timeout=PULL_S)
        except TimeoutError:
            return []
        with suppress(TimeoutError):
            if limit > 1:
                messages += await self._pulling.fetch(limit - 1, timeout=REST_S)
        return messages

    async def _decoded(self, messages: Sequence[Msg]) -> list[tuple[Msg, Event]]:
        """Give messages with their events; what is no event is taken from the stream for good."""
        events = []
        for message in messages:
            try:
                event = decode_event(message.data)
                if not is_in_place(event, message.subject):
                    raise BadMessageError("it is of another kind than its subject")
                events.append((message, event))
            except BadMessageError as error:
                self.refused += 1
                log.warning("a message on %s was removed: %s", message.subject, error)
                try:
                    await message.term()
                except BUS_ERRORS:
                    log.debug("it comes again: NATS is away")
        return events

    async def _pass_on(self, batch: _Outstanding) -> None:
        """Acknowledge at the stream; when it cannot be confirmed, the events come again."""
        for _ in range(ACKNOWLEDGE_ATTEMPTS):
            await until_connected(self._client)
            try:
                await while_connected(self._client, self._confirm(batch))
                return
            except TimeoutError:  # a server that was killed may have forgotten that it gave them out
                return
            except BUS_ERRORS:
                await pause(self._client, RETRY_S)

    async def _confirm(self, batch: _Outstanding) -> None:
        """Acknowledge all, and wait for the answer to the last, which comes when all were taken."""
        if await self._is_same_stream(batch):
            *others, last = batch.messages
            for message in others:
                await self._client.publish(message.reply)
            await self._client.request(last.reply, timeout=CONFIRM_TIMEOUT_S)

    async def _keep(self) -> None:
        """Report to the stream that the batch is being worked on."""
        batch = self._outstanding
        try:
            if batch is not None and self._client.is_connected and await self._is_same_stream(batch):
                for message in batch.messages:
                    await message.in_progress()
        except BUS_ERRORS:
            log.debug("the batch may come to another reader too: NATS is away")

    async def _is_same_stream(self, batch: _Outstanding) -> bool:
        """Say whether the numbers of a batch still mean its events: NATS may have lost its disk."""
        if batch.returns == returns_of(self._client):
            return True
        try:
            return (await self._jetstream.stream_info(STREAM)).created == batch.created
        except NotFoundError:
            return False


def _place(info: ConsumerInfo) -> tuple[int, int]:
    """Give what moves while any reader gets on: up to where events were given out, and acknowledged."""
    delivered, floor = info.delivered, info.ack_floor
    return delivered.consumer_seq if delivered else 0, floor.consumer_seq if floor else 0
