"""Routes of the login of the page."""

import logging
import secrets
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.common.access.accounts import SESSION_LONGEST_S, User, folded_name
from services.common.access.check import NOBODY, token_hash
from services.common.access.passwords import needs_new_hash
from services.common.access.throttle import network_of
from services.core.errors import ConflictError, LoginNeededError, ThrottledError
from services.core.types import AccessAction
from services.web.api.answers import SessionAnswer
from services.web.auth.audit import entry_of
from services.web.auth.caller import Caller, Who
from services.web.auth.login import COOKIE, session_cookie
from services.web.context import Context, WebContext

router = APIRouter(prefix="/api/v1/session", tags=["users"])
log = logging.getLogger(__name__)

NO_STORE = {"Cache-Control": "no-store"}


class Login(BaseModel):
    """Who wants to come in."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    user: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=1000, repr=False)]


@router.get("")
async def get_session(context: Context, who: Who, response: Response) -> SessionAnswer:
    """Who I am, and whether a login is wanted at all."""
    response.headers.update(NO_STORE)
    return SessionAnswer(login_wanted=context.settings.wants_login, user=who.name, role=who.role)


@router.post("")
async def log_in(
    login: Login, context: Context, who: Who, request: Request, response: Response
) -> SessionAnswer:
    """Begin a session; its cookie comes with the answer."""
    user = await _checked(context, who, login)
    await context.database.accounts.remember_network(user, network_of(who.origin.address))
    await end_session(context, request)
    await begin_session(context, who, user, response)
    await context.audit.count(entry_of(who, "login", user=user.name))
    response.headers.update(NO_STORE)
    return SessionAnswer(login_wanted=context.settings.wants_login, user=user.name, role=user.role)


@router.delete("", status_code=204)
async def log_out(context: Context, who: Who, request: Request, response: Response) -> None:
    """End the session; without one there is nothing to do."""
    await end_session(context, request)
    response.delete_cookie(COOKIE, path="/", secure=who.origin.is_https, httponly=True, samesite="strict")
    if who.by == "session":
        await context.audit.count(entry_of(who, "logout"))


async def _checked(context: WebContext, who: Caller, login: Login) -> User:
    """Give the user whose password it is. Unknown names get the same answer in the same time."""
    user = await context.database.accounts.user(login.user)
    address, name = who.origin.address, user.name if user else NOBODY
    try:
        is_right = await context.passwords.check(folded_name(login.user), login.password, user, address)
    except ThrottledError:
        await context.audit.count(entry_of(who, AccessAction.THROTTLED, user=name))
        raise
    if user is None or not is_right:
        log.warning("a login from %s was refused: user or password is wrong", address)
        await context.audit.count(entry_of(who, AccessAction.FAILED, user=name))
        raise LoginNeededError("login-wrong")
    if needs_new_hash(user.password_hash):
        user = await _rehashed(context, user, login.password)
    return user


async def _rehashed(context: WebContext, user: User, password: str) -> User:
    try:
        await context.database.accounts.renew_password_hash(user, await context.passwords.hash(password))
    except ConflictError:
        raise LoginNeededError("account-changed") from None
    await context.mirror.refresh()
    return user


async def begin_session(context: WebContext, who: Caller, user: User, response: Response) -> None:
    """Make a new session and its cookie."""
    cookie = secrets.token_urlsafe(32)
    await context.database.accounts.add_session(token_hash(cookie), user)
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION_LONGEST_S),
        path="/",
        secure=who.origin.is_https,
        httponly=True,
        samesite="strict",
    )


async def end_session(context: WebContext, request: Request) -> None:
    """End the session that the browser has, if it has one."""
    cookie = session_cookie(request.headers)
    if cookie is not None:
        await context.database.accounts.delete_session(token_hash(cookie))
