"""Who may use an RTSP server: Basic authentication with an account, or with a token as the password."""

import base64
import binascii
import logging
from collections.abc import Callable
from typing import Any

from services.common.gstreamer import GStreamer
from services.common.http_access import Check

log = logging.getLogger(__name__)

CHALLENGE = 'Basic realm="Sightline"'

CONNECT, REQUEST = "auth.check.connect", "auth.check.url"
"""The names of GStreamer's questions; what it asks after these is allowed to whoever came so far."""


class Door:
    """Tells whether a client may watch. Blocks for as long as a new password takes to be checked."""

    def __init__(self, check: Check | None) -> None:
        """Take what knows accounts and tokens; None lets everybody in."""
        self._check = check

    def is_open(self, header: str | None, address: str) -> bool:
        """Judge the header `Authorization` of a request, which may be missing, from an address."""
        if self._check is None:
            return True
        credentials = basic_credentials(header)
        if credentials is None:
            return False
        user, password = credentials
        if self._check.check_token(password):
            return True
        return bool(user) and self._check.check_password(user, password, address)


def basic_credentials(header: str | None) -> tuple[str, str] | None:
    """Read user and password of `Basic base64(user:password)`; None where it is something else."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(value.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    user, separator, password = text.partition(":")
    return (user, password) if separator else None


def make_authentication(gstreamer: GStreamer, door: Door, has_room: Callable[[], bool]) -> Any:
    """Make what GStreamer asks at each connection and request, on the thread of that client."""

    class Authentication(gstreamer.server.RTSPAuth):  # type: ignore[name-defined,misc]  # no types
        """Answers 401 before anything else is answered, so that not even a camera's name is told."""

        def do_check(self, context: Any, check: str) -> bool:
            """Tell whether a client may do what it asks for."""
            try:
                return self._judge(context, check)
            except Exception:
                log.exception("a client's access could not be judged")
                return False

        def _judge(self, context: Any, check: str) -> bool:
            if check == CONNECT:
                return has_room()
            if check != REQUEST or context.method == gstreamer.rtsp.RTSPMethod.OPTIONS:
                return True
            fields = gstreamer.rtsp.RTSPHeaderField
            _, header = context.request.get_header(fields.AUTHORIZATION, 0)
            if door.is_open(header, context.conn.get_ip() or ""):
                return True
            _refuse(gstreamer, context)
            return False

    return Authentication()


def _refuse(gstreamer: GStreamer, context: Any) -> None:
    code = gstreamer.rtsp.RTSPStatusCode.UNAUTHORIZED
    _, answer = gstreamer.rtsp.rtsp_message_new_response(code, "Unauthorized", context.request)
    answer.add_header(gstreamer.rtsp.RTSPHeaderField.WWW_AUTHENTICATE, CHALLENGE)
    context.client.send_message(context.session, answer)
