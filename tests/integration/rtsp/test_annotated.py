"""The annotated pictures with real RTSP clients: boxes on their objects, encoded once, only while watched."""

import asyncio
import subprocess
import sys
import time
from contextlib import suppress

import av
import numpy as np
import pytest

from services.core.errors import BadInputError
from services.core.types import CameraSetup
from services.rtsp.service import RtspService
from tests.makers import camera, line
from tests.processes import REPOSITORY
from tests.rtsp_annotating import annotating
from tests.rtsp_clients import PaintedCamera, Picture, take, watching

pytestmark = pytest.mark.rtsp

WATCH = "import sys; from tests.rtsp_clients import *\nwith watching(*sys.argv[1:]) as f: take(f, 10000)"
BLUE, RED = 0, 2
"""Places of colours in a pixel: boxes of cars are blue, the line is orange."""


def url(service: RtspService, path: str = "/gate") -> str:
    return f"rtsp://127.0.0.1:{service.port}{path}"


def look(address: str, transport: str = "tcp", count: int = 12) -> list[Picture]:
    with watching(address, transport) as frames:
        return take(frames, count)


async def until(condition, what: str, timeout_s: float = 5) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.05)


def is_tinted(picture: Picture, x: float, y: float, color: int) -> bool:
    """Whether a grey picture has a colour within two pixels of a place."""
    height, width = picture.shape[:2]
    row, column = round(y * height), round(x * width)
    near = picture[row - 2 : row + 3, column - 2 : column + 3].reshape(-1, 3).astype(int)
    return bool((near[:, color] - near[:, RED + BLUE - color] > 40).any())


def has_box(picture: Picture) -> bool:
    """Whether the box is on all sides of the block, and not within it."""
    sides = (0.25, 0.4), (0.5, 0.4), (0.4, 0.5)
    return all(is_tinted(picture, x, y, BLUE) for x, y in sides) and not is_tinted(picture, 0.4, 0.4, BLUE)


def has_line(picture: Picture) -> bool:
    return is_tinted(picture, 0.2, 0.7, RED)


