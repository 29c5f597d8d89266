"""What keeps pages of other sites away: from services without login, and from what answers hold."""

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.connections.addresses import is_loopback
from services.common.http.problems import problem
from services.core.sentences.sentence import sentence

CROSS_ORIGIN = "Cross-Origin-Resource-Policy"
"""The header by which browsers refuse to show an answer in a page of another site."""

PORT_HEADERS = {CROSS_ORIGIN: "same-site", "X-Content-Type-Options": "nosniff"}
"""What the ports beside the page answer with: pages of the same host may show it, at whatever port."""


class AnswerHeaders:
    """Adds headers to what answers do not say themselves."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str] = PORT_HEADERS) -> None:
        self._app, self._headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = dict(self._headers)
        if headers.get(CROSS_ORIGIN) == "same-site" and _is_of_same_host(Headers(scope=scope)):
            headers[CROSS_ORIGIN] = "cross-origin"
        await self._app(scope, receive, adding(send, headers))


def _is_of_same_host(headers: Headers) -> bool:
    """Return whether a page of the same host asks: browsers take an IP address or localhost for no site."""
    try:
        page = urlsplit(headers.get("referer", "")).hostname
    except ValueError:
        return False
    return page is not None and page == _host_name(headers.get("host", "")).strip("[]").lower()


def adding(send: Send, headers: Mapping[str, str]) -> Send:
    """Give a `send` that adds headers to the answer where it has none of that name.

    A WebSocket that is refused is answered, too.
    """

    async def send_with_headers(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            known = MutableHeaders(scope=message)
            for name, value in headers.items():
                known.setdefault(name, value)
        await send(message)

    return send_with_headers


class LoopbackGuard:
    """Refuses requests and WebSockets that a foreign page makes to a service without login.

    A page of the outside may point its own name at 127.0.0.1 (DNS rebinding), post from another origin, or
    show pictures from here: Host, Origin or Sec-Fetch-Site give it away. No browser leaves the Host out, so
    a request without one (a simple client of HTTP/1.0) is this machine's own, and so is one without
    Sec-Fetch-Site (a program).
    """

    def __init__(self, app: ASGIApp, on_refused: Callable[[Scope], Awaitable[None]] | None = None) -> None:
        self._app, self._on_refused = app, on_refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or pass the request on."""
        if scope["type"] in ("http", "websocket"):
            foreign = _foreign(scope.get("method", ""), Headers(scope=scope))
            if foreign is not None:
                if self._on_refused is not None:
                    await self._on_refused(scope)
                answer = problem(403, sentence("host-foreign", host=foreign[:80]))
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _foreign(method: str, headers: Headers) -> str | None:
    """Give the header value that does not mean this machine."""
    for host in headers.getlist("host"):
        if not is_loopback(_host_name(host)):
            return host
    origins = headers.getlist("origin")
    for origin in origins:
        if not _is_own(origin):
            return origin
    if origins or headers.get("sec-fetch-site") != "cross-site" or _is_visit(method, headers):
        return None
    page = headers.get("referer", "")
    return None if _is_own(page) else page or "a page of another site"


def _is_visit(method: str, headers: Headers) -> bool:
    """Return whether somebody follows a link to here: the page with the link sees nothing of the answer."""
    goes = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return goes and method in ("GET", "HEAD")


def _is_own(page: str) -> bool:
    try:
        parts = urlsplit(page)
        return parts.scheme in ("http", "https") and is_loopback(parts.hostname or "")
    except ValueError:
        return False


def _host_name(place: str) -> str:
    """Take the port off."""
    if place.startswith("["):
        return place.partition("]")[0] + "]"
    return place.partition(":")[0]
