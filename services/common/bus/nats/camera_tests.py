"""Addresses that are tried, over NATS: a question that one of all ingests takes, and its answers.

The subject of an answer is made from the question's number, which is random, and not taken from the message:
who may ask cannot have ingest publish elsewhere. Messages hold passwords: they are never logged or kept.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from services.common.bus.camera_tests import ANSWER_S, BEGIN_S, CameraTestResult, Tester, no_answer, no_ingest
from services.common.bus.messages import CameraTestMessage, decode_camera_test, encode_camera_test
from services.common.bus.nats.publishing import BUS_ERRORS, listening, while_connected
from services.common.tasks import end_tasks, watched
from services.core.errors import BadMessageError, BusUnavailableError, FullError

log = logging.getLogger(__name__)

ASK = "sightline.tests.ask"
"""Web's questions; of all ingests one gets each."""

CANCEL = "sightline.tests.cancel"
"""Nobody waits for an answer any more."""

ANSWERS = "sightline.tests.answers"
"""Behind it stands the number of the question."""

QUEUE = "ingest"
WAITING_LIMIT = 8
"""Questions that one process may have begun; the tester takes fewer."""

NO_RESPONDERS = "503"
STATUS = "Status"


class NatsCameraTests:
    """Implements `CameraTests`."""

    def __init__(self, client: Client, begin_s: float = BEGIN_S, answer_s: float = ANSWER_S) -> None:
        self._client, self._begin_s, self._answer_s = client, begin_s, answer_s
        self._running: dict[str, asyncio.Task[None]] = {}
        self.refused = 0
        """Messages that are no questions and no answers."""

    async def ask(self, url: str) -> CameraTestResult:
        """Have one of the ingests try an address."""
        if not self._client.is_connected:
            raise BusUnavailableError("nats-away")
        id, is_answered = secrets.token_hex(16), False
        try:
            result = await while_connected(self._client, self._answer_to(id, url))
            is_answered = True
            return result
        except BUS_ERRORS:
            raise no_answer() from None
        finally:
            if not is_answered:
                await self._publish(CANCEL, CameraTestMessage(id))

    async def _answer_to(self, id: str, url: str) -> CameraTestResult:
        subject = f"{ANSWERS}.{id}"
        subscription = await self._client.subscribe(subject)
        try:
            request = encode_camera_test(CameraTestMessage(id, url))
            await self._client.publish(ASK, request, reply=subject)
            try:
                async with asyncio.timeout(self._begin_s):
                    answer = await self._next(subscription)
            except TimeoutError:
                raise no_ingest() from None
            async with asyncio.timeout(self._answer_s):
                while answer.result is None:
                    if answer.is_full:
                        raise FullError("tests-full")
                    answer = await self._next(subscription)
            return answer.result
        finally:
            with suppress(*BUS_ERRORS):
                await subscription.unsubscribe()

    async def _next(self, subscription: Subscription) -> CameraTestMessage:
        """Wait for the next answer; NoIngestError where the server knows nobody who would give one."""
        message = await subscription.next_msg(timeout=self._answer_s)
        if message.headers and message.headers.get(STATUS) == NO_RESPONDERS:
            raise no_ingest()
        try:
            return decode_camera_test(message.data)
        except BadMessageError:
            self.refused += 1
            raise BusUnavailableError("test-version") from None

    @asynccontextmanager
    async def answering(self, test: Tester) -> AsyncIterator[None]:
        """Answer what comes to this process, until the context ends."""

        async def on_ask(message: Msg) -> None:
            request = self._read(message)
            if request is None or request.id in self._running:
                return
            if len(self._running) >= WAITING_LIMIT:
                return await self._publish_answer(CameraTestMessage(request.id, is_full=True))
            task = watched(self._answer(request, test), "a camera test")
            self._running[request.id] = task
            task.add_done_callback(lambda _: self._running.pop(request.id, None))

        async def on_cancel(message: Msg) -> None:
            request = self._read(message)
            if request is not None and (task := self._running.get(request.id)) is not None:
                task.cancel()

        async with (
            listening(self._client, ASK, on_ask, QUEUE),
            listening(self._client, CANCEL, on_cancel),
        ):
            try:
                yield
            finally:
                await end_tasks(list(self._running.values()))

    def _read(self, message: Msg) -> CameraTestMessage | None:
        try:
            return decode_camera_test(message.data)
        except BadMessageError as error:
            self.refused += 1
            log.debug("a question of a camera test is refused: %s", error)
            return None

    async def _answer(self, request: CameraTestMessage, test: Tester) -> None:
        await self._publish_answer(CameraTestMessage(request.id))
        try:
            answer = CameraTestMessage(request.id, result=await test(request.url))
        except FullError:
            answer = CameraTestMessage(request.id, is_full=True)
        await self._publish_answer(answer)

    async def _publish_answer(self, answer: CameraTestMessage) -> None:
        await self._publish(f"{ANSWERS}.{answer.id}", answer)

    async def _publish(self, subject: str, message: CameraTestMessage) -> None:
        """Publish, or leave it: who waits for it gives up by itself."""
        with suppress(*BUS_ERRORS):
            await self._client.publish(subject, encode_camera_test(message))