@pytest.mark.parametrize("size", [(640, 360), (426, 242)])
async def test_box_and_line_are_on_their_places(hub, size: tuple[int, int]):
    source = PaintedCamera(hub, size=size)
    try:
        async with annotating(hub, source) as (service, _):
            pictures = await asyncio.to_thread(look, url(service))
    finally:
        source.stop()
    for picture in pictures[-5:]:
        assert picture.shape == (size[1], size[0], 3)
        assert has_box(picture)
        assert has_line(picture)
        assert np.abs(picture[size[1] // 3, size[0] // 3].astype(int) - 235).max() < 15


async def test_tcp_and_udp_at_once_are_encoded_once_and_nobody_costs_nothing(hub, gate):
    async with annotating(hub, gate) as (service, _):
        await asyncio.sleep(0.3)
        assert service.encoded == service.encoders == 0
        looks = (("/gate", "tcp"), ("/", "udp"), ("/gate?a=b", "udp"))
        begin_s = time.monotonic()
        watched = asyncio.gather(*(asyncio.to_thread(look, url(service, p), t, 20) for p, t in looks))
        await until(lambda: service.watchers == 3, "all watch")
        assert service.encoders == 1
        for pictures in await watched:
            assert has_box(pictures[-1])
        assert service.encoded <= (time.monotonic() - begin_s) * 10 + 3
        await until(lambda: service.encoders == service.watchers == 0, "nobody watches")
        encoded = service.encoded
        await asyncio.sleep(0.4)
        assert service.encoded == encoded


async def test_who_comes_later_gets_a_key_frame_at_once(hub, gate, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.rtsp.feed.KEYFRAME_S", 1000.0)
    async with annotating(hub, gate) as (service, _):
        first = asyncio.create_task(asyncio.to_thread(look, url(service), "tcp", 30))
        await until(lambda: service.encoded > 5, "the first watches")
        begin_s = time.monotonic()
        assert has_box((await asyncio.to_thread(look, url(service), "tcp", 3))[-1])
        assert time.monotonic() - begin_s < 2
        await first


async def test_key_frames_come_by_time(hub, gate, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.rtsp.feed.KEYFRAME_S", 0.7)

    def key_times(address: str) -> list[float]:
        with av.open(address, options={"rtsp_transport": "tcp"}, timeout=(8, 4)) as container:
            times = []
            for packet in container.demux(video=0):
                if packet.is_keyframe and packet.pts is not None:
                    times.append(float(packet.pts * packet.time_base))
                if len(times) == 3:
                    return times
        return []

    async with annotating(hub, gate) as (service, _):
        times = await asyncio.to_thread(key_times, url(service))
    assert times[2] - times[1] == pytest.approx(0.75, abs=0.2)


async def test_without_tracks_the_lines_are_shown(hub, gate):
    async with annotating(hub) as (service, _):
        picture = (await asyncio.to_thread(look, url(service)))[-1]
        assert has_line(picture)
        assert not has_box(picture)


async def test_clients_end_when_the_size_changes_and_when_the_camera_is_gone(hub, gate):
    def follow(address: str) -> None:
        with suppress(StopIteration, av.error.FFmpegError), watching(address) as frames:
            while True:
                next(frames)

    other = None
    try:
        async with annotating(hub, gate) as (service, bus):
            following = asyncio.create_task(asyncio.to_thread(follow, url(service)))
            await until(lambda: service.encoded > 3, "it watches")
            await asyncio.to_thread(gate.stop)
            other = PaintedCamera(hub, size=(320, 180), connection=2)
            async with asyncio.timeout(15):
                await following
            pictures = await asyncio.to_thread(look, url(service), "tcp", 3)
            assert pictures[-1].shape == (180, 320, 3)
            await until(lambda: service.encoders == service.watchers == 0, "the one before has ended")
            following = asyncio.create_task(asyncio.to_thread(follow, url(service)))
            await until(lambda: service.watchers, "it watches")
            bus.setups.publish((CameraSetup(camera("other"), (line(),)),))
            async with asyncio.timeout(15):
                await following
            with pytest.raises(av.error.HTTPNotFoundError):
                await asyncio.to_thread(look, url(service))
    finally:
        if other is not None:
            other.stop()


async def test_a_killed_client_frees_the_encoder(hub, gate):
    async with annotating(hub, gate) as (service, _):
        client = subprocess.Popen([sys.executable, "-c", WATCH, url(service)], cwd=REPOSITORY)
        try:
            await until(lambda: service.watchers, "it watches", 10)
            assert service.encoders == 1
        finally:
            client.kill()
            client.wait()
        await until(lambda: service.encoders == service.watchers == 0, "nothing runs for the dead", 3)


async def test_a_client_sees_that_the_camera_is_gone_and_goes_on_when_it_is_back(
    hub, gate, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.rtsp.feed.CHECK_S", 0.2)
    monkeypatch.setattr("services.common.live.continuous.PATIENCE_S", 0.6)
    seen: list[tuple[bool, tuple[int, ...], float | None]] = []

    def follow(address: str) -> None:
        with suppress(StopIteration, av.error.FFmpegError), watching(address) as frames:
            while True:
                frame = next(frames)
                picture = frame.to_ndarray(format="bgr24")
                seen.append((bool(picture[330, 20].mean() < 60), picture.shape, frame.time))

    def is_shown(gone: bool, count: int) -> bool:
        return [one for one, _, _ in seen[-count:]] == [gone] * count

    back = None
    try:
        async with annotating(hub, gate) as (service, bus):
            following = asyncio.create_task(asyncio.to_thread(follow, url(service)))
            await until(lambda: is_shown(False, 5), "it watches")
            await asyncio.to_thread(gate.stop)
            await until(lambda: is_shown(True, 3), "it sees that the camera is gone", 10)
            back = PaintedCamera(hub, connection=2)
            await until(lambda: is_shown(False, 3), "it sees the camera again", 10)
            bus.setups.publish(())
            async with asyncio.timeout(15):
                await following
    finally:
        if back is not None:
            back.stop()
    assert {shape for _, shape, _ in seen} == {(360, 640, 3)}
    times = [time_s for _, _, time_s in seen if time_s is not None]
    assert times == sorted(times), "the time of the stream goes on"


async def test_a_silent_camera_is_told_soon(hub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.rtsp.feed.NO_PICTURE_S", 0.5)
    async with annotating(hub) as (service, _):
        with pytest.raises(av.error.HTTPServerError):
            await asyncio.to_thread(look, url(service))


async def test_a_taken_port_is_said_in_one_line(hub, gate):
    async with annotating(hub, gate) as (service, bus):
        text = rf"^cannot listen on 127.0.0.1 port {service.port}: it is in use"
        with pytest.raises(BadInputError, match=text):
            await RtspService(bus.tracks, bus.setups, hub, "127.0.0.1", service.port or 0).run()
