"""The RTSP ports in this process, with cameras that are painted."""

import threading
from collections.abc import Iterator

import pytest

from services.common.video.hub import VideoHub
from services.ingest.relay import RelayServer
from tests.makers import GATE
from tests.rtsp_clients import PaintedCamera


@pytest.fixture
def hub(rtsp_python: str) -> VideoHub:
    """Where the cameras publish; only where GStreamer's RTSP server is installed."""
    return VideoHub()


@pytest.fixture
def gate(hub: VideoHub) -> Iterator[PaintedCamera]:
    """A painted camera."""
    source = PaintedCamera(hub)
    yield source
    source.stop()


@pytest.fixture
def relay(hub: VideoHub) -> Iterator[RelayServer]:
    """A relay of the camera `gate`, which the bare address shows too."""
    server = RelayServer(hub, "127.0.0.1", 0)
    server.start()
    server.set_cameras([GATE], GATE)
    yield server
    server.stop()
    assert server.feeds == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("relay-", "rtsp-"))]
