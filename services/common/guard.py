"""The guard of services that only their own machine reaches and that therefore ask for no login."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.addresses import is_loopback
from services.common.problems import problem


class LoopbackGuard:
    """Refuses requests that a foreign page makes to a service without login.

    A page of the outside may point its own name at 127.0.0.1 (DNS rebinding), or post from another
    origin: the Host or the Origin header gives it away. No browser leaves the Host out, so a request
    without one (a simple client of HTTP/1.0) is this machine's own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or pass the request on."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            foreign = _foreign(headers)
            if foreign is not None:
                answer = problem(403, f"this service answers only its own machine, not {foreign[:80]!r}")
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _foreign(headers: Headers) -> str | None:
    """Give the header value that does not mean this machine."""
    host = headers.get("host")
    if host is not None and not is_loopback(_host_name(host)):
        return host
    origin = headers.get("origin")
    if origin is None:
        return None
    scheme, separator, place = origin.partition("://")
    if separator and scheme in ("http", "https") and is_loopback(_host_name(place)):
        return None
    return origin


def _host_name(place: str) -> str:
    """Take the port off."""
    if place.startswith("["):
        return place.partition("]")[0] + "]"
    return place.partition(":")[0]
