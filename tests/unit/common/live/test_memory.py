"""Live pictures: one decoder and one memory a camera, and one bound of bytes for all of them."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from services.common.bus.local import LocalBus
from services.common.live import pictures
from services.common.live.decoding import Decoders
from services.common.live.matching import LivePicture, MatchedPictures
from services.common.live.memory import KEPT_BYTES, LEAST_KEPT, PictureMemories
from services.common.live.pictures import Form, LivePictures, LiveStream, render
from services.common.video.decoder import DecodedPicture
from services.common.video.hub import VideoHub, VideoReader
from services.core.errors import StreamError
from services.core.types import AccessUnit, CameraId

ROOT = Path(__file__).resolve().parents[4]
GATE = CameraId("gate")
HD_BYTES = 1920 * 1080 * 3 // 2


def _picture(number: int, size: tuple[int, int] = (1920, 1080), period_s: float = 0.04) -> DecodedPicture:
    unit = AccessUnit(GATE, number, 1_700_000_000 + number * period_s, True, b"")
    return DecodedPicture(unit, av.VideoFrame(*size, "yuv420p"))


def test_four_hd_cameras_in_three_forms_fit_well_into_a_pod_of_a_gigabyte() -> None:
    command = [sys.executable, "-m", "tests.fixtures.live_watching"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(result.stdout)
    assert len(found["seen"]) == 12, "each of four cameras was seen in three forms"
    assert found["threads"] == 4
    assert 100e6 < found["held"] <= 256e6
    assert found["added_mb"] < 500
    assert found["left"] == [0, 0]


def test_past_the_bound_the_oldest_pictures_of_all_cameras_give_way() -> None:
    memories = PictureMemories(100)
    first, second = memories.open(), memories.open()
    for number in range(60):
        for memory in (first, second) if number >= 20 else (first,):
            memory.put(_picture(number))
            assert memories.kept_bytes <= memories.limit_bytes
    kept = [len(memory.pictures) for memory in (first, second)]
    assert sum(kept) == 100_000_000 // HD_BYTES
    assert abs(kept[0] - kept[1]) <= 1
    assert first.newest() is not None
    assert first.find(59, 1_700_000_000 + 59 * 0.04) is not None
    assert first.find(20, 1_700_000_000 + 20 * 0.04) is None


def test_one_camera_keeps_two_seconds_and_never_more_than_its_share() -> None:
    memories = PictureMemories(1000)
    slow, quick = memories.open(), memories.open()
    for number in range(30):
        slow.put(_picture(number, (320, 180), 0.2))
    assert len(slow.pictures) == 11
    for number in range(60):
        quick.put(_picture(number, period_s=0.01))
    assert quick.kept_bytes <= KEPT_BYTES


def test_cameras_whose_newest_picture_is_all_that_is_wanted_need_little() -> None:
    memories = PictureMemories(256)
    shown = [memories.open(wants_past=False) for _ in range(16)]
    for number in range(20):
        for memory in shown:
            memory.put(_picture(number))
    assert [len(memory.pictures) for memory in shown] == [2] * 16
    with pytest.raises(StreamError, match="watch fewer at once"):
        for memory in shown:
            memory.want_past()
    matched = shown[0]
    for number in range(20, 40):
        matched.put(_picture(number))
    assert (shown[-1].past_watchers, len(matched.pictures) >= LEAST_KEPT) == (0, True)


def test_a_further_camera_is_refused_where_the_others_need_what_there_is() -> None:
    memories = PictureMemories(3 * LEAST_KEPT * HD_BYTES / 1e6)
    watched = [memories.open() for _ in range(3)]
    for number in range(40):
        for memory in watched:
            memory.put(_picture(number))
    assert [len(memory.pictures) for memory in watched] == [LEAST_KEPT] * 3
    with pytest.raises(StreamError, match=r"the 3 cameras .* need the memory .*live_memory_mb"):
        memories.open()
    watched[0].close()
    memories.open()


def test_a_camera_whose_pictures_turn_out_too_large_is_refused_and_disturbs_no_other() -> None:
    memories = PictureMemories(64)
    small, large = memories.open(), memories.open()
    for number in range(20):
        small.put(_picture(number, (640, 360)))
    with pytest.raises(StreamError):
        large.put(_picture(0, (12_288, 6912)))
    large.close()
    assert len(small.pictures) == 20
    alone = PictureMemories(64).open()
    with pytest.raises(StreamError, match="too large"):
        alone.put(_picture(0, (12_288, 6912)))


def _units(number: int, size: tuple[int, int] = (320, 192)) -> list[AccessUnit]:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = *size, "yuv420p", Fraction(1, 10)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "5"}
    units, now_s = [], time.time()
    for n in range(number):
        frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 60, np.uint8), format="bgr24")
        frame.pts = n
        units += [
            AccessUnit(GATE, n, now_s + n * 0.1, packet.is_keyframe, bytes(packet))
            for packet in codec.encode(frame)
        ]
    return units


async def first_of(stream: LiveStream) -> bytes:
    async with asyncio.timeout(10):
        await stream.wait()
        return (await stream.take()).data


async def test_all_forms_and_all_ports_share_one_reader_of_the_camera() -> None:
    bus, video = LocalBus(), VideoHub()
    for unit in _units(5):
        video.publish(unit)
    decoders = Decoders(video)
    ports = [LivePictures(bus.tracks, decoders, lambda camera: ()) for _ in range(2)]
    forms: tuple[Form, ...] = ("plain", "boxes", "boxes and lines")
    streams = [live.open(GATE, form) for live in ports for form in forms]
    for stream in streams:
        assert (await first_of(stream)).startswith(b"\xff\xd8")
    assert (decoders.cameras, len(video._readers[GATE])) == (1, 1)
    for stream in streams:
        stream.close()
        stream.close()
    assert (decoders.cameras, decoders.memories.kept_bytes, ports[0].watched) == (0, 0, 0)


async def test_a_viewer_of_pictures_that_are_too_large_is_told_why_and_the_next_try_is_a_new_one() -> None:
    bus, video = LocalBus(), VideoHub()
    decoders = Decoders(video, limit_mb=32)
    live = LivePictures(bus.tracks, decoders, lambda camera: ())
    for unit in _units(1, (4096, 3072)):
        video.publish(unit)
    for _ in range(2):
        with pytest.raises(StreamError, match=r"too large .*32 MB"):
            await live.snapshot(GATE, "plain", 10)
    for unit in _units(3):
        video.publish(unit)
    assert await live.snapshot(GATE, "plain", 10)
    assert decoders.cameras == 0


class _BrokenVideo:
    """Fails for the first reader, as no source should."""

    def __init__(self, video: VideoHub) -> None:
        self._video, self.readers = video, 0

    def reader(self, camera: CameraId) -> AbstractContextManager[VideoReader]:
        self.readers += 1
        if self.readers == 1:
            raise RuntimeError("broken")
        return self._video.reader(camera)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_nobody_waits_for_a_decoder_that_has_failed() -> None:
    bus, video = LocalBus(), VideoHub()
    for unit in _units(3):
        video.publish(unit)
    live = LivePictures(bus.tracks, Decoders(_BrokenVideo(video)), lambda camera: ())
    with pytest.raises(StreamError, match="a fault in Sightline"):
        await live.snapshot(GATE, "plain", 10)
    assert await live.snapshot(GATE, "plain", 10)


@pytest.mark.parametrize("form", ["plain", "boxes"])
async def test_a_fault_in_one_picture_hangs_nobody_who_looks_now_or_later(
    form: Form, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bus, video = LocalBus(), VideoHub()
    for unit in _units(5):
        video.publish(unit)
    live = LivePictures(bus.tracks, Decoders(video), lambda camera: ())
    failures = iter([True])

    def render_once_broken(picture: LivePicture, quality: int) -> bytes:
        if next(failures, False):
            raise ValueError("nobody foresaw this")
        return render(picture, quality)

    monkeypatch.setattr(pictures, "render", render_once_broken)
    watching = [live.open(GATE, form) for _ in range(2)]
    for stream in watching:
        with pytest.raises(StreamError, match="a fault in Sightline"):
            await first_of(stream)
    assert "live pictures of camera gate failed" in caplog.text
    later = live.open(GATE, form)
    assert (await first_of(later)).startswith(b"\xff\xd8")
    for stream in (*watching, later):
        stream.close()
    assert live.watched == 0


async def test_nobody_waits_for_pictures_that_have_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(source: MatchedPictures) -> AsyncGenerator[LivePicture, None]:
        for picture in ():
            yield picture

    monkeypatch.setattr(MatchedPictures, "plain", nothing)
    live = LivePictures(LocalBus().tracks, Decoders(VideoHub()), lambda camera: ())
    with pytest.raises(StreamError, match="ended"):
        await asyncio.wait_for(live.snapshot(GATE, "plain", 10), 5)


def test_an_emptier_memory_asks_once_for_a_decoder_that_holds_less() -> None:
    memory = PictureMemories(256).open()
    for number in range(20):
        memory.put(_picture(number))
        assert not memory.take_shrunk()
    memory.put(_picture(200))
    assert [memory.take_shrunk(), memory.take_shrunk()] == [True, False]
