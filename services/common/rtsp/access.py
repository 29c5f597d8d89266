"""Who may use an RTSP server: Basic authentication with an account, or with a token as the password."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.common.access.credentials import Check, authorization, basic_credentials, note_refused_token
from services.common.connections.addresses import plain_address
from services.common.rtsp.gstreamer import GStreamer

log = logging.getLogger(__name__)

CHALLENGE = 'Basic realm="Sightline"'

REQUEST = "auth.check.url"
"""The name of GStreamer's question at each request; what else it asks is allowed to whoever came so far."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What opened the door to a client, so that it can be seen later whether it still would."""

    token: str = field(default="", repr=False)
    user: str = ""
    stamp: str = field(default="", repr=False)
    """What the user's account had been, which a new password changes."""


class Door:
    """Knows whether a client may watch. Blocks for as long as a new password takes to be checked."""

    def __init__(self, check: Check | None) -> None:
        """Take what knows accounts and tokens; None lets everybody in."""
        self._check = check

    def is_open(self, header: str | None, address: str) -> bool:
        """Judge the header `Authorization` of a request, which may be missing, from an address."""
        return self.admit(header, address) is not None

    def admit(self, header: str | None, address: str) -> Grant | None:
        """Judge as `is_open` does, and give what opens the door."""
        if self._check is None:
            return Grant()
        scheme, value = authorization([header or ""])
        credentials = basic_credentials(value) if scheme == "basic" else None
        if credentials is None:
            return None
        user, password = credentials
        if self._check.check_token(password):
            return Grant(token=password)
        if not user:
            if password:
                note_refused_token(self._check, address)
            return None
        stamp = self._check.stamp(user)
        if not self._check.check_password(user, password, address):
            return None
        return Grant(user=user, stamp=stamp)

    def still_holds(self, grant: Grant) -> bool:
        """Return whether what opened the door is still there. Never blocks."""
        if self._check is None:
            return True
        if grant.token:
            return self._check.check_token(grant.token)
        return bool(grant.stamp) and self._check.stamp(grant.user) == grant.stamp


def make_authentication(gstreamer: GStreamer, door: Door, on_admitted: Callable[[Any, Grant], None]) -> Any:
    """Make what GStreamer asks at each request, on the thread of that client.

    `on_admitted` is called with each client and what opened the door to it.
    """

    class Authentication(gstreamer.server.RTSPAuth):  # type: ignore[name-defined,misc]  # no types
        """Answers 401 before anything else is answered, so that not even a camera's name is shown."""

        def do_check(self, context: Any, check: str) -> bool:
            """Return whether a client may do what it asks for."""
            try:
                return self._judge(context, check)
            except Exception:
                log.exception("a client's access could not be judged")
                return False

        def _judge(self, context: Any, check: str) -> bool:
            if check != REQUEST or context.method == gstreamer.rtsp.RTSPMethod.OPTIONS:
                return True
            fields = gstreamer.rtsp.RTSPHeaderField
            _, header = context.request.get_header(fields.AUTHORIZATION, 0)
            grant = door.admit(header, plain_address(context.conn.get_ip() or ""))
            if grant is not None:
                on_admitted(context.client, grant)
                return True
            _refuse(gstreamer, context)
            return False

    return Authentication()


def _refuse(gstreamer: GStreamer, context: Any) -> None:
    code = gstreamer.rtsp.RTSPStatusCode.UNAUTHORIZED
    _, answer = gstreamer.rtsp.rtsp_message_new_response(code, "Unauthorized", context.request)
    answer.add_header(gstreamer.rtsp.RTSPHeaderField.WWW_AUTHENTICATE, CHALLENGE)
    context.client.send_message(context.session, answer)
