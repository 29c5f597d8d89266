"""Finds out who sends a request: by the token of a program, or by the session of the page."""

import re

from starlette.datastructures import Headers, QueryParams
from starlette.types import Scope

from services.common.access.accounts import UserRole, weaker_role
from services.common.access.check import token_hash
from services.common.access.credentials import authorization
from services.common.database.accounts import Accounts
from services.core.errors import LoginNeededError
from services.web.auth.caller import Caller, takes_token_in_query
from services.web.auth.origin import Origin

COOKIE = "sightline_session"

_COOKIE_VALUE = re.compile(r"[A-Za-z0-9_-]{1,100}")


def bearer_token(headers: Headers) -> str | None:
    """Give the token of the header; None when there is none."""
    scheme, token = authorization(headers.getlist("authorization"))
    return token if scheme == "bearer" else None


def session_cookie(headers: Headers) -> str | None:
    """Give the cookie of the session; None when there is none."""
    for part in reversed(headers.get("cookie", "").split(";")):
        name, _, value = part.partition("=")
        if name.strip() == COOKIE:
            return value.strip() if _COOKIE_VALUE.fullmatch(value.strip()) else None
    return None


def with_own_cookie(scope: Scope) -> Scope:
    """Leave of a request's cookies that of the session alone.

    Libraries read all of them for each request, and undo quotation marks in a time that grows with the square
    of the length; any stranger may send the header.
    """
    headers = Headers(scope=scope)
    if "cookie" not in headers:
        return scope
    kept = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    own = session_cookie(headers)
    if own is not None:
        kept.append((b"cookie", f"{COOKIE}={own}".encode("ascii")))
    return {**scope, "headers": kept}


def query_token(scope: Scope) -> str | None:
    """Give the token of the address, where one may stand there."""
    if not takes_token_in_query(scope["method"], scope["path"]):
        return None
    return QueryParams(scope["query_string"]).get("token")


async def find_caller(accounts: Accounts, scope: Scope, origin: Origin) -> Caller | None:
    """Give who sends a request; None when nothing is said, LoginNeededError when it is not valid."""
    headers = Headers(scope=scope)
    token = bearer_token(headers) or query_token(scope)
    if token is not None:
        return await _by_token(accounts, token, origin)
    cookie = session_cookie(headers)
    return None if cookie is None else await _by_session(accounts, cookie, origin)


async def _by_token(accounts: Accounts, token: str, origin: Origin) -> Caller:
    found = await accounts.token(token_hash(token))
    if found is None:
        raise LoginNeededError("token-invalid")
    stored, owner = found
    role = stored.role if owner is None else weaker_role(stored.role, owner.role)
    return Caller(role, origin, owner, f"token {stored.name}")


async def _by_session(accounts: Accounts, cookie: str, origin: Origin) -> Caller | None:
    """A session that has ended is as good as none: its cookie stays in the browser."""
    found = await accounts.session(token_hash(cookie))
    if found is None:
        return None
    _, user = found
    return Caller(user.role, origin, user, "session")


def anybody(origin: Origin, role: UserRole | None) -> Caller:
    """Give somebody who has not said who they are."""
    return Caller(role, origin)
