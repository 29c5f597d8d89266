"""WebSockets of the server: who gets one, and how long its client may be silent."""

import asyncio

import pytest
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from services.common.connections.listening import listen
from services.common.http import server as servers
from services.common.http.bounds import HttpLimits
from services.common.http.server import HttpServer
from services.common.http.sockets import close_reason, fits_handshake

HANDSHAKE = [(b"upgrade", b"websocket"), (b"sec-websocket-key", b"x")]


@pytest.mark.parametrize(
    ("method", "target", "headers", "fits"),
    [
        (b"GET", b"/live", HANDSHAKE, True),
        (b"POST", b"/live", HANDSHAKE, False),
        (b"GET", b"/live", [*HANDSHAKE, (b"content-length", b"5")], False),
        (b"GET", b"/live", [*HANDSHAKE, (b"transfer-encoding", b"chunked")], False),
        (b"GET", b"/live", HANDSHAKE * 60, False),
        (b"GET", b"/live", [*HANDSHAKE, (b"cookie", b"x" * 9000)], False),
        (b"GET", b"/live?" + b"x" * 9000, HANDSHAKE, False),
    ],
)
def test_only_what_the_library_can_read_becomes_a_websocket(
    method: bytes, target: bytes, headers: list[tuple[bytes, bytes]], fits: bool
) -> None:
    assert fits_handshake(method, target, headers) is fits


def test_a_reason_is_cut_to_what_a_frame_can_carry() -> None:
    assert close_reason("log in first") == "log in first"
    assert close_reason("ä" * 200) == "ä" * 61


async def _talking(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, and take what comes until the client has left."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass


async def test_a_client_that_does_not_answer_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PING_INTERVAL_S", 0.05)
    monkeypatch.setattr(servers, "PONG_TIMEOUT_S", 0.3)
    server = HttpServer(_talking, sockets=("/live",))
    listening = listen("127.0.0.1", 0)
    task = asyncio.create_task(server.run_until_cancelled(listening))
    async with connect(f"ws://127.0.0.1:{listening.getsockname()[1]}/live", proxy=None) as client:
        monkeypatch.setattr(client.protocol, "send_frame", lambda frame: None)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(10):
                await client.recv()
        assert client.close_code == 4408
    task.cancel()
    await asyncio.wait([task], timeout=10)


async def test_a_connection_beyond_the_most_gets_none() -> None:
    server = HttpServer(_talking, sockets=("/live",), limits=HttpLimits(connections=1))
    listening = listen("127.0.0.1", 0)
    task = asyncio.create_task(server.run_until_cancelled(listening))
    address = f"ws://127.0.0.1:{listening.getsockname()[1]}/live"
    async with connect(address, proxy=None):
        with pytest.raises(InvalidStatus) as error:
            await connect(address, proxy=None)
        assert error.value.response.status_code == 503
    task.cancel()
    await asyncio.wait([task], timeout=10)
