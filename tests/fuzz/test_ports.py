"""The ports beside the page, under bytes of strangers: no 500, no hang, and no memory that stays."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.common.access.check import Access, AccessCheck, token_hash
from services.common.bus.local import LocalBus
from services.common.connections.listening import listen
from services.common.video.hub import VideoHub
from services.core.types import CameraSetup, TrackedFrame, TrackedObject
from services.detector.ports.service import DetectorPorts, PortOptions
from services.ingest.relay import RelayServer
from services.ingest.video_server import VideoServer
from tests.fuzz.memory import LIMIT_BYTES, resident_bytes
from tests.fuzz.strangers import GOOD_ANSWER_S, damaged, in_thread, is_our_error, send
from tests.makers import GATE, camera

KEY, TOKEN = "k" * 32, "sl_" + "t" * 43
LOGIN = base64.b64encode(b"anna:a right long password").decode()
SOME = settings(max_examples=80, derandomize=True, database=None, deadline=None)


def _check() -> AccessCheck:
    """Knows a token and a user whose password nobody has."""
    access = Access({"anna": "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"}, frozenset({token_hash(TOKEN)}))
    return AccessCheck(lambda: access)


def _http(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def _rtsp(method: str, *lines: str) -> bytes:
    return "\r\n".join([f"{method} rtsp://127.0.0.1/gate RTSP/1.0", "CSeq: 1", *lines, "", ""]).encode()


@contextmanager
def _detector(which: str, check: AccessCheck | None) -> Iterator[int]:
    bus = LocalBus()
    bus.setups.publish((CameraSetup(camera()),))
    with listen("127.0.0.1", 0) as json, listen("127.0.0.1", 0) as mjpeg:
        ports = DetectorPorts(bus.tracks, bus.states, bus.setups, VideoHub(), check, PortOptions())
        ended = threading.Event()

        def tell() -> None:
            number = 0
            while not ended.wait(0.05):
                number += 1
                seen = TrackedObject(1, (0.1, 0.1, 0.2, 0.2), "car", 0.9)
                bus.tracks.publish(TrackedFrame(GATE, number, 1_790_000_000.0 + number, (seen,)))

        teller = threading.Thread(target=tell)
        teller.start()
        try:
            with in_thread(lambda: ports.run(json, mjpeg)):
                yield (json if which == "json" else mjpeg).getsockname()[1]
        finally:
            ended.set()
            teller.join()


@contextmanager
def _video() -> Iterator[int]:
    """The port of ingest at which other services take pictures."""
    server, told, port = VideoServer(VideoHub(), KEY), threading.Event(), [0]

    async def serve() -> None:
        async with server.listening("127.0.0.1", 0) as number:
            port[0] = number
            told.set()
            await asyncio.Event().wait()

    with in_thread(serve):
        assert told.wait(10)
        yield port[0]


@contextmanager
def _relay(check: AccessCheck | None) -> Iterator[int]:
    server = RelayServer(VideoHub(), "127.0.0.1", 0, check)
    server.start()
    server.set_cameras([GATE], GATE)
    try:
        yield server.port
    finally:
        server.stop()


def _stays_itself(port: int, good: bytes, expected: bytes, requests: st.SearchStrategy[bytes]) -> None:
    """Send damaged requests; in between and at the end a good one is answered, and memory is as before."""

    def is_well() -> None:
        answer = send(port, good, GOOD_ANSWER_S)
        assert answer.startswith(expected), answer[:100]

    for _ in range(5):
        is_well()
    before, sent = resident_bytes(), 0

    @SOME
    @given(data=requests)
    def one(data: bytes) -> None:
        nonlocal sent
        answer = send(port, data)
        assert not is_our_error(answer), answer[:200]
        sent += 1
        if sent % 20 == 0:
            is_well()

    one()
    is_well()
    assert sent >= SOME.max_examples // 2
    assert resident_bytes() - before < LIMIT_BYTES


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "guarded"])
@pytest.mark.parametrize("which", ["json", "mjpeg"])
def test_detections_and_pictures(which: str, is_open: bool) -> None:
    good = _http("/gate", f"Authorization: Bearer {TOKEN}").replace(b"GET", b"HEAD", 1)
    requests = damaged(
        _http("/gate?overlay=1&lines=0"),
        _http("/", f"Authorization: Basic {LOGIN}"),
        _http(f"/gate?token={TOKEN}"),
        good,
    )
    with _detector(which, None if is_open else _check()) as port:
        _stays_itself(port, good, b"HTTP/1.1 200", requests)


def test_pictures_between_services() -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    key = ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Authorization: Bearer {KEY}")
    opened, refused = _http("/gate", *upgrade, *key), _http("/gate", *upgrade, key[0])
    frames = b"\x81\x85\x00\x00\x00\x00hello" + b"\x82\xff" + b"\xff" * 8
    with _video() as port:
        _stays_itself(port, refused, b"HTTP/1.1 401", damaged(opened, opened + frames, refused))


@pytest.mark.rtsp
@pytest.mark.parametrize("is_open", [True, False], ids=["open", "guarded"])
def test_rtsp(is_open: bool, rtsp_python: str) -> None:
    setup = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
    requests = damaged(
        _rtsp("DESCRIBE", f"Authorization: Basic {LOGIN}"),
        _rtsp("SETUP", setup) + _rtsp("PLAY", "Session: 1"),
        _rtsp("ANNOUNCE", "Content-Type: application/sdp", "Content-Length: 5") + b"v=0\r\n",
        _rtsp("GET_PARAMETER", "Session: 1") + b"$\x00\x00\x10" + b"x" * 16,
        b"POST /gate HTTP/1.0\r\nx-sessioncookie: a\r\nContent-Length: 32767\r\n\r\nREVTQ1JJQkU=",
    )
    with _relay(None if is_open else _check()) as port:
        _stays_itself(port, _rtsp("OPTIONS"), b"RTSP/1.0 200", requests)
