"""Files without times, and files whose times jump, as cameras: they play at their own rate."""

import asyncio
import subprocess
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from services.common.bus.local import LocalBus
from services.common.clocks import Clocks
from services.common.video.decoder import UnitDecoder
from services.common.video.hub import VideoHub
from services.common.video.source import Connection, PacedConnection
from services.core.types import AccessUnit, Camera, CameraSetup, OwnedCamera
from services.ingest.container import ContainerConnection
from services.ingest.service import IngestService
from tests.makers import GATE

FPS, SECONDS = 15, 4
SOURCE = ["-f", "lavfi", "-i", f"testsrc2=s=160x120:r={FPS}:d={SECONDS}", "-pix_fmt", "yuv420p"]


def make(path: Path, *options: str) -> Path:
    """Encode a little video with B-frames and groups of a second."""
    codec = ["-c:v", "libx264", "-preset", "fast", "-bf", "3", "-g", str(FPS), "-threads", "1"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *SOURCE, *codec, *options, str(path)], check=True)
    return path


class FileClock:
    """The clocks of a machine on which only files pass the time."""

    def __init__(self) -> None:
        self.now_s = 50.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture(params=["closed.h264", "open.h264", "joined.ts", "later.ts"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    """A file, and the pictures that it shows."""
    path = tmp_path / request.param
    if path.suffix == ".h264":
        more = ["-x264-params", "open-gop=1"] if path.stem == "open" else []
        return make(path, *more), FPS * SECONDS
    parts = [make(tmp_path / "a.ts"), make(tmp_path / "b.ts", "-output_ts_offset", "0")]
    if path.stem == "later":
        parts[1] = make(tmp_path / "c.ts", "-output_ts_offset", "20")
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path, 2 * FPS * SECONDS


def test_a_file_plays_at_its_own_rate_and_in_the_order_in_which_it_shows(file: tuple[Path, int]):
    """By ingest's own clock: as many pictures a second as it has, each after the one before."""
    path, pictures = file
    clock, hub, bus = FileClock(), VideoHub(), LocalBus()
    decoded, decoder, done = [], UnitDecoder(), threading.Event()

    class OneFile:
        passes = 0

        def connect(self) -> Connection:
            self.passes += 1
            if self.passes > 1:
                done.set()
            return PacedConnection(ContainerConnection.open(str(path)), lambda: clock.now_s, clock.sleep)

    source = OneFile()

    def keep(unit: AccessUnit) -> None:
        if source.passes == 1 and (picture := decoder.decode(unit)) is not None:
            decoded.append(picture.unit.time_s)

    hub.publish = keep  # type: ignore[method-assign]
    service = IngestService(
        bus.events,
        bus.states,
        hub,
        lambda url: source,
        Clocks(lambda: 1e9 + clock.now_s, lambda: clock.now_s),
    )
    asyncio.run(_play(service, path, done))
    steps = [b - a for a, b in pairwise(decoded)]
    assert pictures - 5 <= len(decoded) <= pictures
    assert min(steps) > 0.5 / FPS
    assert max(steps) < 0.5
    assert decoded[-1] - decoded[0] == pytest.approx(pictures / FPS, rel=0.1)


async def _play(service: IngestService, path: Path, done: threading.Event) -> None:
    await service.take(OwnedCamera(CameraSetup(Camera(GATE, "Gate", str(path))), 1))
    assert await asyncio.to_thread(done.wait, 30)
    await service.drop(GATE)
