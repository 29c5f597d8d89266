"""A service below a path, behind proxies that take the path off and those that pass it on."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from services.common.http.below_path import BelowPath, prefix_from


async def _show(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.path, headers={"Location": "/api/v1/cameras/gate"})


def _app(path: str = "", trusted: str = "") -> BelowPath:
    return BelowPath(Starlette(routes=[Route("/{path:path}", _show)]), path, trusted)


async def _ask(app: BelowPath, path: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=("192.0.2.9", 1))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://house") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize(
    ("base", "path", "seen"),
    [
        ("/sightline", "/sightline/", "/"),
        ("/sightline", "/sightline/watch/gate", "/watch/gate"),
        ("/sightline/", "/sightline/api/v1/cameras", "/api/v1/cameras"),
        ("/a/b-c/d_e", "/a/b-c/d_e/api", "/api"),
        ("/my%20home", "/my%20home/api", "/api"),
        ("/sightline", "/api/v1/cameras", "/api/v1/cameras"),
        ("/sightline", "/sightlines/x", "/sightlines/x"),
    ],
)
async def test_a_path_that_is_passed_on_is_taken_off(base: str, path: str, seen: str) -> None:
    answer = await _ask(_app(base), path)
    assert answer.text == seen
    assert answer.headers["location"] == f"{base.rstrip('/')}/api/v1/cameras/gate"


async def test_without_its_slash_the_page_is_asked_for_with_it() -> None:
    answer = await _ask(_app("/sightline"), "/sightline?tz=UTC")
    assert (answer.status_code, answer.headers["location"]) == (308, "/sightline/?tz=UTC")


async def test_a_proxy_that_is_trusted_says_the_path() -> None:
    app = _app(trusted="192.0.2.9")
    answer = await _ask(app, "/house/api", **{"X-Forwarded-Prefix": "/house/"})
    assert (answer.text, answer.headers["location"]) == ("/api", "/house/api/v1/cameras/gate")
    stripped = await _ask(app, "/api", **{"X-Forwarded-Prefix": "/house"})
    assert (stripped.text, stripped.headers["location"]) == ("/api", "/house/api/v1/cameras/gate")


@pytest.mark.parametrize(
    "said", ["//evil.example", "https://evil.example", "/a b", "/a\\b", "/" + "a" * 300, "/../x"]
)
async def test_what_is_no_path_is_not_believed(said: str) -> None:
    answer = await _ask(_app(trusted="direct"), "/api", **{"X-Forwarded-Prefix": said})
    assert (answer.text, answer.headers["location"]) == ("/api", "/api/v1/cameras/gate")
    with pytest.raises(ValueError, match="a path like /sightline"):
        prefix_from(said)


async def test_a_stranger_says_no_path() -> None:
    answer = await _ask(_app(), "/house/api", **{"X-Forwarded-Prefix": "/house"})
    assert (answer.text, answer.headers["location"]) == ("/house/api", "/api/v1/cameras/gate")


async def test_what_is_live_is_below_the_path_too() -> None:
    seen: list[str] = []

    async def note(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["path"])

    async def nothing(*_: object) -> None:
        """No message comes, and none is looked at."""

    scope = {"type": "websocket", "path": "/sightline/api/v1/live", "headers": []}
    await BelowPath(note, "/sightline")(scope, nothing, nothing)  # type: ignore[arg-type]
    assert seen == ["/api/v1/live"]
