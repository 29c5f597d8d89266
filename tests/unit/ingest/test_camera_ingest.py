"""A camera's thread outlives what nobody foresaw."""

from services.common.bus_local import LocalBus
from services.common.video import VideoHub
from services.core.types import Camera, CameraStatus
from services.ingest.service import CameraIngest
from services.ingest.source import SourceUnit
from tests.processes import wait_until


class Flaky:
    """A source whose first connection fails as no source should."""

    resolution = (640, 360)

    def __init__(self) -> None:
        self.attempts = 0

    def connect(self) -> "Flaky":
        self.attempts += 1
        if self.attempts == 1:
            raise RuntimeError("nobody foresaw this")
        return self

    def units(self):
        yield from (SourceUnit(b"x", True, i / 10) for i in range(1000))

    def close(self) -> None:
        """Nothing to let go of."""


def test_an_unforeseen_fault_is_degraded_and_tried_again():
    bus, source = LocalBus(), Flaky()
    ingest = CameraIngest(Camera("c", "C", "rtsp://127.0.0.1:1/x"), bus, VideoHub(), 0, lambda url: source)
    ingest.start()
    try:
        wait_until(lambda: bus.state("c") and bus.state("c").status is CameraStatus.DEGRADED, 3, "degraded")
        assert "fault in Sightline" in bus.state("c").last_error
        wait_until(lambda: source.attempts >= 2, 5, "tried again")
    finally:
        ingest.stop()
