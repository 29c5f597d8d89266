"""Which requests are open, and which ask for what role; everything that is not named asks for one."""

import re

from services.common.access.accounts import UserRole
from services.web.auth.caller import Caller

SESSION_PATH = "/api/v1/session"
OPEN_PATHS = ("/healthz", "/readyz", "/metrics")
"""Probes and figures: they hold no secret, and what asks for them cannot log in."""

PAGE_PATHS = ("/", "/index.html", "/favicon.svg")
PAGE_FOLDER = "/assets/"
"""The page's files are the same for everybody; the page asks for the login itself."""

ADMIN_PATHS = ("/api/v1/users", "/api/v1/tokens", "/api/v1/audit")
READING = ("GET", "HEAD", "OPTIONS")

_STREAM = re.compile(r"/api/v1/cameras/[^/]+/(stream\.mjpeg|snapshot\.jpg|tracks)")
_USER = re.compile(r"/api/v1/users/([^/]+)")


def is_change(method: str) -> bool:
    """Return whether a request may change something."""
    return method not in READING


def is_open(method: str, path: str) -> bool:
    """Return whether everybody may send a request."""
    if path == SESSION_PATH:
        return True
    is_page = path in PAGE_PATHS or path.startswith(PAGE_FOLDER)
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
