"""Who may watch over HTTP: a bearer token, a user with password, or a token in the address."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.access.credentials import Check, authorization, basic_credentials, note_refused_token
from services.common.access.passwords import HASHED_AT_ONCE, WAITING_LIMIT
from services.common.http.allowed import RECHECK_S, while_allowed
from services.common.http.guard import CROSS_ORIGIN, adding
from services.common.http.problems import problem
from services.core.sentences.sentence import sentence

TOKEN_PARAMETER = "token"
CHALLENGE = 'Basic realm="Sightline", charset="UTF-8", Bearer realm="Sightline"'


@dataclass(frozen=True, slots=True)
class _Given:
    """What a request says of who sends it."""

    tokens: tuple[str, ...] = ()
    """Those of the address."""
    bearer: str = ""
    user: str = ""
    password: str = ""


class AccessGuard:
    """Answers 401 to who is not known.

    The token in the address is for players that cannot send headers, and for pages of other sites: whoever
    gave it to them lets them show the answer. It is taken off before the request goes on, so that nothing
    behind the guard can log it.

    Passwords are checked in threads of their own, a bounded number at once: strangers must not fill those
    that the rest of the process works with.
    """

    def __init__(self, app: ASGIApp, check: Check, recheck_s: float = RECHECK_S) -> None:
        self._app, self._check, self._recheck_s = app, check, recheck_s
        self._threads = ThreadPoolExecutor(HASHED_AT_ONCE, "door")
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or pass the request on without its token."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, query = _given(scope)
        address = (scope.get("client") or ("",))[0]
        stamp = self._check.stamp(given.user)
        if not await self._is_known(given, address):
            if any((*given.tokens, given.bearer)):
                note_refused_token(self._check, address)
            await problem(401, sentence("credentials-needed"), {"WWW-Authenticate": CHALLENGE})(
                scope, receive, send
            )
            return
        scope = {**scope, "query_string": query}
        if any(map(self._check.check_token, given.tokens)):
            send = adding(send, {CROSS_ORIGIN: "cross-origin"})
        await while_allowed(
            self._app, scope, receive, send, lambda: self._still_holds(given, stamp), self._recheck_s
        )

    async def _still_holds(self, given: _Given, stamp: str) -> bool:
        """Return whether what opened the door is still there; a password is not checked again for that."""
        if any(map(self._check.check_token, (*given.tokens, given.bearer))):
            return True
        return bool(stamp) and self._check.stamp(given.user) == stamp

    async def _is_known(self, given: _Given, address: str) -> bool:
        if any(map(self._check.check_token, (*given.tokens, given.bearer))):
            return True
        if not given.user or self._waiting >= WAITING_LIMIT:
            return False
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._check.check_password, given.user, given.password, address
            )
        finally:
            self._waiting -= 1


def _given(scope: Scope) -> tuple[_Given, bytes]:
    """Read the credentials of a request, and give its query without the token."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    query = urlencode([pair for pair in pairs if pair[0] != TOKEN_PARAMETER]).encode("latin-1")
    tokens = tuple(value for name, value in pairs if name == TOKEN_PARAMETER)
    scheme, value = authorization(Headers(scope=scope).getlist("authorization"))
    if scheme == "bearer":
        return _Given(tokens, value), query
    if scheme == "basic":
        user, password = basic_credentials(value) or ("", "")
        return _Given(tokens, "", user, password), query
    return _Given(tokens), query
