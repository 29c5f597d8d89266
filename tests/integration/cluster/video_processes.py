"""Processes that send and read video, and what tests need to look into them.

Run as a script: `send PORT KEY CONNECTION` or `read ADDRESS KEY`; prints a line when it is ready or has read.
"""

import asyncio
import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.common.leases.protocol import Member
from services.common.video.hub import LocalVideoReader, VideoHub
from services.common.video.remote import RemoteVideo
from services.core.types import AccessUnit, CameraId
from services.ingest.video_server import VideoServer

CAMERA = CameraId("gate")
KEY = "correct-horse"
FPS = 25


def picture(connection: int, frame: int, size: int = 5000) -> bytes:
    """Give the bytes that a picture has in every process."""
    return hashlib.shake_128(f"{connection}/{frame}".encode()).digest(size)


def unit(frame: int, connection: int = 1, size: int = 5000) -> AccessUnit:
    """Give a picture of now; each 25th is a key frame."""
    data = picture(connection, frame, size)
    return AccessUnit(CAMERA, frame, time.time(), frame % FPS == 0, data, connection)


@dataclass
class Served:
    """A video server of this process, on a loop in a thread of its own."""

    hub: VideoHub
    server: VideoServer
    port: int

    @property
    def member(self) -> Member:
        """Who the leases would name."""
        return Member(f"ingest-{self.port}", "ingest", f"ws://127.0.0.1:{self.port}", KEY)


@contextmanager
def served(hub: VideoHub | None = None, port: int = 0) -> Iterator[Served]:
    """Serve a hub for the length of a test."""
    running = Served(hub or VideoHub(), VideoServer(hub := hub or VideoHub(), KEY), port)
    running.hub = hub
    loop, started, ended = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with running.server.listening("127.0.0.1", port) as running.port:
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert started.wait(5), "the server did not start"
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(5)
        loop.close()


class Camera:
    """Publishes pictures at the rate of a camera until the context ends."""

    def __init__(self, hub: VideoHub, connection: int = 1, size: int = 5000) -> None:
        self._hub, self._connection, self._size = hub, connection, size
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for frame in range(100_000):
            self._hub.publish(unit(frame, self._connection, self._size))
            if self._ended.wait(1 / FPS):
                return

    def __enter__(self) -> "Camera":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def read_until(reader: LocalVideoReader, frame: int, timeout_s: float = 5) -> list[AccessUnit]:
    """Read up to a frame."""
    units: list[AccessUnit] = []
    end_s = time.monotonic() + timeout_s
    while not units or units[-1].frame < frame:
        assert time.monotonic() < end_s, f"frame {frame} did not come, but {len(units)} others"
        if (new := reader.read(0.1)) is not None:
            units.append(new)
    return units


@contextmanager
def process(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run this file as a script for the length of a test; returns when it is ready."""
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.integration.cluster.video_processes", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as running:
        try:
            assert running.stdout is not None
            assert running.stdout.readline().strip() == "ready"
            yield running
        finally:
            running.kill()


async def _send(port: int, key: str, connection: int) -> None:
    hub = VideoHub()
    async with VideoServer(hub, key).listening("127.0.0.1", port):
        with Camera(hub, connection):
            print("ready", flush=True)
            await asyncio.Event().wait()


def _read(address: str, key: str) -> None:
    with RemoteVideo(lambda camera: Member("m", "ingest", address, key)).reader(CAMERA) as reader:
        print("ready", flush=True)
        while True:
            unit = reader.read(1.0)
            if unit is not None:
                late_s = time.time() - unit.time_s
                print(unit.frame, int(unit.is_keyframe), f"{late_s:.3f}", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "send":
        asyncio.run(_send(int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
    else:
        _read(sys.argv[2], sys.argv[3])
