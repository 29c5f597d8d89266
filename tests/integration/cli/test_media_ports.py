"""The ports of `up` beside the page: each is served or not, whatever the others are."""

import asyncio
from contextlib import suppress

import pytest

from services.cli.media_ports import MediaPorts
from services.cli.up_settings import UpConfig
from services.common.bus.local import LocalBus
from services.common.live.decoding import Decoders
from services.common.video.hub import VideoHub
from tests.processes import free_port

PORTS = ("json_port", "mjpeg_port")
NONE_OF_RTSP = {"relay_port": None, "annotated_port": None}


async def _answers(port: int) -> bool:
    with suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        return True
    return False


@pytest.mark.parametrize("served", PORTS)
async def test_a_port_that_is_not_served_takes_no_other_with_it(served: str) -> None:
    numbers = {name: free_port() for name in PORTS}
    settings = UpConfig.model_validate({**NONE_OF_RTSP, **dict.fromkeys(PORTS), served: numbers[served]})
    video = VideoHub()
    ports = MediaPorts(settings, LocalBus(), video, Decoders(video), False)
    task = asyncio.create_task(ports.run(lambda: ()))
    try:
        async with asyncio.timeout(20):
            while not await _answers(numbers[served]):
                await asyncio.sleep(0.02)
        (other,) = set(PORTS) - {served}
        assert not await _answers(numbers[other])
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)
