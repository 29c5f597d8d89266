"""Cameras with bad habits that tests start, and what an ingest takes beside them."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import psutil

from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.core.types import Camera, CameraId, CameraState, CameraStatus
from services.ingest.dialling import Dialler
from services.ingest.service import CameraIngest
from services.ingest.sources import source_of
from tests.processes import REPOSITORY, wait_until

SCRIPT = REPOSITORY / "tests" / "fixtures" / "hostile_camera.py"
PERIOD_S = 0.02
PATIENCE_S = 2.0


@contextmanager
def hostile_camera(habit: str) -> Iterator[str]:
    """A camera for the length of a test; gives its address."""
    process = subprocess.Popen([sys.executable, str(SCRIPT), habit], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("rtsp://"), "the camera did not start"
        yield address
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def ingesting(url: str, camera: str = "gate") -> Iterator["Ingesting"]:
    """An ingest of one camera for the length of a test."""
    running = Ingesting(url, CameraId(camera))
    running.ingest.start()
    try:
        yield running
    finally:
        running.ingest.stop()


@dataclass
class Ingesting:
    """An ingest of one camera, its bus and its video."""

    url: str
    camera: CameraId
    bus: LocalBus = field(default_factory=LocalBus)
    hub: VideoHub = field(default_factory=VideoHub)

    def __post_init__(self) -> None:
        self.ingest = CameraIngest(
            Camera(self.camera, "Gate", self.url),
            self.bus.events,
            self.bus.states,
            self.hub,
            partial(source_of, dialler=Dialler(PATIENCE_S)),
        )

    @property
    def state(self) -> CameraState | None:
        return self.bus.states.state(self.camera)

    def is_now(self, status: CameraStatus) -> bool:
        return self.state is not None and self.state.status is status

    def reason(self, timeout_s: float) -> str:
        """Wait until the camera is degraded; gives the reason."""
        wait_until(lambda: self.is_now(CameraStatus.DEGRADED), timeout_s, "degraded")
        assert self.state is not None
        return self.state.last_error or ""


@dataclass
class Cost:
    """What this process and the processes of its sources took."""

    memory_mb: float = 0.0
    """Most memory above that of the beginning, all together."""
    processor_s: float = 0.0


class _Meter(threading.Thread):
    def __init__(self, foreign: set[int]) -> None:
        super().__init__(daemon=True)
        self._own, self._foreign = psutil.Process(), foreign
        self._ended = threading.Event()
        self._begun_bytes, self._begun_s = self._memory(), self._processor()
        self.peak_bytes = 0

    def _memory(self) -> int:
        used = self._own.memory_info().rss
        for child in self._own.children(recursive=True):
            if child.pid not in self._foreign:
                with suppress(psutil.Error):
                    used += child.memory_info().rss
        return int(used)

    def _processor(self) -> float:
        times = os.times()
        return times.user + times.system + times.children_user + times.children_system

    def run(self) -> None:
        while not self._ended.wait(PERIOD_S):
            self.peak_bytes = max(self.peak_bytes, self._memory() - self._begun_bytes)

    def end(self) -> Cost:
        self._ended.set()
        self.join()
        return Cost(self.peak_bytes / 1e6, self._processor() - self._begun_s)


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure what is taken within; children that exist already are no part of it."""
    meter = _Meter({child.pid for child in psutil.Process().children(recursive=True)})
    meter.start()
    cost = Cost()
    try:
        yield cost
    finally:
        taken = meter.end()
        cost.memory_mb, cost.processor_s = taken.memory_mb, taken.processor_s
