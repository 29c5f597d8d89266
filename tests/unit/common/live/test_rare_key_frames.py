"""Who begins to watch between two rare key frames sees what the camera shows now, or is told why not."""

import asyncio
import time
from functools import cache

import cv2
import numpy as np
import pytest

from services.common.bus.local import LocalBus
from services.common.live.analysed import AnalysedPictures
from services.common.live.decoding import Decoders
from services.common.live.matching import no_lines
from services.common.live.pictures import LivePictures
from services.common.video.decoder import UnitDecoder
from services.common.video.hub import GROUP_LIMIT, GROUP_SURE, GROUPS_LIMIT_BYTES, VideoHub
from services.core.errors import StreamError
from services.core.types import AccessUnit, CameraId
from tests.makers import GATE
from tests.rtsp_clients import encode

FPS = 25
LONG = 500
"""Pictures from one key frame to the next: 20 s."""


@cache
def clip(key_every: int = LONG) -> list[tuple[bytes, bool]]:
    """Pictures of 64x64 that become lighter, half a level each."""
    return encode([np.full((64, 64, 3), number // 4 + 20, np.uint8) for number in range(600)], key_every)


def unit(number: int, camera: CameraId = GATE, begin_s: float = 0.0, key_every: int = LONG) -> AccessUnit:
    data, is_keyframe = clip(key_every)[number]
    return AccessUnit(camera, number, begin_s + number / FPS, is_keyframe, data, 1)


def brightness(jpeg: bytes) -> float:
    return float(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).mean())


def pictures(hub: VideoHub, analysed: AnalysedPictures | None = None) -> LivePictures:
    return LivePictures(LocalBus().tracks, Decoders(hub, analysed=analysed), no_lines)


async def test_a_snapshot_in_the_middle_of_a_long_group_is_of_now() -> None:
    hub, begin_s = VideoHub(), time.time() - 480 / FPS
    for number in range(480):
        hub.publish(unit(number, begin_s=begin_s))
    began_s = time.process_time()
    picture = await pictures(hub).snapshot(GATE, "plain", 10)
    assert picture.time_s == begin_s + 479 / FPS, "the newest, and none of what was decoded on the way"
    assert abs(brightness(picture.data) - (479 // 4 + 20)) < 6
    assert time.process_time() - began_s < 5


async def test_a_picture_on_the_way_to_the_newest_is_shown_to_nobody() -> None:
    hub, begin_s = VideoHub(), time.time() - 450 / FPS
    for number in range(450):
        hub.publish(unit(number, begin_s=begin_s))
    live = pictures(hub)
    stream = live.open(GATE, "plain")
    seen = []
    for number in range(450, 470):
        hub.publish(unit(number, begin_s=begin_s))
        await asyncio.sleep(0.02)
        if stream.is_catching_up or not seen:
            async with asyncio.timeout(10):
                await stream.wait()
        seen.append((await stream.take()).time_s)
    stream.close()
    assert min(seen) >= begin_s + 449 / FPS


@pytest.mark.parametrize("kept", [True, False], ids=["while it catches up", "with nothing kept"])
async def test_what_a_detector_of_the_process_has_decoded_is_shown_at_once(kept: bool) -> None:
    """Also of a camera that sent its only key frame long ago."""
    hub, analysed, decoder, begin_s = VideoHub(), AnalysedPictures(), UnitDecoder(), time.time() - 18
    live = pictures(hub, analysed)
    asking: asyncio.Task[object] | None = None
    for number in range(470):
        one = unit(number, begin_s=begin_s)
        decoded = decoder.decode(one)
        assert decoded is not None
        analysed.put(decoded)
        if kept or number > 440:
            hub.publish(one)
        if number == 455:
            asking = asyncio.create_task(live.snapshot(GATE, "plain", 5))
        if number > 455:
            await asyncio.sleep(0.02)
    assert asking is not None
    picture = await asking
    assert picture.time_s >= begin_s + 454 / FPS  # type: ignore[attr-defined]


async def test_it_is_told_that_a_key_frame_is_missing_and_what_to_set() -> None:
    hub, begin_s = VideoHub(), time.time()
    live = pictures(hub)
    asking = asyncio.create_task(live.snapshot(GATE, "plain", 1.0))
    await asyncio.sleep(0.1)
    for number in range(1, 60):
        hub.publish(unit(number, begin_s=begin_s))
    with pytest.raises(
        StreamError, match="gives no picture now: the camera sends key frames too rarely"
    ) as got:
        await asking
    assert got.value.sentence.params["reason_code"] == "key-frame-awaited"
    assert "key frame interval" in str(got.value)


def group(hub: VideoHub, camera: str) -> int:
    with hub.reader(CameraId(camera)) as reader:
        return reader.waiting + len(list(iter(lambda: reader.read(0), None)))


def test_all_groups_together_are_bounded_and_the_largest_gives_way() -> None:
    hub, size = VideoHub(), 30_000
    per_camera = GROUPS_LIMIT_BYTES // size // 4
    assert GROUP_SURE < per_camera < GROUP_LIMIT
    for camera in "abcd":
        for number in range(per_camera - (camera == "a")):
            hub.publish(AccessUnit(CameraId(camera), number, number / FPS, number == 0, bytes(size)))
    kept = {camera: group(hub, camera) for camera in "abcd"}
    for number in range(3):
        hub.publish(AccessUnit(CameraId("a"), 2000 + number, 90.0, False, bytes(size)))
    after = {camera: group(hub, camera) for camera in "abcd"}
    assert [camera for camera in "abcd" if after[camera] < kept[camera]] == ["a"]
    for number in range(per_camera):
        hub.publish(AccessUnit(CameraId("e"), number, number / FPS, number % 100 == 0, bytes(size)))
    assert group(hub, "e") == (per_camera - 1) % 100 + 1, "short groups stay"
