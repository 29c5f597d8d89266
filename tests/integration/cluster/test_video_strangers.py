"""Whoever connects to the port of pictures without the key: bounded, told once, and in nobody's way."""

import asyncio
import logging
import socket
from contextlib import ExitStack, closing

import pytest
from websockets.asyncio.client import connect

from services.common.connections.places import PlaceLimits
from services.common.video.hub import VideoHub
from services.common.video.wire import authorization
from services.ingest import video_server
from services.ingest.video_server import VideoServer
from tests.integration.cluster.video_processes import KEY, unit


async def watch(port: int) -> bytes:
    """The first picture that somebody with the key gets."""
    headers = {"Authorization": authorization(KEY)}
    async with connect(f"ws://127.0.0.1:{port}/gate", additional_headers=headers, proxy=None) as reader:
        async with asyncio.timeout(5):
            return bytes(await reader.recv(decode=False))


def stranger(port: int, begun: bytes = b"") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), 5)
    client.sendall(begun)
    return client


async def is_ended(client: socket.socket, within_s: float) -> bool:
    def wait() -> bool:
        client.settimeout(within_s)
        try:
            while client.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    return await asyncio.to_thread(wait)


async def test_idle_strangers_keep_nobody_out() -> None:
    hub = VideoHub()
    hub.publish(unit(0))
    server = VideoServer(hub, KEY, PlaceLimits(10, 10))
    async with server.listening("127.0.0.1", 0) as port:
        with ExitStack() as stack:
            for _ in range(40):
                stack.enter_context(closing(stranger(port)))
                await asyncio.sleep(0)
            await asyncio.sleep(0.2)
            assert await watch(port)
            figures = {figure.name: figure.value for figure in server.figures()}
            assert figures["sightline_connections"] <= 10
            assert figures["sightline_connections_cut_total"] >= 30


@pytest.mark.parametrize("begun", [b"", b"GET /gate HTTP/1.1\r\nHost: a\r\n"])
async def test_who_shows_no_key_in_time_is_ended(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(video_server, "HANDSHAKE_TIMEOUT_S", 0.5)
    async with VideoServer(VideoHub(), KEY).listening("127.0.0.1", 0) as port:
        with stranger(port, begun) as client:
            assert await is_ended(client, 5)


async def test_a_request_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_server, "HANDSHAKE_TIMEOUT_S", 60)
    async with VideoServer(VideoHub(), KEY).listening("127.0.0.1", 0) as port:
        with stranger(port, b"GET /gate HTTP/1.1\r\n") as client:
            client.sendall(b"X: %s\r\n" % (b"y" * 1000) * 50)
            assert await is_ended(client, 5)


async def test_what_is_no_websocket_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with VideoServer(VideoHub(), KEY).listening("127.0.0.1", 0) as port:
        for _ in range(20):
            with stranger(port, b"\x16\x03\x01 nonsense\r\n\r\n") as client:
                assert await is_ended(client, 5)
    assert len(caplog.records) <= 2
