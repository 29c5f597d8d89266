"""What every request passes, and what every answer carries."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.web.problems import problem
from services.web.settings import is_loopback

CONTENT_POLICY = "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'"

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}


class LoopbackGuard:
    """Refuses requests that a foreign page makes to a service without login.

    A page of the outside may point its own name at 127.0.0.1 (DNS rebinding), or post from another
    origin: the Host or the Origin header gives it away.
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
    host = headers.get("host", "")
    if not is_loopback(_host_name(host)):
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


class SecurityHeaders:
    """Adds the headers that tell browsers what the page may do."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to the answer what it does not say itself."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
