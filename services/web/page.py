"""The page's files, as the build made them, and the headers that say to browsers what they may do."""

import asyncio
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from services.common.http.guard import CROSS_ORIGIN, adding
from services.web.auth.origin import origin_of

PAGE_FOLDER = Path(__file__).resolve().parent / "ui" / "dist"

NOT_BUILT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sightline</title></head>'
    "<body><p>The page is not built: run <code>make setup</code>. "
    'The API is there: <a href="/api/v1/docs">/api/v1/docs</a></p></body></html>'
)

WITH_SLASH = (
    'location.pathname.endsWith("/")||location.replace(location.pathname+"/"+location.search+location.hash)'
)
"""Said by the page's root alone: where a proxy shows it as `/sightline`, what it asks for lies below that."""

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' 'sha256-{b64encode(sha256(WITH_SLASH.encode()).digest()).decode()}'",
        "img-src 'self' blob: data:",
        "style-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    CROSS_ORIGIN: "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}

HTTPS_HEADERS = {**SECURITY_HEADERS, "Strict-Transport-Security": "max-age=31536000"}
"""For a year nobody reaches this host name without TLS, at any port; browsers do so only for names, not for
addresses, and only where they know the certificate."""


VIEWS = ("watch", "draw", "counts", "crossings", "system", "account")
"""First words of the addresses of the page's views (`ui/src/app/router.ts`)."""

API = "/api/"
PROBES = ("/healthz", "/readyz", "/metrics")
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
ENDLESS = ("/stream.mjpeg", "/tracks")
"""How paths end whose answers go on."""

_VIEW = re.compile(rf"/(?:{'|'.join(VIEWS)})(?:/[^/]+)?/?")
_BASE = '<base href="/"'


def is_view(path: str) -> bool:
    """Return whether the page has a view at a path."""
    return _VIEW.fullmatch(path) is not None


def based(html: str, path: str) -> str:
    """Give the page for a path: what it asks for is relative to its root, wherever a proxy has put it."""
    base = f'<base href="{"../" * (path.count("/") - 1) or "./"}"'
    return html.replace(_BASE, f"<script>{WITH_SLASH}</script>{base}" if path == "/" else base, 1)


class PageFiles(StaticFiles):
    """Files whose names carry a hash last; the others are asked for anew, so that an update shows at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)
        self._page = folder / "index.html"

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Give a file with the time for which it may be kept, and the page itself at its views.

        It also says to people that there is nothing at an address.
        """
        asked: str = scope["path"]
        if asked in ("/", "/index.html") or is_view(asked):
            if scope["method"] not in ("GET", "HEAD"):
                raise HTTPException(405, headers={"Allow": "GET, HEAD"})
            return await self._html(asked, 200)
        if asked.startswith(API):
            _refuse(scope)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 404 and "text/html" in Headers(scope=scope).get("accept", ""):
                return await self._html(asked, 404)
            raise
        is_hashed = path.startswith("assets/") and response.status_code == 200
        response.headers["Cache-Control"] = "max-age=31536000, immutable" if is_hashed else "no-cache"
        return response

    async def _html(self, asked: str, status: int) -> Response:
        html = await asyncio.to_thread(self._page.read_text, encoding="utf-8")
        return HTMLResponse(based(html, asked), status, {"Cache-Control": "no-cache"})


def _refuse(scope: Scope) -> NoReturn:
    """Refuse what no route of the API takes, with the methods that its path has, if any."""
    routes = [route for route in scope["app"].router.routes if not isinstance(route, Mount)]
    allowed = [
        method
        for method in METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if not allowed:
        raise HTTPException(404)
    if "GET" in allowed and not scope["path"].endswith(ENDLESS):
        allowed.append("HEAD")
    raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})


class HeadRequests:
    """Answers HEAD as GET: the server leaves the body out. Of answers that do not end there is no HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        path = scope.get("path", "")
        is_answered = path in PROBES or (path.startswith(API) and not path.endswith(ENDLESS))
        if scope["type"] == "http" and scope["method"] == "HEAD" and is_answered:
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


def install_page(app: FastAPI, folder: Path = PAGE_FOLDER) -> None:
    """Serve the page at `/`, after all other routes; where it is not built, say so."""
    if (folder / "index.html").is_file():
        app.mount("/", PageFiles(folder), name="page")
    else:
        app.add_api_route("/", _not_built, include_in_schema=False)


async def _not_built() -> HTMLResponse:
    return HTMLResponse(NOT_BUILT)


class SecurityHeaders:
    """Adds the headers that say to browsers what the page may do."""

    def __init__(self, app: ASGIApp, trusted_proxy: str = "") -> None:
        self._app, self._trusted_proxy = app, trusted_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add to the answer what it does not say itself."""
        if scope["type"] in ("http", "websocket"):
            is_https = origin_of(scope, self._trusted_proxy).is_https
            send = adding(send, HTTPS_HEADERS if is_https else SECURITY_HEADERS)
        await self._app(scope, receive, send)
