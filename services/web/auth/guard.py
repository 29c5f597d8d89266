"""The door: every request passes it, and what is not known to be allowed is refused."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.access.accounts import UserRole
from services.common.database.accounts import Accounts
from services.common.http.allowed import RECHECK_S, while_allowed
from services.common.http.guard import CROSS_ORIGIN, adding
from services.common.http.problems import problem_of
from services.core.errors import AccessDeniedError, DatabaseUnavailableError, LoginNeededError, SightlineError
from services.web.auth import caller as rules
from services.web.auth.audit import AuditLog, change_of, entry_of, refusal_of
from services.web.auth.caller import Caller, set_caller
from services.web.auth.login import (
    anybody,
    bearer_token,
    find_caller,
    query_token,
    session_cookie,
    with_own_cookie,
)
from services.web.auth.origin import Origin, origin_of
from services.web.auth.socket_guard import SocketGuard
from services.web.settings import WebSettings

REFUSALS = (403, 429)
"""Answers to a change that say that its sender may not make it, or not now."""

FORM_TYPES = ("text/plain", "multipart/form-data", "application/x-www-form-urlencoded")
"""What a page of another site may send without asking first."""


class LoginGuard:
    """Refuses whoever is not known or may not do it; what was changed by whom goes into the audit log."""

    def __init__(self, app: ASGIApp, accounts: Accounts, settings: WebSettings, audit: AuditLog) -> None:
        self._app, self._accounts, self._audit = app, accounts, audit
        self._wants_login, self._trusted_proxy = settings.wants_login, settings.trusted_proxy
        self._sockets = SocketGuard(app, self._find, self._is_still, self._count_refused, self._trusted_proxy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 or 403, or pass the request on."""
        if scope["type"] == "websocket":
            await self._sockets(with_own_cookie(scope), receive, send)
        elif scope["type"] != "http":
            await self._app(scope, receive, send)
        else:
            await self._guard(with_own_cookie(scope), receive, send)

    async def _guard(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        origin = origin_of(scope, self._trusted_proxy)
        caller = anybody(origin, None)
        try:
            if rules.is_change(method):
                self._check_page(scope, origin)
            caller = await self._find(scope, origin)
            self._check_role(caller, method, path)
        except SightlineError as error:
            await self._count_refused(error, scope, caller)
            await problem_of(error)(scope, receive, send)
            return
        set_caller(scope, caller)
        if rules.takes_token_in_query(method, path):
            if self._wants_login and query_token(scope) is not None:
                send = adding(send, {CROSS_ORIGIN: "cross-origin"})
            await self._while_allowed(_without_token(scope), receive, send, caller)
        elif not rules.is_change(method):
            kept = {**scope, "sightline.original": scope}
            await self._while_allowed(kept, receive, send, caller, is_endless=False)
        elif path != rules.SESSION_PATH:
            await self._app(scope, receive, self._recording(scope, caller, send))
        else:
            await self._app(scope, receive, send)

    async def _count_refused(self, error: SightlineError, scope: Scope, caller: Caller) -> None:
        """Changes that somebody may not make, and tokens that open nothing, stand in the audit log."""
        if isinstance(error, LoginNeededError):
            if bearer_token(Headers(scope=scope)) is not None or query_token(scope) is not None:
                await self._audit.count(entry_of(caller, "token.refused"))
        elif isinstance(error, AccessDeniedError) and rules.is_change(scope["method"]):
            await self._audit.count(refusal_of(caller, scope["method"], scope["path"]))

    def _check_page(self, scope: Scope, origin: Origin) -> None:
        """Refuse what a page of another site makes a browser send.

        Programs with a token, which is checked next, are no browsers.
        """
        headers = Headers(scope=scope)
        if self._wants_login and bearer_token(headers) is not None:
            return
        if origin.foreign is not None:
            raise AccessDeniedError("origin-foreign", origin=origin.foreign[:80], host=origin.host[:80])
        if session_cookie(headers) is None:
            return
        if not origin.is_known and scope["path"] != rules.SESSION_PATH:
            raise AccessDeniedError("origin-missing")
        if headers.get("content-type", "").partition(";")[0].strip().lower() in FORM_TYPES:
            raise AccessDeniedError("session-form")

    async def _find(self, scope: Scope, origin: Origin) -> Caller:
        """Give who sends a request; LoginNeededError where nobody may send it who is not known."""
        method, path = scope["method"], scope["path"]
        if not self._wants_login:
            return anybody(origin, UserRole.ADMIN)
        is_open = rules.is_open(method, path)
        if is_open and path != rules.SESSION_PATH:
            return anybody(origin, None)
        caller = await find_caller(self._accounts, scope, origin)
        if caller is None and not is_open:
            raise LoginNeededError("login-needed")
        return caller or anybody(origin, None)

    def _check_role(self, caller: Caller, method: str, path: str) -> None:
        if not rules.is_open(method, path) and not rules.may(caller, method, path):
            raise AccessDeniedError("admin-needed")

    async def _while_allowed(
        self, scope: Scope, receive: Receive, send: Send, caller: Caller, *, is_endless: bool = True
    ) -> None:
        """End a stream, or break off a long export, when its reader is removed meanwhile."""
        if not caller.by:
            await self._app(scope, receive, send)
            return

        async def is_allowed() -> bool:
            return await self._is_still_allowed(scope, caller)

        await while_allowed(self._app, scope, receive, send, is_allowed, RECHECK_S, is_endless)

    async def _is_still_allowed(self, scope: Scope, caller: Caller) -> bool:
        return await self._is_still(scope["sightline.original"], caller)

    async def _is_still(self, scope: Scope, caller: Caller) -> bool:
        """Return whether what somebody said of themselves still holds, and lets them do the same."""
        try:
            now = await find_caller(self._accounts, scope, caller.origin)
        except LoginNeededError:
            return False
        except DatabaseUnavailableError:
            return True
        return now is not None and now.role is caller.role

    def _recording(self, scope: Scope, caller: Caller, send: Send) -> Send:
        """Write the audit log before the answer leaves, so that what is answered is also written."""

        async def send_and_record(message: Message) -> None:
            if message["type"] == "http.response.start":
                await self._record(scope, caller, message)
            await send(message)

        return send_and_record

    async def _record(self, scope: Scope, caller: Caller, answer: Message) -> None:
        """What admins do is written each time; what others do, and what was refused, within a bound."""
        status, method, path = answer["status"], scope["method"], scope["path"]
        if status < 400:
            location = MutableHeaders(scope=answer).get("location")
            action, target = change_of(method, unquote(location) if location else path)
            entry = entry_of(caller, action, scope.get(rules.TARGET_KEY, target))
            is_admin = caller.role is UserRole.ADMIN
            await (self._audit.record(entry) if is_admin else self._audit.count(entry))
        elif status in REFUSALS:
            await self._audit.count(refusal_of(caller, method, path))


def refused_pages(audit: AuditLog, trusted_proxy: str) -> Callable[[Scope], Awaitable[None]]:
    """Give what counts the changes that foreign pages try where no login is wanted."""

    async def count(scope: Scope) -> None:
        if scope["type"] == "http" and rules.is_change(scope["method"]):
            caller = anybody(origin_of(scope, trusted_proxy), None)
            await audit.count(refusal_of(caller, scope["method"], scope["path"]))

    return count


def _without_token(scope: Scope) -> Scope:
    """Take the token out of the address, so that nothing after the door can pass it on."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    kept = urlencode([(name, value) for name, value in pairs if name != "token"])
    return {**scope, "query_string": kept.encode("latin-1"), "sightline.original": scope}
