"""The ingest service against real cameras, whole and broken."""

import asyncio
import signal
import socket
import subprocess
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.core.types import Camera, CameraId, CameraSetup, CameraStatus, OwnedCamera
from services.demo.encode import write_video
from services.demo.traffic import make_scene
from services.ingest.service import CameraIngest, IngestService
from tests.processes import camera, free_port, wait_until

KEY = CameraId("gate")


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "scene.mp4"
    write_video(make_scene(1, duration_s=20), path)
    return path


class Ingest:
    """An ingest of one camera with its bus."""

    def __init__(self, url: str) -> None:
        self.bus, self.hub = LocalBus(), VideoHub()
        self.ingest = CameraIngest(Camera(KEY, "Gate", url), self.bus.events, self.bus.states, self.hub)

    def __enter__(self) -> "Ingest":
        self.ingest.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ingest.stop()

    def wait_for(self, status: CameraStatus, timeout_s: float = 15) -> str:
        state = wait_until(
            lambda: (s := self.bus.states.state(KEY)) is not None and s.status is status and s,
            timeout_s,
            str(status),
        )
        return state.last_error or ""  # type: ignore[attr-defined]


@pytest.mark.rtsp
def test_a_camera_is_live_broken_off_and_live_again(rtsp_python: str, video: Path):
    with camera(rtsp_python, video) as source, Ingest(source.url) as ingest:
        ingest.wait_for(CameraStatus.LIVE)
        assert ingest.bus.states.state(KEY).resolution == (640, 360)
        with ingest.hub.reader(KEY) as reader:
            units = [reader.read(2) for _ in range(60)]
        assert units[0].is_keyframe
        assert b"\x00\x00\x00\x01\x67" in units[0].data or b"\x00\x00\x01\x67" in units[0].data
        steps = [b.time_s - a.time_s for a, b in pairwise(units)]
        assert sorted(steps)[len(steps) // 2] == pytest.approx(0.04, abs=0.002)
        source.kill()
        assert ingest.wait_for(CameraStatus.DEGRADED)
        source.start()
        back_s = time.monotonic()
        ingest.wait_for(CameraStatus.LIVE, timeout_s=35)
        print(f"live {time.monotonic() - back_s:.1f} s after the camera answers again")


@pytest.mark.rtsp
async def test_a_camera_that_stands_still_is_dropped_in_time(rtsp_python: str, video: Path):
    with camera(rtsp_python, video) as source:
        bus, hub = LocalBus(), VideoHub()
        service = IngestService(bus.events, bus.states, hub)
        with hub.reader(KEY) as reader:
            await service.take(OwnedCamera(CameraSetup(Camera(KEY, "Gate", source.url)), 1))
            assert await asyncio.to_thread(reader.read, 10) is not None
            assert source.process is not None
            source.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(0.5)
            begun_s = time.monotonic()
            await service.drop(KEY)
            assert time.monotonic() - begun_s < 1.5
            while reader.read(0) is not None:
                pass
            source.process.send_signal(signal.SIGCONT)
            assert await asyncio.to_thread(reader.read, 1) is None
        name = f"ingest-{KEY}"
        await asyncio.to_thread(
            wait_until, lambda: name not in {thread.name for thread in threading.enumerate()}, 8, "its end"
        )
        events = (await bus.events.next_batch()).events
        assert [event.status for event in events] == [CameraStatus.CONNECTING, CameraStatus.LIVE]


@pytest.mark.rtsp
def test_a_wrong_password_is_said_and_not_shown(
    rtsp_python: str, video: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("DEBUG")
    with camera(rtsp_python, video, "user", "right") as source:
        with Ingest(source.url.replace("right", "s3cret-wrong")) as ingest:
            cause = ingest.wait_for(CameraStatus.DEGRADED)
        assert "refuses user or password" in cause
        assert "s3cret-wrong" not in cause + caplog.text
        with Ingest(source.url) as ingest:
            ingest.wait_for(CameraStatus.LIVE)


def test_an_address_where_nothing_listens():
    with Ingest(f"rtsp://user:s3cret@127.0.0.1:{free_port()}/cam") as ingest:
        cause = ingest.wait_for(CameraStatus.DEGRADED)
    assert "connection refused" in cause
    assert "s3cret" not in cause


def test_what_answers_is_not_rtsp():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.recv(1000)
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with Ingest(f"rtsp://127.0.0.1:{server.getsockname()[1]}/cam") as ingest:
            cause = ingest.wait_for(CameraStatus.DEGRADED)
    assert cause
    print(cause)


def make_sound(path: Path) -> None:
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(path)]
    subprocess.run(command, check=True)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (make_sound, "no video"),
        (lambda path: path.write_text("not a video at all"), "no video stream"),
        (lambda path: None, "no such file"),
    ],
)
def test_files_that_are_no_video(tmp_path: Path, make, words: str):
    path = tmp_path / "file.mp4"
    make(path)
    with Ingest(str(path)) as ingest:
        assert words in ingest.wait_for(CameraStatus.DEGRADED)


def test_a_file_plays_on_in_passes_that_never_share_a_connection(tmp_path: Path):
    path = tmp_path / "short.mp4"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=duration=1:size=320x240:rate=10"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", "-bf", "0", str(path)], check=True)
    with Ingest(str(path)) as ingest:
        ingest.wait_for(CameraStatus.LIVE)
        with ingest.hub.reader(KEY) as reader:
            units = [reader.read(3) for _ in range(25)]
    connections = [unit.connection for unit in units]
    assert len(set(connections)) >= 2
    assert connections == sorted(connections)
    assert all(b.time_s > a.time_s for a, b in pairwise(units))


@pytest.mark.parametrize("url", ["demo://nothing", "demo://traffic?seed=x", "ftp://127.0.0.1/x"])
def test_addresses_that_name_no_source(url: str):
    with Ingest(url) as ingest:
        assert ingest.wait_for(CameraStatus.DEGRADED)
