"""Every route of the application: who may call it, and who is refused."""

from collections.abc import AsyncIterator

import pytest
from fastapi.routing import APIRoute

from services.common.access.accounts import UserRole
from services.web.app import ROUTERS
from services.web.auth import caller as rules
from services.web.settings import WebSettings
from tests.tables import Tables
from tests.web_app import Web, web_over
from tests.web_login import OPEN_TO_ALL, SESSION, add_user, browser, program

FOREIGN = "https://evil.example"
PROBLEM = "application/problem+json"
STREAMS = ("/tracks", "/stream.mjpeg")
"""Answers that do not end: asked only where they are refused."""


def routes() -> list[tuple[str, str]]:
    found = [
        (method, route.path.format(id="gate", camera="gate", line="main", name="anna", generation=1))
        for module in ROUTERS
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods)
    ]
    return [*found, ("GET", "/"), ("GET", "/index.html")]


def is_change(route: tuple[str, str]) -> bool:
    return route[0] in ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
async def guarded(tables: Tables) -> AsyncIterator[Web]:
    await add_user(tables, "root", UserRole.ADMIN)
    await add_user(tables, "anna", UserRole.VIEWER)
    await add_user(tables, "bert", UserRole.VIEWER)
    async with web_over(tables, OPEN_TO_ALL) as web:
        yield web


async def test_the_table_holds_every_route_of_the_application(guarded: Web) -> None:
    included = [route for route in guarded.app.routes if type(route).__name__ == "_IncludedRouter"]
    assert len(included) == len(ROUTERS)
    shown = guarded.app.openapi()["paths"]
    apart = [("GET", "/"), ("GET", "/index.html"), ("GET", rules.LIVE_PATH)]
    assert rules.LIVE_PATH not in shown, "a WebSocket, which OpenAPI cannot describe"
    described = [(method.upper(), path) for path, methods in shown.items() for method in methods]
    assert len([*described, *apart]) == len(routes())
    assert set(apart) <= set(routes())
    assert len([route for route in routes() if is_change(route)]) >= 13


async def test_without_login_everything_that_is_not_open_answers_401(guarded: Web) -> None:
    async with browser(guarded.app) as client, program(guarded.app, "sl_wrong") as other:
        for method, path in routes():
            if rules.is_open(method, path):
                continue
            for caller in (client, other):
                answer = await caller.request(method, path)
                assert answer.status_code == 401, (method, path, answer.text)
                assert answer.headers["content-type"] == PROBLEM
                assert answer.headers["www-authenticate"] == "Bearer"


async def test_what_is_open_answers_everybody(guarded: Web) -> None:
    async with program(guarded.app) as client:
        for path in ("/healthz", "/readyz", "/metrics", SESSION, "/"):
            assert (await client.get(path)).status_code == 200, path
        for path in ("/assets/none.js", "/favicon.svg"):
            assert (await client.get(path)).status_code in (200, 404), path


async def test_a_viewer_reads_and_changes_nothing(guarded: Web) -> None:
    async with browser(guarded.app, "bert") as client:
        for method, path in routes():
            if path == SESSION or path.endswith(STREAMS):
                continue
            for_admins = path.startswith(rules.ADMIN_PATHS)
            answer = await client.request(method, path)
            if for_admins or is_change((method, path)):
                assert answer.status_code == 403, (method, path, answer.text)
                assert answer.headers["content-type"] == PROBLEM
            else:
                assert answer.status_code not in (401, 403), (method, path)


async def test_an_admin_is_refused_nothing(guarded: Web) -> None:
    async with browser(guarded.app, "root") as client:
        for method, path in routes():
            if path == SESSION or path.endswith(STREAMS):
                continue
            answer = await client.request(method, path)
            assert answer.status_code not in (401, 403), (method, path, answer.text)


@pytest.mark.parametrize("login", ["auto", "off"])
async def test_a_foreign_page_changes_nothing(tables: Tables, login: str) -> None:
    await add_user(tables, "root", UserRole.ADMIN)
    settings = WebSettings.model_validate({"host": "0.0.0.0", "login": login})
    async with web_over(tables, settings) as web, browser(web.app, "root") as client:
        for method, path in filter(is_change, routes()):
            for headers in ({"Origin": FOREIGN}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
                answer = await client.request(method, path, headers=headers)
                assert (answer.status_code, answer.headers["content-type"]) == (403, PROBLEM), (method, path)
        assert (await client.get(SESSION)).json()["role"] == "admin"


async def test_a_change_by_session_says_where_it_comes_from_and_is_no_form(guarded: Web) -> None:
    camera = {"id": "gate", "url": "demo://traffic"}
    async with browser(guarded.app, "root") as client:
        cookies = client.cookies
        for type_ in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            refused = await client.post("/api/v1/cameras", content=b"{}", headers={"Content-Type": type_})
            assert refused.status_code == 403, type_
        async with program(guarded.app) as bare:
            bare.cookies = cookies
            assert (await bare.post("/api/v1/cameras", json=camera)).status_code == 403
            same = {"Referer": "http://sightline.example:8080/"}
            assert (await bare.post("/api/v1/cameras", json=camera, headers=same)).status_code == 201


@pytest.mark.parametrize("path", ["/api/v1/cameras/gate/snapshot.jpg", "/api/v1/cameras/gate/tracks"])
async def test_a_token_in_the_address_opens_streams_only(guarded: Web, path: str) -> None:
    async with browser(guarded.app, "root") as client:
        token = (await client.post("/api/v1/tokens", json={"name": "player"})).json()["token"]
    async with program(guarded.app) as bare:
        assert (await bare.get(path)).status_code == 401
        assert (await bare.get(path, params={"token": "sl_wrong"})).status_code == 401
        answer = await bare.get(path, params={"token": token})
        assert answer.status_code == 404, "no such camera, but it may be asked for"
        assert token not in answer.text
        for other in ("/api/v1/cameras", "/api/v1/users", "/api/v1/cameras/gate", "/api/v1/system"):
            assert (await bare.get(other, params={"token": token})).status_code == 401, other
        assert (await bare.post(path, params={"token": token})).status_code == 401
    async with program(guarded.app, token) as bearer:
        assert (await bearer.get("/api/v1/cameras")).status_code == 200
        assert (await bearer.post("/api/v1/cameras", json={"url": "demo://traffic"})).status_code == 403


async def test_on_loopback_nobody_has_to_log_in_and_a_foreign_host_is_refused(tables: Tables) -> None:
    async with web_over(tables) as web:
        assert (await web.client.get(SESSION)).json() == {
            "login_wanted": False,
            "user": None,
            "role": "admin",
        }
        assert (await web.client.get("/api/v1/users")).status_code == 200
        for headers in ({"Host": "evil.example"}, {"Origin": FOREIGN}):
            assert (await web.client.get("/api/v1/cameras", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("host", "login", "wanted"),
    [
        ("127.0.0.1", "auto", False),
        ("::1", "auto", False),
        ("localhost", "auto", False),
        ("0.0.0.0", "auto", True),
        ("::", "auto", True),
        ("192.0.2.1", "auto", True),
        ("127.0.0.1", "required", True),
        ("0.0.0.0", "off", False),
    ],
)
def test_when_a_login_is_wanted(host: str, login: str, wanted: bool) -> None:
    assert WebSettings.model_validate({"host": host, "login": login}).wants_login is wanted
