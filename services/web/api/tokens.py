"""Routes of tokens: keys for programs."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.common.access.accounts import TOKEN_LIFETIME_S, Token, UserRole
from services.common.access.check import token_hash
from services.common.wire import JsonObject, parse_time, time_text
from services.core.errors import BadInputError
from services.core.identifiers import clean_name
from services.web.api.answers import NewTokenAnswer, TokenAnswer, TokensAnswer
from services.web.api.problems import created, refusals
from services.web.auth.caller import Who
from services.web.context import Context

router = APIRouter(prefix="/api/v1/tokens", tags=["users"])

PREFIX = "sl_"
MAX_NAME_LENGTH = 100
NEVER = "never"
LIFETIME_DAYS = round(TOKEN_LIFETIME_S / 86_400)


class TokenInput(BaseModel):
    """A new token."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(description="what it is for")]
    role: UserRole = UserRole.VIEWER
    expires: Annotated[
        str | None, Field(description=f"ISO 8601, or `{NEVER}`; default: {LIFETIME_DAYS} days from now")
    ] = None


@router.get("")
async def list_tokens(context: Context) -> TokensAnswer:
    """All tokens, the oldest first, without what opens anything."""
    tokens = await context.database.accounts.tokens()
    return TokensAnswer(items=[TokenAnswer(**_fields(token)) for token in tokens])


@router.post("", status_code=201, responses=created(refusals(409)))
async def add_token(wanted: TokenInput, context: Context, who: Who, response: Response) -> NewTokenAnswer:
    """Make a token; `token` of the answer is shown this once. It ends with the account that made it."""
    name = clean_name(wanted.name, MAX_NAME_LENGTH)
    if not name:
        raise BadInputError("token-name-invalid", most=MAX_NAME_LENGTH)
    now_s = context.now_s()
    expires_s = _end_of(wanted.expires, now_s)
    text = PREFIX + secrets.token_urlsafe(32)
    owner_id = "" if who.user is None else who.user.id
    token = Token(name, wanted.role, token_hash(text), now_s, expires_s, who.name, owner_id)
    await context.database.accounts.add_token(token)
    await context.mirror.refresh()
    response.headers["Location"] = f"/api/v1/tokens/{token.id}"
    response.headers["Cache-Control"] = "no-store"
    return NewTokenAnswer(**_fields(token), token=text)


@router.delete("/{id}", status_code=204, responses=refusals(404))
async def delete_token(id: str, context: Context) -> None:
    """End a token at once."""
    await context.database.accounts.delete_token(id)
    await context.mirror.refresh()


def _end_of(expires: str | None, now_s: float) -> float | None:
    """Give when a new token expires: None for never, which has to be asked for."""
    if expires is None:
        return now_s + TOKEN_LIFETIME_S
    if expires.strip().lower() == NEVER:
        return None
    expires_s = parse_time(expires)
    if expires_s <= now_s:
        raise BadInputError("token-expired")
    return expires_s


def _fields(token: Token) -> JsonObject:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "owner": token.owner,
        "created": time_text(token.created_s),
        "expires": None if token.expires_s is None else time_text(token.expires_s),
    }
