"""What pages of other sites may make a browser do: nothing that changes, and nothing that they can show."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.common.access.accounts import UserRole
from services.web.settings import WebSettings
from tests.makers import camera
from tests.tables import Tables
from tests.web_app import ORIGIN, Web, web_over
from tests.web_login import OPEN_TO_ALL, SESSION, add_user, browser, program

FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
LINES = "/api/v1/cameras/gate/lines"
LINE = {"name": "Main", "points": [[0.1, 0.7], [0.9, 0.7]]}
CORP = "cross-origin-resource-policy"


@pytest.fixture
async def guarded(tables: Tables) -> AsyncIterator[Web]:
    await add_user(tables, "root", UserRole.ADMIN)
    await tables.setups.add_camera(camera())
    async with web_over(tables, OPEN_TO_ALL) as web:
        yield web


@pytest.mark.parametrize(
    "authorization",
    [
        ["Bearer "],
        ["Bearer"],
        ["bearer   "],
        ["BEARER\t"],
        ["Basic "],
        ["Basic cm9vdDp4"],
        ["Bearer", "Bearer "],
        ["Bearer sl_x", "Bearer sl_x"],
        ["Token sl_x"],
        [""],
    ],
)
async def test_an_empty_token_does_not_pass_for_a_program(guarded: Web, authorization: list[str]) -> None:
    async with browser(guarded.app, "root") as client:
        lines = [("Authorization", value) for value in authorization]
        foreign = [*FOREIGN.items(), *lines]
        answer = await client.post(LINES, json=LINE, headers=foreign)
        assert answer.status_code == 403, answer.text
        form = await client.post(
            LINES, content=b"x=1", headers=[*lines, ("Content-Type", "application/x-www-form-urlencoded")]
        )
        assert form.status_code == 403, form.text
        login = {"user": "root", "password": "x"}
        assert (await client.post(SESSION, json=login, headers=foreign)).status_code == 403
        assert (await client.get(LINES)).json() == {"items": []}
        assert (await client.post(LINES, json=LINE, headers=lines)).status_code == 201, "the page's own"


async def test_a_token_that_opens_nothing_is_refused_and_not_passed_over(guarded: Web) -> None:
    async with browser(guarded.app, "root") as client:
        headers = {**FOREIGN, "Authorization": "Bearer sl_nonsense"}
        assert (await client.post(LINES, json=LINE, headers=headers)).status_code == 401


async def test_without_a_login_a_token_is_no_way_past_the_origin(tables: Tables) -> None:
    await tables.setups.add_camera(camera())
    async with web_over(tables, WebSettings(host="0.0.0.0", login="off")) as web:
        headers = {**FOREIGN, "Authorization": "Bearer anything"}
        assert (await web.client.post(LINES, json=LINE, headers=headers)).status_code == 403
        assert (await web.client.post(LINES, json=LINE)).status_code == 201


async def test_on_loopback_a_foreign_page_shows_no_pictures(web: Web) -> None:
    await web.tables.setups.add_camera(camera())
    await web.app.state.context.mirror.refresh()
    picture = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for name in ("snapshot.jpg", "stream.mjpeg", "tracks"):
        answer = await web.client.get(f"/api/v1/cameras/gate/{name}", headers=picture)
        assert (answer.status_code, answer.headers[CORP]) == (403, "same-origin")
    visit = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await web.client.get("/", headers=visit)).status_code == 200, "a link leads here"
    assert (await web.client.get("/api/v1/cameras")).status_code == 200, "a program"


async def test_a_picture_is_shown_elsewhere_only_with_a_token_in_its_address(guarded: Web) -> None:
    async with browser(guarded.app, "root") as client:
        token = (await client.post("/api/v1/tokens", json={"name": "wall"})).json()["token"]
        path = "/api/v1/cameras/none/snapshot.jpg"
        assert (await client.get(path)).headers[CORP] == "same-origin"
        async with program(guarded.app) as anybody:
            answer = await anybody.get(path, params={"token": token})
            assert (answer.status_code, answer.headers[CORP]) == (404, "cross-origin")
            assert (await anybody.get("/api/v1/cameras", params={"token": token})).headers[
                CORP
            ] == "same-origin"


async def test_answers_tell_browsers_what_the_page_may_do(web: Web) -> None:
    for path in ("/", "/api/v1/cameras", "/api/v1/docs", "/nothing/here"):
        headers = (await web.client.get(path)).headers
        rules = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert "unsafe" not in headers["content-security-policy"]
        assert rules["default-src"] == "'self'"
        assert (rules["base-uri"], rules["form-action"]) == ("'self'", "'self'")
        assert rules["frame-ancestors"] == "'self'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert "strict-transport-security" not in headers


async def test_with_tls_the_browser_keeps_to_it(tables: Tables) -> None:
    settings = WebSettings(trusted_proxy="127.0.0.0/8")
    async with web_over(tables, settings) as web:
        proxied = {"X-Forwarded-Proto": "https"}
        answer = await web.client.get("/healthz", headers=proxied)
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        transport = httpx.ASGITransport(web.app)
        secure = ORIGIN.replace("http:", "https:")
        async with httpx.AsyncClient(transport=transport, base_url=secure) as client:
            assert "strict-transport-security" in (await client.get("/healthz")).headers
