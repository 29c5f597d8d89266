"""Who sends a request, and what each role may ask for; everything that is not named asks for one."""

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from services.common.access.accounts import User, UserRole
from services.web.auth.origin import Origin
from services.web.page import PROBES, is_view

SCOPE_KEY = "sightline.caller"

SESSION_PATH = "/api/v1/session"
LIVE_PATH = "/api/v1/live"
"""The one WebSocket, by which all that is live comes to a page."""

CAMERA_TEST_PATH = "/api/v1/cameras/test"
TARGET_KEY = "sightline.target"
"""Under it a route leaves in the scope what a change was made to, where its path does not say so."""

OPEN_PATHS = PROBES
"""Probes and figures: they hold no secret, and what asks for them cannot log in."""

PAGE_PATHS = ("/", "/index.html", "/favicon.svg")
PAGE_FOLDER = "/assets/"
"""The page's files are the same for everybody; the page asks for the login itself."""

ADMIN_PATHS = (
    "/api/v1/users",
    "/api/v1/tokens",
    "/api/v1/audit",
    "/api/v1/system/log",
    "/api/v1/system/doctor",
)
READING = ("GET", "HEAD", "OPTIONS")

_STREAM = re.compile(r"/api/v1/cameras/[^/]+/(stream\.mjpeg|snapshot\.jpg|tracks)")
_USER = re.compile(r"/api/v1/users/([^/]+)")


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


def is_change(method: str) -> bool:
    """Return whether a request may change something."""
    return method not in READING


def is_open(method: str, path: str) -> bool:
    """Return whether everybody may send a request."""
    if path == SESSION_PATH:
        return True
    is_page = path in PAGE_PATHS or path.startswith(PAGE_FOLDER) or is_view(path)
    return not is_change(method) and (is_page or path in OPEN_PATHS)


def takes_token_in_query(method: str, path: str) -> bool:
    """Return whether a request may carry its token in the address, as players need it."""
    return method == "GET" and _STREAM.fullmatch(path) is not None


def may(caller: Caller, method: str, path: str) -> bool:
    """Return whether somebody who is known may send a request."""
    if caller.role is UserRole.ADMIN:
        return True
    own = _USER.fullmatch(path)
    if own is not None and method == "PATCH":
        return own[1] == caller.name
    is_for_admins = any(path == place or path.startswith(f"{place}/") for place in ADMIN_PATHS)
    return not is_change(method) and not is_for_admins
