"""Whether a picture is of now: told by a clock that nobody sets, whatever time it was stamped with."""

import asyncio
import io
import time

import av
import numpy as np
import pytest

from services.common.bus.local import LocalBus
from services.common.live.decoding import Decoders
from services.common.live.matching import no_lines
from services.common.live.pictures import LivePictures
from services.common.video.hub import VideoHub
from services.core.types import AccessUnit
from tests.makers import GATE


def key_frame() -> bytes:
    with av.open(io.BytesIO(), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.options = {"bf": "0", "tune": "zerolatency"}
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="bgr24")
        return b"".join(bytes(packet) for item in (frame, None) for packet in stream.encode(item))


@pytest.mark.parametrize("step_s", [-3600.0, 0.0, 3600.0])
async def test_pictures_are_shown_whatever_the_clock_was_set_to(step_s: float) -> None:
    hub, data = VideoHub(), key_frame()
    live = LivePictures(LocalBus(), Decoders(hub), no_lines)
    asking = asyncio.create_task(live.snapshot(GATE, "plain", 10))
    for number in range(200):
        hub.publish(AccessUnit(GATE, number, time.time() + step_s + number / 25, True, data, 1))
        await asyncio.sleep(0.02)
        if asking.done():
            break
    assert (await asking).startswith(b"\xff\xd8")
