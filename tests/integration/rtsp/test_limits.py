"""What bounds the RTSP server: connections at once, and connections that ask for nothing."""

import socket
import time

import pytest

from services.common import rtsp_server
from services.ingest.relay import RelayServer
from tests.makers import GATE
from tests.processes import wait_until
from tests.rtsp_clients import take, watching

pytestmark = pytest.mark.rtsp


def connect(relay: RelayServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", relay.port), timeout=5)


def options(client: socket.socket) -> bytes:
    """The answer to a request that everybody may make; empty when the connection is closed."""
    try:
        client.sendall(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
        return client.recv(1000)
    except ConnectionError:
        return b""


def test_connections_beyond_the_limit_are_refused(relay, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rtsp_server, "CLIENT_LIMIT", 2)
    first, second, third = connect(relay), connect(relay), connect(relay)
    with first, second, third:
        assert options(first).startswith(b"RTSP/1.0 200")
        assert options(second).startswith(b"RTSP/1.0 200")
        assert options(third) == b""
        assert relay.refused == 1
        first.close()
        time.sleep(0.2)
        with connect(relay) as again:
            assert options(again).startswith(b"RTSP/1.0 200")


def test_a_connection_that_asks_for_nothing_is_closed_and_a_watcher_goes_on(
    hub, gate, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rtsp_server, "IDLE_S", 0.5)
    monkeypatch.setattr(rtsp_server, "HOUSEKEEPING_S", 1)
    relay = RelayServer(hub, "127.0.0.1", 0)
    relay.start()
    try:
        relay.set_cameras([GATE], GATE)
        wait_until(lambda: gate.sent, 5, "the camera sends")
        with watching(f"rtsp://127.0.0.1:{relay.port}/gate") as frames, connect(relay) as idle:
            take(frames, 50)
            assert idle.recv(10) == b""
            take(frames, 10)
    finally:
        relay.stop()
