"""The JSON and the MJPEG port on real sockets: what other programs read there."""

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from fractions import Fraction

import av
import cv2
import httpx
import numpy as np
import pytest

from services.common.access.credentials import Check
from services.common.bus.local import LocalBus
from services.common.connections.listening import listen
from services.common.video.hub import VideoHub
from services.core.types import (
    AccessUnit,
    Camera,
    CameraId,
    CameraSetup,
    CameraState,
    CameraStatus,
    Line,
    LineId,
    TrackedFrame,
    TrackedObject,
)
from services.detector.count_file import count_detections, read_detections
from services.detector.ports.service import DetectorPorts, PortOptions
from tests.machine import others

GATE, YARD, OFF = CameraId("gate"), CameraId("yard"), CameraId("off")
SETUPS = (
    CameraSetup(Camera(YARD, "Yard", "demo://masks", "mask-n")),
    CameraSetup(Camera(GATE, "Gate", "demo://traffic"), (Line(LineId("a"), "a", ((0.0, 0.5), (1.0, 0.5))),)),
    CameraSetup(Camera(OFF, "Off", "demo://traffic", enabled=False)),
)
PROBLEM = "application/problem+json"


@dataclass
class Ports:
    """The running ports with what they show."""

    bus: LocalBus
    video: VideoHub
    ports: DetectorPorts
    json: int
    mjpeg: int
    task: "asyncio.Task[None]" = field(repr=False)

    def figure(self, name: str, port: str) -> float:
        return next(
            figure.value
            for figure in self.ports.figures()
            if figure.name == f"sightline_{name}" and figure.labels.get("port") == port
        )

    async def watched_by(self, number: int, port: str = "json") -> None:
        while self.figure("readers", port) != number:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(check: Check | None = None, **options: object) -> AsyncIterator[Ports]:
    bus, video = LocalBus(), VideoHub()
    bus.setups.publish(SETUPS)
    ports = DetectorPorts(bus.tracks, bus.states, bus.setups, video, check, PortOptions(**options))
    listeners = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    numbers = [listener.getsockname()[1] for listener in listeners]
    task = asyncio.create_task(ports.run(*listeners))
    await asyncio.sleep(0.05)
    try:
        yield Ports(bus, video, ports, *numbers, task)
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)
        assert task.done()


def _frame(number: int, y: float = 0.5, camera: CameraId = GATE, name: str = "car") -> TrackedFrame:
    item = TrackedObject(7, (0.25, y - 0.1, 0.5, y + 0.1), name, 0.875, "no_mask" if camera == YARD else None)
    return TrackedFrame(camera, 3 * number, 1_700_000_000.0 + number * 0.1, (item,))


async def _read_until(reader: asyncio.StreamReader, end: bytes) -> bytes:
    async with asyncio.timeout(10):
        return await reader.readuntil(end)


