"""Whether a picture is of now: told by a clock that nobody sets, whatever time it was stamped with."""

import asyncio
import io
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from services.common.bus.local import LocalBus
from services.common.live import pictures
from services.common.live.decoding import Decoders
from services.common.live.matching import STALE_S, LivePicture, no_lines
from services.common.live.pictures import MOST_SIZES, LivePictures, LiveStream
from services.common.video.hub import VideoHub
from services.core.types import AccessUnit
from tests.hevc_video import hevc_units
from tests.makers import GATE


def key_frame() -> bytes:
    with av.open(io.BytesIO(), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.options = {"bf": "0", "tune": "zerolatency"}
        frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="bgr24")
        return b"".join(bytes(packet) for item in (frame, None) for packet in stream.encode(item))


async def test_pictures_are_shown_in_their_true_shape() -> None:
    hub = VideoHub()
    live = LivePictures(LocalBus(), Decoders(hub), no_lines)
    (unit,) = hevc_units(1, aspect=Fraction(2))
    for width, size in ((None, (320, 120)), (160, (160, 60))):
        stream = live.open(GATE, "plain", width)
        taking = asyncio.create_task(stream.wait())
        for number in range(500):
            hub.publish(replace(unit, camera=GATE, frame=number, time_s=time.time()))
            await asyncio.sleep(0.02)
            if taking.done():
                break
        jpeg = await stream.take()
        stream.close()
        drawn = cv2.imdecode(np.frombuffer(jpeg.data, np.uint8), cv2.IMREAD_COLOR)
        assert drawn is not None
        assert (jpeg.width, jpeg.height) == drawn.shape[1::-1] == size


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
    assert (await asking).data.startswith(b"\xff\xd8")


@pytest.fixture
async def live() -> AsyncIterator[LivePictures]:
    """Pictures of a camera of 64x64 that plays."""
    hub, data = VideoHub(), key_frame()

    async def play() -> None:
        for number in range(2000):
            hub.publish(AccessUnit(GATE, number, time.time(), True, data, 1))
            await asyncio.sleep(0.02)

    playing = asyncio.create_task(play())
    yield LivePictures(LocalBus(), Decoders(hub), no_lines, fps=50)
    playing.cancel()


async def test_viewers_who_are_due_share_what_was_encoded(
    live: LivePictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[tuple[int, int]] = []
    render = pictures.render

    def counted(picture: LivePicture, quality: int) -> bytes:
        encoded.append(picture.decoded.size)
        return render(picture, quality)

    monkeypatch.setattr(pictures, "render", counted)
    viewers = [live.open(GATE, "plain", 32, 5) for _ in range(10)]

    async def see(viewer: LiveStream, rounds: int) -> None:
        for _ in range(rounds):
            await viewer.wait()
            jpeg = await viewer.take()
            assert (jpeg.width, jpeg.height, jpeg.data[:2]) == (32, 32, b"\xff\xd8")
            await asyncio.sleep(0.2)

    async with asyncio.timeout(30):
        await asyncio.gather(*(see(viewer, 5) for viewer in viewers))
    assert set(encoded) == {(32, 32)}
    assert 5 <= len(encoded) <= 15, "one for each turn, and few more where a turn was late"
    seen = len(encoded)
    await asyncio.sleep(0.2)
    assert len(encoded) == seen, "nothing is encoded for viewers who do not take it"
    for viewer in viewers:
        viewer.close()
    assert live.watched == 0


async def test_a_picture_is_never_larger_than_the_cameras_and_few_sizes_are_made(live: LivePictures) -> None:
    widths = [None, 1920, *range(20, 20 + MOST_SIZES)]
    viewers = [live.open(GATE, "plain", width, 5) for width in widths]
    sizes = []
    async with asyncio.timeout(30):
        for viewer in viewers:
            await viewer.wait()
            sizes.append((await viewer.take()).width)
            viewer.close()
    assert sizes[:3] == [64, 64, 20]
    assert len(set(sizes)) < MOST_SIZES
    assert sizes[-1] in (25, 64), "the next best of those that are there"


async def test_a_picture_of_long_ago_is_shown_to_nobody_who_comes_now() -> None:
    hub, now_s = VideoHub(), time.monotonic()
    live = LivePictures(LocalBus(), Decoders(hub), no_lines, now_s=lambda: now_s)
    first = live.open(GATE, "plain", 32, 5)
    hub.publish(AccessUnit(GATE, 0, time.time(), True, key_frame(), 1))
    async with asyncio.timeout(10):
        await first.wait()
    now_s += STALE_S + 10
    later = live.open(GATE, "plain", 32, 5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await later.wait()
    first.close()
    later.close()
