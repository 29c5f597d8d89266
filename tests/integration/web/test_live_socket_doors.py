"""Who gets a WebSocket of the web service, how many, and when it is taken away again."""

import asyncio
import time
from contextlib import AsyncExitStack

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.common.access.accounts import UserRole
from services.web.serving import server_figures
from services.web.settings import WebSettings
from tests.live_socket import (
    PATH,
    clip,
    live_socket,
    message_of,
    picture_of,
    playing,
    served_live,
    server_of,
    wanted,
)
from tests.makers import GATE, camera
from tests.tables import Tables
from tests.web_app import Web, web_over
from tests.web_login import OPEN_TO_ALL, PASSWORD, SESSION, add_user, browser

HOST = "sightline.example:8080"


async def _cookie(web: Web, user: str) -> str:
    """Log in and give what a browser sends from then on."""
    async with browser(web.app, user) as client:
        return f"sightline_session={client.cookies['sightline_session']}"


async def _closed(socket: ClientConnection) -> tuple[int | None, str | None]:
    with pytest.raises(ConnectionClosed):
        await message_of(socket, "never")
    return socket.close_code, socket.close_reason


async def _refused(connecting: object) -> int:
    with pytest.raises(InvalidStatus) as error:
        await connecting  # type: ignore[misc]
    return error.value.response.status_code


async def test_a_page_without_a_login_is_told_by_a_code_and_a_program_by_a_status(tables: Tables) -> None:
    async with web_over(tables, OPEN_TO_ALL) as web, served_live(web, OPEN_TO_ALL) as port:
        async with live_socket(port) as socket:
            assert await _closed(socket) == (4401, "log in first, or send a token")
        async with live_socket(port, cookie="sightline_session=never-was") as socket:
            assert (await _closed(socket))[0] == 4401
        assert await _refused(live_socket(port, origin="")) == 401
        assert await _refused(live_socket(port, origin="", authorization="Bearer wrong")) == 401
        assert await _refused(live_socket(port, origin="", path=f"{PATH}?token=wrong")) == 401
        assert web.app.state.context.sockets.taken == 0


async def test_whoever_is_refused_fills_no_log(tables: Tables, caplog: pytest.LogCaptureFixture) -> None:
    async with web_over(tables, OPEN_TO_ALL) as web, served_live(web, OPEN_TO_ALL) as port:
        assert await _refused(live_socket(port, origin="")) == 401
        assert await _refused(live_socket(port, origin="http://evil.example")) == 403
        async with live_socket(port) as socket:
            assert (await _closed(socket))[0] == 4401
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("role", list(UserRole))
async def test_whoever_may_look_gets_it(tables: Tables, role: UserRole) -> None:
    await add_user(tables, "anna", role)
    async with (
        web_over(tables, OPEN_TO_ALL) as web,
        served_live(web, OPEN_TO_ALL) as port,
        live_socket(port, cookie=await _cookie(web, "anna")) as socket,
    ):
        await message_of(socket, "cameras")


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("", {"origin": "http://evil.example"}),
        ("", {"origin": "null"}),
        ("", {"origin": "http://127.0.0.1:1"}),
        ("", {"origin": "", "sec-fetch-site": "cross-site"}),
        ("evil.example", {"origin": ""}),
        ("evil.example", {}),
    ],
)
async def test_without_a_login_no_other_page_gets_it(
    tables: Tables, host: str, headers: dict[str, str]
) -> None:
    async with web_over(tables) as web, served_live(web, WebSettings()) as port:
        assert await _refused(live_socket(port, host, **headers)) == 403
        async with live_socket(port, origin="") as socket:
            await message_of(socket, "alive")


