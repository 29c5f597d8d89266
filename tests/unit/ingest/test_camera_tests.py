"""An address that is tried: a picture of it, or the exact reason; bounded, and let go of in the end."""

import asyncio
import errno
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest

from services.common.bus.camera_tests import CameraTestResult
from services.common.settings.cameras import CameraFiles
from services.common.video.source import SourceUnit
from services.core.errors import FullError
from services.demo import demo_source
from services.ingest.camera_tests import MOST_AT_ONCE, CameraTester, rate_of
from services.ingest.container import _cause_of_opening
from tests.hostile_cameras import hostile_camera
from tests.processes import free_port

SECRET = "s3cret"
REORDERED = [
    number / 25 for group in range(0, 24, 4) for number in (group + 4, group + 2, group + 1, group + 3)
][:-2]
"""Times of pictures as they come with B-frames: those before the newest are not all there."""


def write(path: Path, codec: str = "libx264", pictures: int = 50, size: tuple[int, int] = (1280, 720)) -> str:
    """A small video of grey pictures, or of sound alone."""
    with av.open(str(path), "w") as container:
        if codec == "aac":
            sound = container.add_stream("aac", rate=8000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
            frame.rate = 8000
            container.mux([*sound.encode(frame), *sound.encode(None)])
            return str(path)
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = Fraction(1, 25)
        for number in range(pictures):
            picture = av.VideoFrame(*size, "yuv420p")
            for plane in picture.planes:
                plane.update(b"\x80" * plane.buffer_size)
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return str(path)


async def tried(url: str, **options: object) -> CameraTestResult:
    return await CameraTester(**{"demo": demo_source, **options}).test(url)  # type: ignore[arg-type]


def size_of(picture: bytes | None) -> tuple[int, int]:
    assert picture is not None
    decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return decoded.shape[1], decoded.shape[0]


async def test_a_file_gives_a_small_picture_and_what_it_is(tmp_path: Path) -> None:
    result = await tried(write(tmp_path / "a.mp4"))
    assert result.fault is None
    assert (result.resolution, result.codec, result.fps) == ((1280, 720), "h264", 25.0)
    assert size_of(result.picture) == (640, 360)


async def test_a_scene_of_the_demo_and_a_name_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.camera_tests.RATE_WAIT_S", 20.0)
    result = await tried("demo://traffic")
    assert (result.fault, result.resolution, result.fps) == (None, (640, 360), 25.0)
    assert size_of(result.picture) == (640, 360)
    wrong = await tried("demo://roundabout")
    assert wrong.fault is not None
    assert wrong.fault.code == "demo-unknown"


async def test_a_camera() -> None:
    with hostile_camera("good") as url:
        result = await tried(url)
    assert result.fault is None
    assert result.fps == pytest.approx(25, abs=1)
    assert size_of(result.picture)[0] <= 640


async def test_a_camera_of_h265(tmp_path: Path) -> None:
    result = await tried(write(tmp_path / "a.mp4", "libx265"))
    assert (result.fault, result.codec) == (None, "hevc")
    assert result.picture is not None


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: write(path / "a.mp4", "mpeg4"), "stream-codec"),
        (lambda path: write(path / "a.mp4", "aac"), "stream-no-video"),
        (lambda path: write(path / "a.mp4", pictures=10), "video-too-short"),
        (lambda path: str(path / "absent.mp4"), "stream-file-missing"),
        (lambda path: str((path / "a.mp4").write_text("no video") and path / "a.mp4"), "stream-not-video"),
        (lambda path: f"rtsp://u:{SECRET}@127.0.0.1:{free_port()}/x", "camera-refused"),
    ],
)
async def test_each_reason_has_its_code(tmp_path: Path, make: Callable[[Path], str], code: str) -> None:
    result = await tried(make(tmp_path))
    assert result.fault is not None
    assert (result.fault.code, result.picture) == (code, None)
    assert SECRET not in result.fault.text


async def test_a_file_outside_of_the_folders_is_not_looked_for(tmp_path: Path) -> None:
    for name in ("there.mp4", "absent.mp4"):
        (tmp_path / "there.mp4").write_text("no video")
        result = await tried(str(tmp_path / name), files=CameraFiles.of([tmp_path / "clips"]))
        assert result.fault is not None
        assert result.fault.code == "file-outside"


def received(client: socket.socket) -> bytes:
    try:
        return client.recv(4096)
    except OSError:
        return b""


