"""What the parts of the bus over NATS share: waiting for the server, and publishing with answers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionReconnectingError
from nats.errors import Error as NatsError
from nats.js.api import Header
from nats.js.errors import APIError, NoStreamResponseError

T = TypeVar("T")

BUS_ERRORS = (NatsError, OSError, TimeoutError)
"""What is routine: the server, or what it stores, is away for a while."""

POLL_S = 0.05
REQUEST_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0


async def until_connected(client: Client) -> None:
    """Wait as long as the server is away."""
    while not client.is_connected:
        await asyncio.sleep(POLL_S)


async def pause(client: Client, time_s: float) -> None:
    """Wait before the next attempt; shorter when the server comes back meanwhile."""
    end_s = time.monotonic() + time_s
    returns = returns_of(client)
    while time.monotonic() < end_s and returns == returns_of(client):
        await asyncio.sleep(POLL_S)


async def while_connected(client: Client, work: Coroutine[Any, Any, T]) -> T:
    """Do what needs answers of the server; ConnectionReconnectingError when the connection is lost.

    That is known long before the time for an answer is over.
    """
    returns = returns_of(client)
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            if not client.is_connected or returns != returns_of(client):
                raise ConnectionReconnectingError
            await asyncio.wait([task], timeout=4 * POLL_S)
        return task.result()
    finally:
        task.cancel()


@asynccontextmanager
async def listening(
    client: Client, subject: str, on_message: Callable[[Msg], Awaitable[None]]
) -> AsyncIterator[None]:
    """Hand on what comes on a subject, until the end of the context."""
    subscription = await client.subscribe(subject, cb=on_message)
    try:
        yield
    finally:
        with suppress(*BUS_ERRORS):
            await subscription.unsubscribe()


async def until_sent(client: Client) -> None:
    """Wait until the server has what was sent so far; one of BUS_ERRORS when it does not answer.

    The client's `flush` writes its ping past what waits to be written, which is written by the time of the
    answer: a second ping comes after it.
    """
    for _ in range(2):
        await client.flush(int(REQUEST_TIMEOUT_S))


def returns_of(client: Client) -> int:
    """Give how often the server has come back so far."""
    return client.stats["reconnects"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for JetStream."""

    subject: str
    identity: str
    data: bytes = field(repr=False)


@dataclass(slots=True)
class _Round:
    """Messages that are on their way."""

    waiting: dict[int, int]
    """Index of the message by the number of its answer."""
    done: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: set[int] = field(default_factory=set)
    errors: dict[int, Exception] = field(default_factory=dict)


class AnsweredPublisher:
    """Publishes many messages at once and tells which of them JetStream has stored."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox()
        self._number = 0
        self._round = _Round({})

    def listening(self) -> AbstractAsyncContextManager[None]:
        """Listen for answers; publish within this context."""
        return listening(self._client, f"{self._inbox}.*", self._on_answer)

    async def publish(self, messages: Sequence[Outgoing]) -> tuple[set[int], dict[int, Exception]]:
        """Give the indexes of the messages that are stored, and what the others failed with.

        A message that is in neither was not answered in time, or the connection was lost before.
        """
        first = self._number + 1
        self._number += len(messages)
        going = self._round = _Round({first + i: i for i in range(len(messages))})
        with suppress(*BUS_ERRORS):
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await while_connected(self._client, self._go(going, first, messages))
        return going.acknowledged, going.errors

    async def _go(self, going: _Round, first: int, messages: Sequence[Outgoing]) -> None:
        for index, message in enumerate(messages):
            await self._send(going, first + index, index, message)
        if going.waiting:
            await going.done.wait()

    async def _send(self, going: _Round, number: int, index: int, message: Outgoing) -> None:
        headers = {Header.MSG_ID.value: message.identity}
        try:
            await self._client.publish(message.subject, message.data, f"{self._inbox}.{number}", headers)
        except BUS_ERRORS as error:
            going.waiting.pop(number, None)
            going.errors[index] = error

    async def _on_answer(self, answer: Msg) -> None:
        going = self._round
        index = going.waiting.pop(int(answer.subject.rpartition(".")[2]), None)
        if index is None:
            return
        error = _error_of(answer)
        if error is None:
            going.acknowledged.add(index)
        else:
            going.errors[index] = error
        if not going.waiting:
            going.done.set()


def _error_of(answer: Msg) -> Exception | None:
    if answer.headers and answer.headers.get(Header.STATUS.value):
        return NoStreamResponseError()
    try:
        content = json.loads(answer.data)
        if "error" not in content:
            return None
        return APIError(**{key: content["error"].get(key) for key in ("code", "err_code", "description")})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return NatsError("an answer of JetStream cannot be read")