@pytest.mark.parametrize(
    ("headers", "is_let_in"),
    [
        ({"origin": "https://sightline.example:8080"}, True),
        ({"origin": "https://front.example"}, False),
        ({"origin": "https://front.example", "x-forwarded-host": "front.example"}, True),
        ({"origin": "https://evil.example", "x-forwarded-host": "front.example"}, False),
        ({"origin": "https://front.example", "x-forwarded-host": "evil.example, front.example"}, True),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, False),
    ],
)
async def test_behind_a_proxy_only_its_own_page_gets_it(
    tables: Tables, headers: dict[str, str], is_let_in: bool
) -> None:
    await add_user(tables, "anna", UserRole.VIEWER)
    settings = OPEN_TO_ALL.model_copy(update={"trusted_proxy": "127.0.0.1"})
    async with web_over(tables, settings) as web, served_live(web, settings) as port:
        opening = live_socket(port, HOST, cookie=await _cookie(web, "anna"), **headers)
        if is_let_in:
            async with opening as socket:
                await message_of(socket, "cameras")
        else:
            assert await _refused(opening) == 403


@pytest.mark.parametrize("cause", ["logout", "deleted", "password", "role"])
async def test_it_ends_within_seconds_when_the_login_does(tables: Tables, cause: str) -> None:
    await add_user(tables, "root", UserRole.ADMIN)
    await add_user(tables, "anna", UserRole.VIEWER)
    await tables.setups.add_camera(camera())
    async with web_over(tables, OPEN_TO_ALL) as web, served_live(web, OPEN_TO_ALL) as port:
        await web.app.state.context.mirror.refresh()
        async with (
            browser(web.app, "anna") as anna,
            browser(web.app, "root") as root,
            live_socket(port, cookie=f"sightline_session={anna.cookies['sightline_session']}") as socket,
        ):
            await message_of(socket, "cameras")
            if cause == "logout":
                answer = await anna.delete(SESSION)
            elif cause == "deleted":
                answer = await root.delete("/api/v1/users/anna")
            elif cause == "role":
                answer = await root.patch("/api/v1/users/anna", json={"role": "admin"})
            else:
                answer = await root.patch("/api/v1/users/anna", json={"password": f"{PASSWORD} anew"})
            assert answer.status_code < 300, answer.text
            begun_s = time.monotonic()
            assert (await _closed(socket))[0] == 4401
            assert time.monotonic() - begun_s < 8
        assert web.app.state.context.sockets.taken == 0


async def test_seven_tabs_of_one_user_are_live_at_once_and_too_many_are_told_so(tables: Tables) -> None:
    settings = OPEN_TO_ALL.model_copy(update={"sockets_per_user": 8, "sockets": 9})
    for name in ("anna", "bert"):
        await add_user(tables, name, UserRole.VIEWER)
    await tables.setups.add_camera(camera())
    async with (
        web_over(tables, settings) as web,
        served_live(web, settings) as port,
        AsyncExitStack() as stack,
    ):
        await web.app.state.context.mirror.refresh()
        cookie = await _cookie(web, "anna")
        tabs = [await stack.enter_async_context(live_socket(port, cookie=cookie)) for _ in range(8)]
        with playing(web, GATE, units=clip()):
            for tab in tabs[:7]:
                await tab.send(wanted(width=320, fps=4))
            for tab in tabs[:7]:
                assert (await picture_of(tab))[0]["width"] == 320
        async with live_socket(port, cookie=cookie) as ninth:
            code, reason = await _closed(ninth)
            assert (code, "live connections" in (reason or "")) == (4429, True)
        other = await stack.enter_async_context(live_socket(port, cookie=await _cookie(web, "bert")))
        await message_of(other, "alive")
        async with live_socket(port, cookie=await _cookie(web, "bert")) as last:
            assert (await _closed(last))[0] == 1013
        async with httpx.AsyncClient() as client:
            figures = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        assert "sightline_sockets 9.0" in figures
        assert "sightline_sockets_refused_total 2.0" in figures
        await tabs[0].close()
        async with live_socket(port, cookie=cookie) as again:
            await message_of(again, "alive")


