"""A service below a path of its host, as `https://house.example/sightline/`: what proxies do with that path.

Some take it off, others pass it on. Those that take it off need nothing here, since the page asks for all
that it needs relative to itself. Where the path is known, it is taken off here, and put in front of what
answers name.
"""

import re
from urllib.parse import quote, unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.http.forwarded import trusted_proxies

PREFIX_HEADER = "x-forwarded-prefix"
PREFIX_PATTERN = re.compile(r"(/[A-Za-z0-9._~%-]+)*")
LONGEST_PREFIX = 200


def prefix_from(text: str) -> str:
    """Read a path like `/sightline`, percent-encoded; empty for none. ValueError where it cannot be one."""
    prefix = text.strip().rstrip("/")
    if len(prefix) > LONGEST_PREFIX or PREFIX_PATTERN.fullmatch(prefix) is None or "/.." in prefix:
        raise ValueError("give a path like /sightline")
    return prefix


class BelowPath:
    """Takes the path off that a proxy has passed on, and puts it in front of `Location`."""

    def __init__(self, app: ASGIApp, proxy_path: str = "", trusted_proxy: str = "") -> None:
        """`proxy_path` is that of the settings; where it is empty, a trusted proxy says it."""
        self._app, self._proxy_path, self._trusted_proxy = app, proxy_path, trusted_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as if the service stood at the root."""
        prefix = self._prefix(scope) if scope["type"] in ("http", "websocket") else ""
        if not prefix:
            await self._app(scope, receive, send)
            return
        path, plain = scope["path"], unquote(prefix)
        if path == plain and scope["type"] == "http":
            query = scope.get("query_string", b"").decode("latin-1")
            answer = RedirectResponse(f"{prefix}/" + (f"?{query}" if query else ""), 308)
            await answer(scope, receive, send)
            return
        if path.startswith(f"{plain}/"):
            path = path[len(plain) :]
            scope = {**scope, "path": path, "raw_path": quote(path).encode()}

        async def send_with_prefix(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "").startswith("/"):
                    headers["location"] = prefix + headers["location"]
            await send(message)

        await self._app(scope, receive, send_with_prefix)

    def _prefix(self, scope: Scope) -> str:
        if self._proxy_path:
            return prefix_from(self._proxy_path)
        client = scope.get("client")
        peer = str(client[0]) if client else ""
        said = trusted_proxies(self._trusted_proxy).last_word(Headers(scope=scope), PREFIX_HEADER, peer)
        try:
            return prefix_from(said or "")
        except ValueError:
            return ""
