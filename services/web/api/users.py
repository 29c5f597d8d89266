"""Routes of accounts."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.common.access.accounts import User, UserRole, user_name_from
from services.common.access.passwords import check_new_password
from services.common.wire import time_text
from services.core.errors import AccessDeniedError, BadInputError, NotFoundError
from services.web.api.answers import UserAnswer, UsersAnswer
from services.web.api.problems import created, refusals
from services.web.api.session import begin_session
from services.web.auth.caller import Caller, Who
from services.web.context import Context, WebContext

router = APIRouter(prefix="/api/v1/users", tags=["users"])


class UserInput(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    name: str
    password: Annotated[str, Field(repr=False)]
    role: UserRole = UserRole.VIEWER


class UserChange(BaseModel):
    """What changes; one's own password changes only with the old one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    password: Annotated[str | None, Field(repr=False)] = None
    old_password: Annotated[str | None, Field(repr=False)] = None
    keep_tokens: Annotated[bool, Field(description="a new password ends the user's tokens, unless kept")] = (
        False
    )
    role: UserRole | None = None


@router.get("")
async def list_users(context: Context) -> UsersAnswer:
    """All accounts, the oldest first."""
    return UsersAnswer(items=[_answer(user) for user in await context.database.accounts.users()])


@router.post("", status_code=201, responses=created(refusals(409)))
async def add_user(wanted: UserInput, context: Context, response: Response) -> UserAnswer:
    """Add an account."""
    name = user_name_from(wanted.name)
    if name is None:
        raise BadInputError("user-name-invalid")
    password_hash = await context.passwords.hash(check_new_password(wanted.password))
    user = await context.database.accounts.add_user(name, wanted.role, password_hash)
    await context.mirror.refresh()
    response.headers["Location"] = f"/api/v1/users/{quote(user.name)}"
    return _answer(user)


@router.patch("/{name}", responses=refusals(404, 409))
async def change_user(
    name: str, change: UserChange, context: Context, who: Who, response: Response
) -> UserAnswer:
    """Change password or role, which ends the user's sessions; who changes their own goes on.

    A new password also ends the tokens that the user made, unless `keep_tokens` is given.
    """
    user = await _user(context, name)
    if change.role is not None and who.role is not UserRole.ADMIN:
        raise AccessDeniedError("role-admin-only")
    role = None if change.role is user.role else change.role
    password_hash = None
    if change.password is not None:
        check_new_password(change.password)
        if user.name == who.name:
            await _check_old(context, who, user, change.old_password)
        password_hash = await context.passwords.hash(change.password)
    if role is None and password_hash is None:
        return _answer(user)
    changed = await context.database.accounts.change_user(user, role, password_hash, change.keep_tokens)
    if user.name == who.name and who.by == "session":
        await begin_session(context, who, changed, response)
    await context.mirror.refresh()
    return _answer(changed)


@router.delete("/{name}", status_code=204, responses=refusals(404, 409))
async def delete_user(name: str, context: Context) -> None:
    """Remove an account with its sessions and tokens."""
    await context.database.accounts.delete_user(await _user(context, name))
    await context.mirror.refresh()


async def _user(context: WebContext, name: str) -> User:
    user = await context.database.accounts.user(name)
    if user is None:
        raise NotFoundError("user-missing", user=name[:80])
    return user


async def _check_old(context: WebContext, who: Caller, user: User, old: str | None) -> None:
    """Somebody at a forgotten screen must not take the account over."""
    if old is None:
        raise BadInputError("old-password-missing")
    if not await context.passwords.check(user.name, old, user, who.origin.address):
        raise AccessDeniedError("old-password-wrong")


def _answer(user: User) -> UserAnswer:
    return UserAnswer(name=user.name, role=user.role, created=time_text(user.created_s))
