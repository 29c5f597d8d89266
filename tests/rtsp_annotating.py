"""The rtsp service in this process, with tracks that are told."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.common.access.credentials import Check
from services.common.bus.local import LocalBus
from services.common.video.hub import VideoHub
from services.core.types import CameraSetup, TrackedFrame, TrackedObject
from services.rtsp.service import RtspService
from tests.makers import camera, line
from tests.rtsp_clients import BLOCK, PaintedCamera

ANALYSED_PERIOD_S = 0.1


def tell_tracks(bus: LocalBus, source: PaintedCamera) -> None:
    """Tell that the newest picture shows a car where the block is."""
    unit = source.sent[-1]
    car = TrackedObject(3, BLOCK, "car", 0.9)
    bus.tracks.publish(TrackedFrame(unit.camera, unit.frame, unit.time_s, (car,)))


@asynccontextmanager
async def annotating(
    hub: VideoHub, source: PaintedCamera | None = None, check: Check | None = None
) -> AsyncIterator[tuple[RtspService, LocalBus]]:
    """The rtsp service for the length of a test, with tracks of a camera while it sends."""
    before = set(threading.enumerate())
    bus = LocalBus()
    bus.setups.publish((CameraSetup(camera("gate"), (line(),)),))
    service = RtspService(bus.tracks, bus.setups, hub, "127.0.0.1", 0, check)
    running = asyncio.create_task(service.run())

    async def analyse() -> None:
        while source is not None:
            await asyncio.sleep(ANALYSED_PERIOD_S)
            if source.is_sending:
                tell_tracks(bus, source)

    analysing = asyncio.create_task(analyse())
    try:
        async with asyncio.timeout(10):
            while not service.served and not running.done():
                await asyncio.sleep(0.02)
        if running.done():
            running.result()
        yield service, bus
    finally:
        for task in (analysing, running):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    assert service.encoders == 0
    begun = set(threading.enumerate()) - before
    assert not [thread.name for thread in begun if thread.name.startswith(("live-", "rtsp-"))]