async def test_a_reader_that_reads_nothing_is_closed_and_keeps_no_picture(tables: Tables) -> None:
    settings = WebSettings(live_fps=60)
    await tables.setups.add_camera(camera())
    async with web_over(tables, settings) as web, served_live(web, settings, stall_s=0.6) as port:
        context = web.app.state.context
        await context.mirror.refresh()
        async with live_socket(port) as socket:
            await socket.send(wanted(fps=60))
            socket.transport.pause_reading()
            most_bytes = 0
            with playing(web, GATE, units=clip(frames=6, is_noise=True)):
                async with asyncio.timeout(30):
                    while context.sockets.taken or not server_of(web).stalled:
                        most_bytes = max(most_bytes, server_of(web).waiting_bytes)
                        await asyncio.sleep(0.02)
        figures = {figure.name: figure.value for figure in server_figures(server_of(web))}
        assert figures["sightline_readers_stalled_total"] == 1
        assert 0 < most_bytes < 1_000_000, "of all the pictures one waits"
        assert context.live.watched == 0


@pytest.mark.parametrize(
    ("below", "headers"),
    [
        ({"proxy_path": "/house/sight-line"}, {}),
        ({"trusted_proxy": "127.0.0.1"}, {"x-forwarded-prefix": "/house/sight-line"}),
    ],
)
async def test_behind_a_proxy_that_passes_its_path_on_a_page_is_live(
    tables: Tables, below: dict[str, str], headers: dict[str, str]
) -> None:
    settings = WebSettings().model_copy(update=below)
    async with web_over(tables, settings) as web, served_live(web, settings) as port:
        async with live_socket(port, path=f"/house/sight-line{PATH}", **headers) as socket:
            await message_of(socket, "alive")
        assert await _refused(live_socket(port, path=f"/elsewhere{PATH}", **headers)) in (403, 404)


async def test_other_paths_answer_as_if_nobody_had_asked_for_a_websocket(tables: Tables) -> None:
    head = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    head["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    async with (
        web_over(tables) as web,
        served_live(web, WebSettings()) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=head) as client,
    ):
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/api/v1/cameras")).status_code == 200
        assert (await client.get("/api/v1/live/other")).status_code == 404
        for answer in (
            await client.post(PATH, json={}),
            await client.get(PATH, headers={f"x-{number}": "1" for number in range(120)}),
        ):
            assert answer.status_code in (405, 426)
        plain = await httpx.AsyncClient(base_url=str(client.base_url)).get(PATH)
        assert (plain.status_code, plain.headers["upgrade"]) == (426, "websocket")
        assert plain.headers["x-content-type-options"] == "nosniff"
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    "rest",
    [
        b"Sec-WebSocket-Version: 13\r\n\r\n",
        b"Sec-WebSocket-Version: 1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x89\x80abcd",
    ],
)
async def test_odd_handshakes_end_and_give_their_place_back(
    tables: Tables, rest: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with web_over(tables) as web, served_live(web, WebSettings()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        here = f"Host: 127.0.0.1:{port}\r\n".encode()
        writer.write(
            b"GET /api/v1/live HTTP/1.1\r\n" + here + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        )
        writer.write(rest)
        await writer.drain()
        writer.write_eof()
        async with asyncio.timeout(10):
            await reader.read()
            while len(server_of(web)._places) or web.app.state.context.sockets.taken:
                await asyncio.sleep(0.02)
        writer.close()
        assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_socket_counts_among_the_requests_of_its_address_behind_a_proxy(tables: Tables) -> None:
    settings = WebSettings(host="0.0.0.0", login="off", trusted_proxy="127.0.0.1", client_connection_limit=2)
    async with (
        web_over(tables, settings) as web,
        served_live(web, settings) as port,
        AsyncExitStack() as stack,
    ):
        for _ in range(2):
            opening = live_socket(port, **{"x-forwarded-for": "192.0.2.1"})
            await message_of(await stack.enter_async_context(opening), "alive")
        assert await _refused(live_socket(port, **{"x-forwarded-for": "192.0.2.1"})) == 429
        async with live_socket(port, **{"x-forwarded-for": "192.0.2.2"}) as socket:
            await message_of(socket, "alive")
