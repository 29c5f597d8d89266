"""Answers that go on: they end when whoever reads them may not do so any more."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.http.problems import problem
from services.core.sentences.sentence import sentence

RECHECK_S = 3.0
"""How often a running answer looks whether its reader may still see it: within 5 s it has ended."""


async def while_allowed(
    app: ASGIApp,
    scope: Scope,
    receive: Receive,
    send: Send,
    is_allowed: Callable[[], Awaitable[bool]],
    recheck_s: float = RECHECK_S,
    is_endless: bool = True,
) -> None:
    """Let an application answer, also with nothing for a long time, until its reader is not allowed to.

    An endless answer is ended in order then; of another one the end is left out, so that it cannot be taken
    for the whole.
    """
    answer = _Answer(send)
    serving = asyncio.ensure_future(app(scope, receive, answer.send))
    try:
        while not serving.done():
            await asyncio.wait({serving}, timeout=recheck_s)
            if not serving.done() and not await is_allowed():
                break
    finally:
        if not serving.done():
            serving.cancel()
            await asyncio.wait({serving})
            await answer.finish(scope, receive, is_endless)
    if not serving.cancelled():
        serving.result()


class _Answer:
    """Remembers how far an answer got, so that it can be ended properly."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_started = self._is_finished = False

    async def send(self, message: Message) -> None:
        """Pass a part on."""
        if message["type"] == "http.response.start":
            self._is_started = True
        elif not message.get("more_body", False):
            self._is_finished = True
        await self._send(message)

    async def finish(self, scope: Scope, receive: Receive, is_endless: bool) -> None:
        """End an answer that has begun and not ended; refuse where none has begun."""
        if not self._is_started:
            await problem(401, sentence("credentials-ended"))(scope, receive, self._send)
        elif is_endless and not self._is_finished:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
