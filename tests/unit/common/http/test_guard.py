"""What keeps foreign pages out of services that only their own machine reaches."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.http.access import AccessGuard
from services.common.http.bounds import HttpLimits, Peers, RequestBounds, probes_only
from services.common.http.guard import PORT_HEADERS, AnswerHeaders, LoopbackGuard
from services.common.http.health import health_app
from services.web.page import SECURITY_HEADERS

CROSS = {"sec-fetch-site": "cross-site"}
PICTURE = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
VISIT = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
CORP = "cross-origin-resource-policy"


def _app() -> Starlette:
    async def answer(_: object) -> PlainTextResponse:
        return PlainTextResponse("picture")

    return Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])


async def _ask(
    app: Starlette, headers: dict[str, str], method: str = "GET", query: str = ""
) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090") as client:
        return await client.request(method, f"/{query}", headers=headers)


@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ({}, "GET", 200),
        ({"sec-fetch-site": "none"} | VISIT, "GET", 200),
        ({"sec-fetch-site": "same-origin"} | PICTURE, "GET", 200),
        ({"sec-fetch-site": "same-site"} | PICTURE, "GET", 200),
        (CROSS | PICTURE, "GET", 403),
        (CROSS, "GET", 403),
        (CROSS | VISIT, "GET", 200),
        (CROSS | VISIT, "POST", 403),
        (CROSS | {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, "GET", 403),
        (CROSS | PICTURE | {"referer": "http://localhost:3000/page"}, "GET", 200),
        (CROSS | PICTURE | {"referer": "https://evil.example/localhost"}, "GET", 403),
        (CROSS | PICTURE | {"referer": "http://127.0.0.1:80@evil.example/"}, "GET", 403),
        (CROSS | {"origin": "http://localhost:3000"}, "GET", 200),
        (CROSS | {"origin": "http://evil.example"} | VISIT, "GET", 403),
        ({"origin": "null"}, "GET", 403),
        ({"host": "evil.example"}, "GET", 403),
    ],
)
async def test_on_loopback_a_foreign_page_gets_nothing(
    headers: dict[str, str], method: str, status: int
) -> None:
    app = _app()
    app.add_middleware(LoopbackGuard)
    app.add_middleware(AnswerHeaders)
    answer = await _ask(app, headers, method)
    assert answer.status_code == status
    assert answer.headers[CORP] == "same-site"


async def test_only_a_token_in_the_address_lets_a_foreign_page_show_the_answer() -> None:
    class Check:
        def check_token(self, token: str) -> bool:
            return token == "good"

        def check_password(self, user: str, password: str, address: str = "") -> bool:
            return user == "anna"

        def stamp(self, user: str) -> str:
            return user

    app = _app()
    app.add_middleware(AccessGuard, check=Check())
    app.add_middleware(AnswerHeaders)
    basic = {"authorization": "bAsIc YW5uYTp4"}
    for headers, query, status, policy in (
        ({}, "?token=good", 200, "cross-origin"),
        ({"authorization": "BEARER  good"}, "", 200, "same-site"),
        (basic, "", 200, "same-site"),
        (basic, "?token=bad", 200, "same-site"),
        ({}, "?token=bad", 401, "same-site"),
        ({"authorization": "Bearer "}, "", 401, "same-site"),
        ({"authorization": "Basic "}, "", 401, "same-site"),
        ({"authorization": "Basic"}, "?token=", 401, "same-site"),
    ):
        answer = await _ask(app, headers, query=query)
        assert (answer.status_code, answer.headers[CORP]) == (status, policy), (headers, query)


async def test_two_lines_of_authorization_say_nothing() -> None:
    class Check:
        def check_token(self, token: str) -> bool:
            return token == "good"

        def check_password(self, user: str, password: str, address: str = "") -> bool:
            return False

        def stamp(self, user: str) -> str:
            return ""

    app = _app()
    app.add_middleware(AccessGuard, check=Check())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        lines = [("authorization", "Bearer good"), ("authorization", "Bearer good")]
        assert (await client.get("/", headers=lines)).status_code == 401
        assert (await client.get("/", headers=lines[:1])).status_code == 200


async def test_health_ports_are_not_for_other_pages() -> None:
    answer = await _ask(health_app(is_loopback=True), {}, query="healthz")
    assert (answer.status_code, answer.headers[CORP]) == (200, "same-site")
    assert (await _ask(health_app(is_loopback=True), CROSS | PICTURE, query="metrics")).status_code == 403


async def _refused(answering: ASGIApp, scope: dict[str, object], *received: Message) -> dict[bytes, bytes]:
    """Give the headers of an answer that the application never saw."""
    sent: list[Message] = []
    messages = iter(received)

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    await answering({"type": "http", "method": "POST", "path": "/", "headers": [], **scope}, receive, send)
    assert sent[0]["status"] in (413, 429, 503)
    return dict(sent[0]["headers"])


@pytest.mark.parametrize("headers", [PORT_HEADERS, SECURITY_HEADERS], ids=["ports", "page"])
async def test_what_is_refused_before_the_application_is_closed_to_other_pages_too(
    headers: dict[str, str],
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it was asked")

    class Proxies(Peers):
        def is_proxy(self, peer: str) -> bool:
            return True

    peer = {"client": ("10.0.0.1", 1)}
    bounds = RequestBounds(app, HttpLimits(client_connections=0), Proxies(), headers)
    too_large = RequestBounds(app, HttpLimits(body_bytes=1), Peers(), headers)
    answers = [
        await _refused(bounds, peer),
        await _refused(too_large, {**peer, "headers": [(b"content-length", b"2")]}),
        await _refused(probes_only(app, headers), peer),
    ]
    for answer in answers:
        for name, value in headers.items():
            assert answer[name.lower().encode()] == value.encode()


@pytest.mark.parametrize(
    ("host", "page", "shown"),
    [
        ("127.0.0.1:8090", "http://127.0.0.1:3000/", "cross-origin"),
        ("localhost:8090", "http://localhost/", "cross-origin"),
        ("[::1]:8090", "http://[::1]:3000/", "cross-origin"),
        ("127.0.0.1:8090", "http://localhost:3000/", "same-site"),
        ("127.0.0.1:8090", "https://evil.example/127.0.0.1", "same-site"),
        ("127.0.0.1:8090", "http://[broken", "same-site"),
        ("127.0.0.1:8090", "", "same-site"),
    ],
)
async def test_pages_of_the_same_host_show_pictures_though_it_is_an_ip_address(
    host: str, page: str, shown: str
) -> None:
    """Chromium counts no two ports of an IP address, or of localhost, as one site."""
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
    app.add_middleware(AnswerHeaders)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.get("/", headers={"Host": host, "Referer": page})
    assert answer.headers[CORP] == shown