async def _ask(port: int, text: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    return reader, writer


@asynccontextmanager
async def _streamed(port: int, path: str) -> AsyncIterator[httpx.Response]:
    async with (
        httpx.AsyncClient(timeout=10) as client,
        client.stream("GET", f"http://127.0.0.1:{port}{path}") as answer,
    ):
        yield answer


async def test_the_json_stream_has_exactly_the_form_that_others_parse() -> None:
    async with running() as here:
        here.bus.states.publish_state(GATE, CameraState(CameraStatus.LIVE, resolution=(1280, 720)))
        reader, writer = await _ask(here.json, "GET /gate HTTP/1.0\r\n\r\n")
        head = (await _read_until(reader, b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200 ok\r\n")
        assert "content-type: application/json\r\n" in head
        assert "content-length" not in head
        assert "chunked" not in head
        assert await _read_until(reader, b"\n") == b"[\n"
        here.bus.tracks.publish(_frame(1))
        here.bus.tracks.publish(TrackedFrame(GATE, 6, 1_700_000_000.2))
        known = (
            b'{"frame_id":0,"objects":[{"class_id":2,"name":"car","relative_coordinates":{"center_x":0.375000,'
            b'"center_y":0.500000,"width":0.250000,"height":0.200000},"confidence":0.875000,"track_id":7}],'
            b'"time":"2023-11-14T22:13:20.100Z","resolution":{"w":1280,"h":720}},\n'
        )
        assert await _read_until(reader, b",\n") == known
        here.bus.setups.publish(SETUPS[:1])
        rest = await asyncio.wait_for(reader.read(), 5)
        assert rest.startswith(b'{"frame_id":1,"objects":[],"time":')
        assert rest.endswith(b"}\n]\n")
        writer.close()


async def test_what_the_port_sends_can_be_counted_again() -> None:
    line = SETUPS[1].lines
    rows = [0.2 + 0.02 * n for n in range(31)]
    async with running() as here, _streamed(here.json, "/gate") as answer:
        assert answer.headers["transfer-encoding"] == "chunked"
        await here.watched_by(1)
        for number, y in enumerate(rows):
            here.bus.tracks.publish(_frame(number, y))
            await asyncio.sleep(0.002)
        here.bus.setups.publish(SETUPS[:1])
        text = (await answer.aread()).decode()
    assert [frame["frame_id"] for frame in json.loads(text)] == list(range(len(rows)))
    frames = list(read_detections(text.splitlines(), "8070"))
    assert len(frames) == len(rows)
    result = count_detections(frames, 10, line, 16 / 9)
    assert [(c.class_name, c.direction) for c in result.crossings] == [("car", "forward")]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", YARD),
        ("", YARD),
        ("/any/deeper/path", YARD),
        ("/gate", GATE),
        ("/gate/", GATE),
        ("/gate/x", GATE),
    ],
)
async def test_a_path_names_a_camera_or_means_the_oldest(path: str, shown: CameraId) -> None:
    async with running() as here, _streamed(here.json, path) as answer:
        assert answer.status_code == 200
        await here.watched_by(1)
        here.bus.tracks.publish(_frame(1, camera=GATE))
        here.bus.tracks.publish(_frame(1, camera=YARD, name="no_mask"))
        await asyncio.sleep(0.05)
        here.bus.setups.publish(())
        (frame,) = json.loads(await answer.aread())
    (item,) = frame["objects"]
    assert item["name"] == ("no_mask" if shown == YARD else "car")
    assert item["class_id"] == (1 if shown == YARD else 2)
    assert item.get("mask") == ("no_mask" if shown == YARD else None)


@pytest.mark.parametrize("port", ["json", "mjpeg"])
@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/none", {}, 404),
        ("GET", "/off", {}, 503),
        ("POST", "/gate", {}, 405),
        ("HEAD", "/gate", {}, 200),
        ("GET", "/gate", {"Host": "evil.example"}, 403),
        ("GET", "/gate", {"Origin": "https://evil.example"}, 403),
    ],
)
async def test_what_is_refused_is_a_problem(
    port: str, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    async with running() as here, httpx.AsyncClient(timeout=10) as client:
        answer = await client.request(
            method, f"http://127.0.0.1:{getattr(here, port)}{path}", headers=headers
        )
        assert answer.status_code == status
        if status != 200:
            assert answer.headers["content-type"] == PROBLEM
            assert answer.json()["detail"]


async def test_beyond_the_most_readers_the_next_is_refused_until_one_leaves() -> None:
    async with running(reader_limit=2) as here, httpx.AsyncClient(timeout=10) as client:
        url = f"http://127.0.0.1:{here.json}/gate"
        _, first = await _ask(here.json, "GET / HTTP/1.0\r\n\r\n")
        _, second = await _ask(here.json, "GET / HTTP/1.0\r\n\r\n")
        await here.watched_by(2)
        answer = await client.get(url)
        assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
        assert here.figure("readers_refused_total", "json") == 1
        first.close()
        await here.watched_by(1)
        async with client.stream("GET", url) as answer:
            assert answer.status_code == 200
        second.close()
        await here.watched_by(0)


async def test_thirty_readers_get_each_frame() -> None:
    async with running() as here:
        clients = [await _ask(here.json, "GET /gate HTTP/1.0\r\n\r\n") for _ in range(30)]
        await here.watched_by(30)
        for number in range(50):
            here.bus.tracks.publish(_frame(number))
            await asyncio.sleep(0.01)
        here.bus.setups.publish(())
        bodies = [await asyncio.wait_for(reader.read(), 10) for reader, _ in clients]
        for body in bodies:
            frames = json.loads(body.partition(b"\r\n\r\n")[2])
            assert [frame["frame_id"] for frame in frames] == list(range(50))
        for _, writer in clients:
            writer.close()


class _Pictures:
    """A camera whose pictures are noise, so that each is large."""

    def __init__(self, size: tuple[int, int] = (640, 352)) -> None:
        self._codec = av.CodecContext.create("libx264", "w")
        self._codec.width, self._codec.height = self._size = size
        self._codec.pix_fmt, self._codec.time_base = "yuv420p", Fraction(1, 10)
        self._codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10", "crf": "30"}
        self._random = np.random.default_rng(1)
        self._number = 0

    def next(self) -> list[AccessUnit]:
        grey = self._random.integers(0, 255, (self._size[1], self._size[0], 1), dtype=np.uint8)
        picture = np.repeat(grey, 3, axis=2)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = self._number
        self._number += 1
        return [
            AccessUnit(GATE, self._number, time.time(), packet.is_keyframe, bytes(packet))
            for packet in self._codec.encode(frame)
        ]


@asynccontextmanager
async def _showing(here: Ports, fps: float = 20) -> AsyncIterator[None]:
    pictures = _Pictures()

    async def show() -> None:
        while True:
            for unit in await asyncio.to_thread(pictures.next):
                here.video.publish(unit)
                item = TrackedObject(7, (0.25, 0.25, 0.75, 0.75), "car", 0.9)
                here.bus.tracks.publish(TrackedFrame(GATE, unit.frame, unit.time_s, (item,)))
            await asyncio.sleep(1 / fps)

    task = asyncio.create_task(show())
    try:
        yield
    finally:
        task.cancel()


async def _part(reader: asyncio.StreamReader) -> np.ndarray:
    """Read one part as strict clients do: by its length, with the line end after it."""
    assert await _read_until(reader, b"\r\n") == b"--mjpegstream\r\n"
    assert await _read_until(reader, b"\r\n") == b"Content-Type: image/jpeg\r\n"
    name, _, length = (await _read_until(reader, b"\r\n")).partition(b": ")
    assert name == b"Content-Length"
    assert await _read_until(reader, b"\r\n") == b"\r\n"
    data = await reader.readexactly(int(length))
    assert await reader.readexactly(2) == b"\r\n"
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)


