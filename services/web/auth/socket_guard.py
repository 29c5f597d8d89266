"""The door of WebSockets: nobody unknown gets one, no foreign page does, and it ends with the login."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.common.http.allowed import RECHECK_S
from services.common.http.problems import problem, problem_of
from services.common.http.sockets import close_reason
from services.core.errors import AccessDeniedError, LoginNeededError, SightlineError, ThrottledError
from services.core.sentences.sentence import sentence
from services.web.auth import caller as rules
from services.web.auth.caller import Caller, set_caller
from services.web.auth.login import anybody
from services.web.auth.origin import Origin, foreign_page, origin_of

SESSION_ENDED, NOT_ALLOWED, TOO_MANY, TRY_AGAIN = 4401, 4403, 4429, 1013
"""Codes with which a connection is closed."""

CODE_OF: dict[type[SightlineError], int] = {
    LoginNeededError: SESSION_ENDED,
    AccessDeniedError: NOT_ALLOWED,
    ThrottledError: TOO_MANY,
}
"""The first class that fits decides."""

CLOSE_TIMEOUT_S = 2.0
"""How long a reader may take to make room for the word that it is over."""

Find = Callable[[Scope, Origin], Awaitable[Caller]]
IsStill = Callable[[Scope, Caller], Awaitable[bool]]
CountRefused = Callable[[SightlineError, Scope, Caller], Awaitable[None]]


async def refuse(socket: WebSocket, error: SightlineError) -> None:
    """Say why there is no connection.

    A browser keeps the answer to a refused handshake from its page: there the connection is made and closed
    with a code. Programs are answered as everywhere.
    """
    if "origin" in socket.headers:
        code = next((code for kind, code in CODE_OF.items() if isinstance(error, kind)), TRY_AGAIN)
        with contextlib.suppress(WebSocketDisconnect):
            await socket.accept()
            await socket.close(code, close_reason(str(error)))
    else:
        await socket.send_denial_response(problem_of(error))


class SocketGuard:
    """Refuses whoever is not known or may not look, and pages of other sites, whatever they know.

    Browsers let any page open a WebSocket and read what comes: nothing but Origin keeps it out.
    """

    def __init__(
        self,
        app: ASGIApp,
        find: Find,
        is_still: IsStill,
        count_refused: CountRefused,
        trusted_proxy: str,
        recheck_s: float = RECHECK_S,
    ) -> None:
        self._app, self._find, self._is_still = app, find, is_still
        self._count_refused, self._trusted_proxy, self._recheck_s = count_refused, trusted_proxy, recheck_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a connection, or let it go on for as long as its reader may see it."""
        scope = {**scope, "method": "GET"}
        if scope["path"] != rules.LIVE_PATH:
            answer = problem(404, sentence("socket-missing", path=rules.LIVE_PATH))
            await answer(scope, receive, send)
            return
        origin = origin_of(scope, self._trusted_proxy)
        foreign = foreign_page(Headers(scope=scope), origin)
        if foreign is not None:
            why = sentence("origin-foreign", origin=foreign[:80], host=origin.host[:80])
            answer = problem(403, why)
            await answer(scope, receive, send)
            return
        caller = anybody(origin, None)
        try:
            caller = await self._find(scope, origin)
            if not rules.may(caller, "GET", scope["path"]):
                raise AccessDeniedError("look-denied")
        except SightlineError as error:
            await self._count_refused(error, scope, caller)
            await refuse(WebSocket(scope, receive, send), error)
            return
        set_caller(scope, caller)
        await self._while_allowed(scope, receive, send, caller)

    async def _while_allowed(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        """End a connection when what its reader logged in with does not hold any more."""
        if not caller.by:
            await self._app(scope, receive, send)
            return
        serving = asyncio.ensure_future(self._app(scope, receive, send))
        try:
            while not serving.done():
                await asyncio.wait({serving}, timeout=self._recheck_s)
                if not serving.done() and not await self._is_still(scope, caller):
                    break
        finally:
            is_ended = not serving.done()
            if is_ended:
                serving.cancel()
                await asyncio.wait({serving})
        if not is_ended:
            serving.result()
            return
        reason = sentence("credentials-ended").text
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await send({"type": "websocket.close", "code": SESSION_ENDED, "reason": reason})
