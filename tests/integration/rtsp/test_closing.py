"""How connections are ended from without: while they ask, while they take nothing, and with the server."""

import os
import socket
import subprocess
import sys

import pytest

from services.common.video.hub import VideoHub
from services.ingest.relay import RelayServer
from tests.makers import GATE
from tests.processes import REPOSITORY, wait_until
from tests.rtsp_clients import PaintedCamera

pytestmark = pytest.mark.rtsp


def request(client: socket.socket, path: str, method: str, *lines: str) -> str:
    """The answer to a request about a path."""
    address = f"rtsp://127.0.0.1:{client.getpeername()[1]}{path}"
    head = "\r\n".join((f"{method} {address} RTSP/1.0", "CSeq: 1", *lines))
    client.sendall(f"{head}\r\n\r\n".encode())
    return client.recv(10_000).decode(errors="replace")


def play_without_reading(client: socket.socket) -> None:
    """Begin to watch over the connection itself; what comes is not taken."""
    assert " 200 " in request(client, "/gate", "DESCRIBE")
    transport = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
    answer = request(client, "/gate/stream=0", "SETUP", transport)
    session = next(line for line in answer.splitlines() if line.startswith("Session:"))
    request(client, "/gate", "PLAY", session.partition(";")[0])


def is_ended(client: socket.socket) -> bool:
    """Whether the server ends a connection, after what it has still sent."""
    try:
        while client.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


def test_clients_that_ask_without_pause_are_ended_by_a_server_that_stops(rtsp_python: str) -> None:
    command = [sys.executable, "-m", "tests.rtsp_flood"]
    environment = {**os.environ, "G_DEBUG": "fatal-criticals"}
    ran = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.startswith("stopped within ")
    assert float(ran.stdout.split()[2]) < 4


def test_a_client_that_takes_nothing_is_ended_with_its_stream(relay: RelayServer, hub: VideoHub) -> None:
    source = PaintedCamera(hub, size=(1280, 720), key_every=1)
    try:
        wait_until(lambda: source.sent, 5, "the camera sends")
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(5)
            client.connect(("127.0.0.1", relay.port or 0))
            play_without_reading(client)
            wait_until(lambda: len(source.sent) > 50 and relay.watchers == 1, 5, "pictures wait")
            relay.set_cameras([], None)
            wait_until(lambda: relay.watchers == relay.feeds == 0, 3, "nothing runs for it")
            assert is_ended(client)
    finally:
        source.stop()


def test_connections_that_asked_for_nothing_end_with_the_server(rtsp_python: str, hub: VideoHub) -> None:
    relay = RelayServer(hub, "127.0.0.1", 0)
    relay.start()
    relay.set_cameras([GATE], GATE)
    with socket.create_connection(("127.0.0.1", relay.port or 0), timeout=5) as client:
        assert " 200 " in request(client, "/gate", "OPTIONS")
        relay.stop()
        assert is_ended(client)