def _box_pixels(picture: np.ndarray) -> int:
    """Pixels on the edge of the box that are coloured; the camera's own are grey."""
    height, width = picture.shape[:2]
    column = picture[height // 4 : 3 * height // 4, width // 4]
    return int((column.max(axis=1) - column.min(axis=1) > 60).sum())


@pytest.mark.parametrize(("query", "drawn"), [("", False), ("?overlay=1", True), ("?overlay=0", False)])
async def test_pictures_come_as_parts_with_their_length(query: str, drawn: bool) -> None:
    async with running(jpeg_quality=90) as here, _showing(here):
        reader, writer = await _ask(here.mjpeg, f"GET /gate{query} HTTP/1.0\r\n\r\n")
        head = (await _read_until(reader, b"\r\n\r\n")).decode().lower()
        assert "content-type: multipart/x-mixed-replace; boundary=mjpegstream\r\n" in head
        pictures = [await _part(reader) for _ in range(3)]
        assert pictures[0].shape == (352, 640, 3)
        assert (min(_box_pixels(picture) for picture in pictures) > 100) is drawn
        here.bus.setups.publish(SETUPS[:1])
        assert (await asyncio.wait_for(reader.read(), 5)).endswith(b"--mjpegstream--\r\n")
        writer.close()
        await here.watched_by(0, "mjpeg")


async def test_a_camera_that_is_gone_says_so_once_a_second_and_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("services.common.live.continuous.CHECK_S", 0.1)
    monkeypatch.setattr("services.common.live.continuous.PATIENCE_S", 0.4)
    degraded = CameraState(CameraStatus.DEGRADED, 1_700_000_000.0, last_error="it does not answer")
    async with running(jpeg_quality=90) as here:
        reader, writer = await _ask(here.mjpeg, "GET /gate HTTP/1.0\r\n\r\n")
        await _read_until(reader, b"\r\n\r\n")
        here.bus.states.publish_state(GATE, degraded)
        assert _is_dark(await _part(reader))
        async with _showing(here):
            while _is_dark(await _part(reader)):
                pass
        while not _is_dark(picture := await _part(reader)):
            pass
        assert picture.shape == (352, 640, 3)
        writer.close()


def _is_dark(picture: np.ndarray) -> bool:
    """Whether it is the ground on which words are written, and no noise."""
    return bool(picture[20:-20, 8:20].std(axis=(0, 1)).max() < 12)


async def test_without_pictures_the_connection_stays_and_nothing_comes() -> None:
    async with running() as here:
        reader, writer = await _ask(here.mjpeg, "GET /gate HTTP/1.0\r\n\r\n")
        await _read_until(reader, b"\r\n\r\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.5)
        assert here.figure("readers", "mjpeg") == 1
        writer.close()


async def test_who_takes_nothing_is_cut_off_and_delays_nobody() -> None:
    async with running(slow_reader_s=1.0, fps=30, jpeg_quality=90) as here, _showing(here, 30):
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", here.mjpeg))
        stalled.sendall(b"GET /gate HTTP/1.0\r\n\r\n")
        reader, writer = await _ask(here.mjpeg, "GET /gate HTTP/1.0\r\n\r\n")
        await _read_until(reader, b"\r\n\r\n")
        await here.watched_by(2, "mjpeg")
        pauses_s: list[float] = []
        with others() as busy:
            while here.figure("readers", "mjpeg") == 2:
                asked_s = time.monotonic()
                await _part(reader)
                pauses_s.append(time.monotonic() - asked_s)
                assert here.figure("reader_waiting_bytes", "mjpeg") < 1_000_000
                assert sum(pauses_s) < 15
        assert here.figure("readers_stalled_total", "mjpeg") == 1
        assert here.figure("reader_frames_dropped_total", "mjpeg") > 0
        assert max(pauses_s) < 5.0
        busy.require(max(pauses_s) < 1.0, f"a picture came after {max(pauses_s):.1f} s")
        await _part(reader)
        writer.close()
        stalled.close()


async def test_a_json_reader_that_takes_nothing_is_cut_off_too() -> None:
    objects = tuple(TrackedObject(n, (0.1, 0.1, 0.2, 0.2), "car", 0.9) for n in range(1000))
    async with running(slow_reader_s=0.5) as here:
        stalled = socket.socket()
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.connect(("127.0.0.1", here.json))
        stalled.sendall(b"GET /gate HTTP/1.0\r\n\r\n")
        await here.watched_by(1)
        async with asyncio.timeout(10):
            while here.figure("readers", "json"):
                here.bus.tracks.publish(TrackedFrame(GATE, 1, 1_700_000_000.0, objects))
                await asyncio.sleep(0.02)
                assert here.figure("reader_waiting_bytes", "json") < 500_000
        assert here.figure("readers_stalled_total", "json") == 1
        stalled.close()


async def test_who_takes_slowly_but_steadily_may_stay() -> None:
    async with running(slow_reader_s=0.6, fps=30, jpeg_quality=90) as here, _showing(here, 30):
        slow = socket.create_connection(("127.0.0.1", here.mjpeg))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        slow.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(slow, b"GET /gate HTTP/1.0\r\n\r\n")
        end_s = loop.time() + 3
        while loop.time() < end_s:
            assert await loop.sock_recv(slow, 200_000)
            await asyncio.sleep(0.15)
        assert here.figure("readers_stalled_total", "mjpeg") == 0
        assert here.figure("reader_frames_dropped_total", "mjpeg") > 0
        slow.close()


async def test_at_the_end_of_the_service_streams_end_in_order() -> None:
    async with running() as here:
        reader, writer = await _ask(here.json, "GET /gate HTTP/1.0\r\n\r\n")
        await _read_until(reader, b"[\n")
        begun_s = time.monotonic()
        here.task.cancel()
        assert await asyncio.wait_for(reader.read(), 5) == b"\n]\n"
        await asyncio.wait([here.task], timeout=5)
        assert here.task.done()
        assert time.monotonic() - begun_s < 1.5
        writer.close()


class _Door:
    """Knows one token and one user."""

    def __init__(self) -> None:
        self.tokens, self.users = {"long-random"}, {"anna"}
        self.is_throttled, self.asked = False, 0

    def check_token(self, token: str) -> bool:
        return token in self.tokens

    def check_password(self, user: str, password: str, address: str = "") -> bool:
        assert address == "127.0.0.1"
        self.asked += 1
        return (user, password) == ("anna", "päss:word") and not self.is_throttled

    def stamp(self, user: str) -> str:
        return "hash" if user in self.users else ""


def _basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 401),
        ("?token=wrong", {}, 401),
        ("?token=long-random", {}, 200),
        ("", {"Authorization": "Bearer long-random"}, 200),
        ("", {"Authorization": "bearer wrong"}, 401),
        ("", _basic("anna:päss:word"), 200),
        ("", _basic("anna:wrong"), 401),
        ("", {"Authorization": "Basic ?"}, 401),
        ("?token=long-random", {"Host": "cameras.example"}, 200),
    ],
)
@pytest.mark.parametrize("port", ["json", "mjpeg"])
async def test_only_who_is_known_may_watch(
    port: str, query: str, headers: dict[str, str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with running(_Door()) as here, httpx.AsyncClient(timeout=10) as client:
        url = f"http://127.0.0.1:{getattr(here, port)}/gate{query}"
        async with client.stream("GET", url, headers=headers) as answer:
            assert answer.status_code == status
            if status == 401:
                assert answer.headers["content-type"] == PROBLEM
                assert answer.headers["www-authenticate"].startswith("Basic ")
    own = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    assert not [text for text in own if "long-random" in text or "wrong" in text]


async def test_a_silent_stream_ends_within_5_s_when_its_reader_is_removed() -> None:
    door, ports = _Door(), ("json", "mjpeg")
    async with running(door) as here, httpx.AsyncClient(timeout=10) as client, AsyncExitStack() as stack:
        answers = [
            await stack.enter_async_context(
                client.stream("GET", f"http://127.0.0.1:{getattr(here, port)}/gate", headers=login)
            )
            for port in ports
            for login in ({"Authorization": "Bearer long-random"}, _basic("anna:päss:word"))
        ]
        assert [answer.status_code for answer in answers] == [200] * 4
        for port in ports:
            await here.watched_by(2, port)
        door.tokens.clear()
        door.users.clear()
        async with asyncio.timeout(5):
            for answer in answers:
                assert b"car" not in b"".join([part async for part in answer.aiter_bytes()])
            for port in ports:
                await here.watched_by(0, port)


async def test_a_reader_goes_on_though_somebody_guesses_the_password_meanwhile() -> None:
    door = _Door()
    async with running(door) as here, httpx.AsyncClient(timeout=10) as client:
        url = f"http://127.0.0.1:{here.json}/gate"
        async with client.stream("GET", url, headers=_basic("anna:päss:word")) as answer:
            assert answer.status_code == 200
            door.is_throttled = True
            await asyncio.sleep(3.5)
            assert here.figure("readers", "json") == 1
            assert door.asked == 1, "the password is not checked once more"