@contextmanager
def answering(status: str) -> Iterator[str]:
    """A camera that answers each request with one and the same status; gives its address."""

    def serve() -> None:
        while True:
            try:
                client = server.accept()[0]
            except OSError:
                return
            with client:
                while data := received(client):
                    number = data.lower().partition(b"cseq: ")[2].partition(b"\r")[0]
                    head = f"RTSP/1.0 {status}\r\nCSeq: ".encode() + number
                    client.sendall(head + b'\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n')

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        yield f"rtsp://u:{SECRET}@127.0.0.1:{server.getsockname()[1]}/x"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("401 Unauthorized", "camera-login"),
        ("403 Forbidden", "camera-forbidden"),
        ("404 Not Found", "camera-no-such-path"),
        ("453 Not Enough Bandwidth", "camera-cannot-serve"),
        ("503 Service Unavailable", "camera-cannot-serve"),
    ],
)
async def test_what_a_camera_answers_is_told_apart(status: str, code: str) -> None:
    with answering(status) as url:
        result = await tried(url)
    assert result.fault is not None
    assert result.fault.code == code
    assert SECRET not in f"{result.fault}"


async def test_a_camera_without_tls_and_one_that_closes() -> None:
    with answering("200 OK") as url:
        result = await tried(url.replace("rtsp://", "rtsps://"))
    assert result.fault is not None
    assert result.fault.code == "camera-no-tls"


def test_a_host_that_nobody_knows_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str, port: int | None) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = OSError(errno.EIO, "Input/output error")
    what = _cause_of_opening("rtsp://u:pw@cam.example/x", error)
    assert (what.code, what.params) == ("camera-host-unknown", {"host": "cam.example"})
    error = OSError(errno.EHOSTUNREACH, "No route to host")
    assert _cause_of_opening("rtsp://192.0.2.1/x", error).code == "camera-unreachable"


def readers() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if _is_reader(one)]


def _is_reader(one: psutil.Process) -> bool:
    """Whether it is a process that reads a camera; one that ends meanwhile is none."""
    try:
        return "services.ingest.apart.child" in " ".join(one.cmdline())
    except psutil.Error:
        return False


async def gone(timeout_s: float = 5.0) -> bool:
    end_s = time.monotonic() + timeout_s
    while readers() and time.monotonic() < end_s:
        await asyncio.sleep(0.02)
    return not readers()


async def test_a_silent_camera_ends_in_time_and_leaves_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = await tried(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x", limit_s=0.5)
        assert result.fault is not None
        assert result.fault.code == "camera-timeout"
        assert await gone()


async def test_too_many_at_once_are_refused_and_cancelled_ones_let_go() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/x"
        tester = CameraTester()
        running = [asyncio.create_task(tester.test(url)) for _ in range(MOST_AT_ONCE)]
        await asyncio.sleep(0.3)
        with pytest.raises(FullError):
            await tester.test(url)
        for task in running:
            task.cancel()
        await asyncio.wait(running)
        assert await gone()
        async with asyncio.timeout(5):
            while True:
                try:
                    assert (await tester.test("/absent.mp4")).fault is not None
                    break
                except FullError:
                    await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("times_s", "rate_fps"),
    [([], None), ([1.0], None), ([2.0, 2.0], None), ([0.0, 0.08, 0.04, 0.12], 25.0), (REORDERED, 25.0)],
)
def test_the_rate_is_that_of_the_streams_clock(times_s: list[float], rate_fps: float | None) -> None:
    assert rate_of(times_s) == rate_fps


def test_a_process_of_a_source_loads_no_more_than_it_needs() -> None:
    """There is one for each camera: what it loads is paid as often."""
    wanted = "[name for name in ('asyncio', 'numpy', 'cv2') if name in sys.modules]"
    program = f"import sys, services.ingest.apart.child; print({wanted})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_a_camera_between_rare_key_frames_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.camera_tests.PICTURE_WAIT_S", 0.3)

    class Middle:
        """Begins between two key frames."""

        resolution = (640, 360)

        def connect(self) -> "Middle":
            return self

        def units(self) -> Iterator[SourceUnit]:
            for number in range(1000):
                time.sleep(0.01)
                yield SourceUnit(b"x", False, number / 25)

        def close(self) -> None:
            """Nothing to let go of."""

    result = await tried("demo://middle", demo=lambda _: Middle())
    assert result.fault is not None
    assert result.fault.code == "stream-no-key-frame"
    assert "key frame interval" in result.fault.text
