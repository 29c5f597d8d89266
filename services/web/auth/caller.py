"""Who sends a request."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from services.common.access.accounts import User, UserRole
from services.web.auth.origin import Origin

SCOPE_KEY = "sightline.caller"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is known, or anybody where no login is wanted."""

    role: UserRole | None
    """None for somebody who has not logged in."""
    origin: Origin
    user: User | None = None
    by: str = ""
    """How they said who they are: `session`, or `token` and its name."""

    @property
    def name(self) -> str | None:
        """Name of the user; None for anybody."""
        return None if self.user is None else self.user.name


def set_caller(scope: Scope, caller: Caller) -> None:
    """Let the routes know who sends a request."""
    scope[SCOPE_KEY] = caller


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope[SCOPE_KEY]
    return caller


Who = Annotated[Caller, Depends(_caller)]
