"""Who may watch over HTTP: a bearer token, a user with password, or a token in the address."""

import asyncio
import base64
import binascii
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.access.passwords import HASHED_AT_ONCE, WAITING_LIMIT
from services.common.http.allowed import RECHECK_S, while_allowed
from services.common.http.guard import CROSS_ORIGIN, adding
from services.common.http.problems import problem

TOKEN_PARAMETER = "token"
CHALLENGE = 'Basic realm="Sightline", charset="UTF-8", Bearer realm="Sightline"'
DETAIL = "say who you are: a bearer token, a user with password, or ?token= in the address"


class Check(Protocol):
    """What opens the door (`services.common.access.check.AccessCheck`)."""

    def check_token(self, token: str) -> bool:
        """Tell whether a token opens the door; never blocks."""

    def check_password(self, user: str, password: str, address: str = "") -> bool:
        """Tell whether a user has this password; may block."""

    def stamp(self, user: str) -> str:
        """Give what changes when a user gets a new password or goes; empty for nobody. Never blocks."""


@runtime_checkable
class TokenWatch(Protocol):
    """A `Check` that also wants to know of tokens that open nothing, for the audit log."""

    def refuse_token(self, address: str) -> None:
        """Note that somebody at an address showed one."""


def note_refused_token(check: Check, address: str) -> None:
    """Let a check know of a token that opens nothing, if it wants to."""
    if isinstance(check, TokenWatch):
        check.refuse_token(address)


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
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, query = _given(scope)
        address = (scope.get("client") or ("",))[0]
        stamp = self._check.stamp(given.user)
        if not await self._is_known(given, address):
            if any((*given.tokens, given.bearer)):
                note_refused_token(self._check, address)
            await problem(401, DETAIL, {"WWW-Authenticate": CHALLENGE})(scope, receive, send)
            return
        scope = {**scope, "query_string": query}
        if any(map(self._check.check_token, given.tokens)):
            send = adding(send, {CROSS_ORIGIN: "cross-origin"})
        await while_allowed(
            self._app, scope, receive, send, lambda: self._still_holds(given, stamp), self._recheck_s
        )

    async def _still_holds(self, given: _Given, stamp: str) -> bool:
        """Tell whether what opened the door is still there; a password is not checked once more for that."""
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
    scheme, value = authorization(Headers(scope=scope))
    if scheme == "bearer":
        return _Given(tokens, value), query
    if scheme == "basic":
        user, password = _basic(value)
        return _Given(tokens, "", user, password), query
    return _Given(tokens), query


def authorization(headers: Headers) -> tuple[str, str]:
    """Give scheme, in small letters, and value of the header Authorization; empty where it says nothing.

    Of two such headers nobody can tell which is meant: they say nothing either.
    """
    given = headers.getlist("authorization")
    scheme, _, value = given[0].strip().partition(" ") if len(given) == 1 else ("", "", "")
    return (scheme.lower(), value.strip()) if value.strip() else ("", "")


def _basic(value: str) -> tuple[str, str]:
    """Read `base64(user:password)`; nobody where it is none."""
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return "", ""
    user, _, password = text.partition(":")
    return user, password
