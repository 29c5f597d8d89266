"""Readers of video that are slow, stand still or never read: nobody else waits, and memory is bounded."""

import asyncio
import signal
import statistics
import time
from itertools import pairwise

import pytest
from websockets.asyncio.client import ClientConnection, connect

from services.common.metrics import Figure
from services.common.video.hub import GROUP_SURE, READER_LIMIT, VideoHub
from services.common.video.remote import RemoteVideo
from services.common.video.wire import MESSAGE_LIMIT_BYTES, authorization, decode_unit
from services.core.types import AccessUnit
from services.ingest import video_server
from services.ingest.video_server import VideoServer
from tests.integration.cluster.video_processes import CAMERA, KEY, Camera, process, served, unit
from tests.processes import wait_until

SIZE = 20_000


def dial(port: int) -> connect:
    return connect(
        f"ws://127.0.0.1:{port}/{CAMERA}",
        additional_headers={"Authorization": authorization(KEY)},
        compression=None,
        proxy=None,
        max_size=MESSAGE_LIMIT_BYTES,
        max_queue=1,
    )


async def latencies_s(connection: ClientConnection, count: int) -> list[float]:
    found = []
    async for message in connection:
        found.append(time.time() - decode_unit(message).time_s)
        if len(found) == count:
            break
    return found


async def publish(hub: VideoHub, first: int, count: int, rate: float) -> None:
    for frame in range(first, first + count):
        hub.publish(unit(frame, size=SIZE))
        await asyncio.sleep(1 / rate)


async def test_one_that_does_not_read_delays_nobody_and_goes_on_at_a_key_frame():
    hub = VideoHub()
    server = VideoServer(hub, KEY)
    async with server.listening("127.0.0.1", 0) as port, dial(port) as slow, dial(port) as quick:
        await asyncio.to_thread(wait_until, lambda: server.readers == 2, 3, "both are there")
        reading = asyncio.create_task(latencies_s(quick, 400))
        await publish(hub, 0, 400, 400)
        late_s = await asyncio.wait_for(reading, 5)
        assert statistics.median(late_s) < 0.1
        assert server.dropped >= READER_LIMIT
        figures = {(figure.name, *figure.labels.values()): figure.value for figure in server.figures()}
        assert figures["sightline_video_dropped_total", CAMERA] == server.dropped
        assert figures["sightline_readers", "video"] == 2
        frames = [-1]
        while frames[-1] < 399:
            frames.append(decode_unit(await asyncio.wait_for(slow.recv(), 2)).frame)
        jumps = [b for a, b in pairwise(frames) if b != a + 1]
        assert jumps and all(frame % 25 == 0 for frame in jumps)


async def test_one_that_takes_nothing_for_too_long_is_cut_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(video_server, "SEND_TIMEOUT_S", 0.5)
    hub = VideoHub()
    server = VideoServer(hub, KEY)
    async with server.listening("127.0.0.1", 0) as port, dial(port) as slow:
        await asyncio.to_thread(wait_until, lambda: server.readers == 1, 3, "it is there")
        await publish(hub, 0, 200, 400)
        await asyncio.to_thread(wait_until, lambda: server.cut_off == 1, 3, "it is cut off")
        assert server.readers == 0
        stalled = Figure("sightline_readers_stalled_total", 1, {"port": "video"})
        assert stalled in server.figures()
        slow.transport.abort()


async def test_a_picture_that_is_too_large_is_left_out_and_counted():
    hub = VideoHub()
    server = VideoServer(hub, KEY)
    async with server.listening("127.0.0.1", 0) as port, dial(port) as reader:
        await asyncio.to_thread(wait_until, lambda: server.readers == 1, 3, "it is there")
        hub.publish(AccessUnit(CAMERA, 0, 0.0, True, bytes(MESSAGE_LIMIT_BYTES), 1))
        hub.publish(AccessUnit(CAMERA, 1, 0.0, True, bytes(MESSAGE_LIMIT_BYTES - 100), 1))
        assert decode_unit(await asyncio.wait_for(reader.recv(), 5)).frame == 1
        assert server.dropped == 1


def test_a_process_that_stands_still_comes_back_to_the_newest_pictures():
    with (
        served() as there,
        Camera(there.hub, size=SIZE),
        process("read", there.member.address, KEY) as reading,
        RemoteVideo(lambda camera: there.member).reader(CAMERA) as other,
    ):
        assert reading.stdout is not None
        reading.stdout.readline()
        reading.send_signal(signal.SIGSTOP)
        late_s = []
        end_s = time.monotonic() + 4
        while time.monotonic() < end_s:
            got = other.read(0.5)
            assert got is not None
            late_s.append(time.time() - got.time_s)
        assert statistics.median(late_s) < 0.1
        reading.send_signal(signal.SIGCONT)
        continued_s = time.monotonic()
        while float(reading.stdout.readline().split()[2]) > 0.3:
            assert time.monotonic() - continued_s < 2


def test_a_reader_that_is_slower_than_its_camera_keeps_within_its_bound():
    with served() as there, RemoteVideo(lambda camera: there.member).reader(CAMERA) as reader:
        wait_until(lambda: there.server.readers, 3, "it is there")
        for frame in range(1000):
            there.hub.publish(unit(frame, size=SIZE))
            time.sleep(0.001)
        wait_until(lambda: reader.dropped or there.server.dropped, 3, "it drops")
        held = []
        while (got := reader.read(0.3)) is not None:
            held.append(got.frame)
        assert len(held) <= 2 * (READER_LIMIT + GROUP_SURE)
        assert held[-1] == 999
