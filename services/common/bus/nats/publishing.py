"""What the parts of the bus over NATS share: waiting for the server, and publishing with answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionReconnectingError
from nats.errors import Error as NatsError
from nats.js.api import Header, PubAck

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
    client: Client, subject: str, on_message: Callable[[Msg], Awaitable[None]], queue: str = ""
) -> AsyncIterator[None]:
    """Hand on what comes on a subject, until the end of the context; of those in a `queue` one gets each."""
    subscription = await client.subscribe(subject, queue=queue, cb=on_message)
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


class AnsweredPublisher:
    """Publishes many messages at once and gives which of them JetStream has stored."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._jetstream = client.jetstream(timeout=REQUEST_TIMEOUT_S)

    async def publish(self, messages: Sequence[Outgoing]) -> list[Exception | None]:
        """Give what each message failed with; None where it is stored."""
        answers: list[asyncio.Future[PubAck]] = []
        failure: Exception = TimeoutError("no answer")
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await while_connected(self._client, self._until_answered(messages, answers))
        except BUS_ERRORS as error:
            failure = error
        for answer in answers:
            answer.cancel()
        unsent = [failure] * (len(messages) - len(answers))
        return [*(_error_of(answer, failure) for answer in answers), *unsent]

    async def _until_answered(
        self, messages: Sequence[Outgoing], answers: "list[asyncio.Future[PubAck]]"
    ) -> None:
        """Send until one cannot leave, and wait for all answers."""
        for message in messages:
            headers = {Header.MSG_ID.value: message.identity}
            try:
                answer = await self._jetstream.publish_async(message.subject, message.data, headers=headers)
            except BUS_ERRORS as error:
                # The library keeps a place for ever for what could not leave: begin with all of them.
                self._jetstream = self._client.jetstream(timeout=REQUEST_TIMEOUT_S)
                answers.append(_failed(error))
                break
            answers.append(answer)
        await asyncio.wait(answers)


def _failed(error: Exception) -> "asyncio.Future[PubAck]":
    answer: asyncio.Future[PubAck] = asyncio.Future()
    answer.set_exception(error)
    return answer


def _error_of(answer: "asyncio.Future[PubAck]", failure: Exception) -> Exception | None:
    error = failure if answer.cancelled() else answer.exception()
    assert error is None or isinstance(error, Exception)
    return error
