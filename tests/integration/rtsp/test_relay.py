"""The relay with real RTSP clients: the camera's own pictures, from a key frame on, and clean ends."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

import av
import numpy as np
import pytest

from services.common.bus.local import LocalBus
from services.core.codecs import Codec
from services.core.errors import BadInputError
from services.core.types import AccessUnit, CameraSetup
from services.ingest.relay import RelayServer
from tests.makers import GATE, camera
from tests.processes import REPOSITORY, wait_until
from tests.rtsp_clients import FPS, PaintedCamera, encode, painted, take, watching

pytestmark = pytest.mark.rtsp

WATCH = "import sys; from tests.rtsp_clients import *\nwith watching(*sys.argv[1:]) as f: take(f, 10000)"


def url(relay: RelayServer, path: str = "/gate") -> str:
    return f"rtsp://127.0.0.1:{relay.port}{path}"


def is_ended(frames) -> bool:
    """Whether a client's stream comes to its end soon."""
    end_s = time.monotonic() + 3
    with suppress(StopIteration, av.error.FFmpegError):
        while time.monotonic() < end_s:
            next(frames)
        return False
    return True


@pytest.mark.parametrize(
    ("path", "transport"),
    [("/gate", "tcp"), ("/gate", "udp"), ("", "tcp"), ("/", "udp"), ("/gate?a=b", "tcp")],
)
def test_a_client_sees_the_cameras_pictures(relay, gate, path: str, transport: str):
    wait_until(lambda: len(gate.sent) > 10, 5, "the camera sends")
    with watching(url(relay, path), transport) as frames:
        pictures = take(frames, 20)
        assert relay.watchers == relay.feeds == 1
    for picture in pictures:
        assert picture.shape == (360, 640, 3)
        assert np.abs(picture[135, 240].astype(int) - 235).max() < 15
        assert np.abs(picture[10, 10].astype(int) - 90).max() < 15
    wait_until(lambda: relay.feeds == relay.watchers == 0, 3, "nothing runs for nobody")


def test_nothing_is_encoded_anew_and_each_client_begins_with_the_newest_group(relay, hub):
    source = PaintedCamera(hub, key_every=200)
    try:
        wait_until(lambda: len(source.sent) > 50, 5, "the group is old")
        for _ in range(2):
            begin_s, first = time.monotonic(), len(source.sent)
            options = {"rtsp_transport": "tcp", "analyzeduration": "200000", "probesize": "200000"}
            with av.open(url(relay), options=options, timeout=(5, 5)) as container:
                packets = container.demux(video=0)
                received = [bytes(next(packets)) for _ in range(first)]
            assert time.monotonic() - begin_s < 1.5, "the kept pictures come at once"
            got = [part for data in received for part in slices(data)]
            sent = [part for unit in source.sent for part in slices(unit.data)]
            assert len(got) >= first
            assert got == sent[: len(got)]
    finally:
        source.stop()


def slices(data: bytes) -> list[bytes]:
    """The coded slices of an access unit, without start codes."""
    units = data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
    return [unit.rstrip(b"\0") for unit in units if unit[0] & 0x1F in (1, 5)]


def test_clients_go_on_when_the_camera_connects_anew_with_the_same_stream(relay, gate, hub):
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with watching(url(relay)) as frames:
        take(frames, 10)
        gate.stop()
        again = PaintedCamera(hub, connection=2)
        try:
            pictures = take(frames, 40)
            assert pictures[-1].shape == (360, 640, 3)
            wait_until(lambda: len(again.sent) > 10, 5, "the camera is back")
            assert relay.feeds == 1
        finally:
            again.stop()


def test_clients_are_ended_when_the_size_changes_and_can_come_back(relay, gate, hub):
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with watching(url(relay)) as frames:
        take(frames, 10)
        gate.stop()
        other = PaintedCamera(hub, size=(320, 180), connection=2)
        try:
            assert is_ended(frames)
            with watching(url(relay)) as again:
                assert take(again, 3)[-1].shape == (180, 320, 3)
        finally:
            other.stop()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_h265_is_passed_on_and_another_codec_ends_the_clients(relay, hub, transport: str):
    with painted(hub, codec=Codec.HEVC) as first:
        wait_until(lambda: first.sent, 5, "the camera sends")
        with watching(url(relay), transport) as frames:
            pictures = take(frames, 20)
            first.stop()
            with painted(hub, connection=2):
                assert is_ended(frames)
                with watching(url(relay), transport) as again:
                    assert take(again, 3)[-1].shape == (360, 640, 3)
    for picture in pictures:
        assert picture.shape == (360, 640, 3)
        assert np.abs(picture[135, 240].astype(int) - 235).max() < 15


def test_a_client_that_comes_before_the_first_picture_of_h265_may_come_again(relay, hub):
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(lambda: watching(url(relay)).__enter__())
        wait_until(lambda: relay.feeds, 5, "it waits")
        with painted(hub, codec=Codec.HEVC):
            with pytest.raises(av.error.HTTPServerError):
                early.result(10)
            with watching(url(relay)) as frames:
                assert take(frames, 3)[-1].shape == (360, 640, 3)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_that_is_gone_ends_its_clients_and_is_not_found(relay, gate, transport: str):
    wait_until(lambda: gate.sent, 5, "the camera sends")
    with watching(url(relay), transport) as frames:
        take(frames, 5)
        relay.set_cameras([], None)
        assert is_ended(frames)
    for path in ("/gate", "/", "/other"):
        with pytest.raises(av.error.HTTPNotFoundError), watching(url(relay, path)):
            pass


def test_a_silent_camera_is_told_soon(relay, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.ingest.relay_feed.NO_PICTURE_S", 0.5)
    with pytest.raises(av.error.HTTPServerError), watching(url(relay)):
        pass
    wait_until(lambda: relay.feeds == 0, 3, "nothing runs")


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_killed_client_frees_its_pipeline(relay, gate, transport: str):
    client = subprocess.Popen([sys.executable, "-c", WATCH, url(relay), transport], cwd=REPOSITORY)
    try:
        wait_until(lambda: relay.watchers, 10, "it watches")
    finally:
        client.send_signal(signal.SIGKILL)
        client.wait()
    wait_until(lambda: relay.watchers == relay.feeds == 0, 3, "nothing runs for the dead")


def test_a_client_that_takes_nothing_delays_nobody(relay, gate):
    wait_until(lambda: gate.sent, 5, "the camera sends")
    client = subprocess.Popen([sys.executable, "-c", WATCH, url(relay), "tcp"], cwd=REPOSITORY)
    try:
        wait_until(lambda: relay.watchers, 10, "it watches")
        client.send_signal(signal.SIGSTOP)
        with watching(url(relay)) as frames:
            take(frames, 30)
            begin_s = time.monotonic()
            take(frames, 25)
            assert time.monotonic() - begin_s < 2
    finally:
        client.kill()
        client.wait()


def test_a_taken_port_is_said_in_one_line(relay, hub):
    with pytest.raises(BadInputError, match=rf"^cannot listen on 127.0.0.1 port {relay.port}: it is in use"):
        RelayServer(hub, "127.0.0.1", relay.port or 0).start()


async def test_what_this_process_owns_is_served_while_it_is_switched_on(hub, gate):
    bus, owned = LocalBus(), [GATE]
    off = camera("off")
    bus.setups.publish((CameraSetup(off), CameraSetup(camera("gate"))))
    relay = RelayServer(hub, "127.0.0.1", 0)
    running = asyncio.create_task(relay.run(bus.setups, lambda: owned))

    def status(path: str) -> str:
        try:
            with watching(url(relay, path)) as frames:
                take(frames, 1)
            return "plays"
        except av.error.FFmpegError as error:
            return type(error).__name__

    async def becomes(path: str, wanted: str) -> None:
        async with asyncio.timeout(5):
            while await asyncio.to_thread(status, path) != wanted:
                await asyncio.sleep(0.1)

    while relay.port is None:
        await asyncio.sleep(0.05)
    await becomes("/gate", "plays")
    await becomes("/", "HTTPNotFoundError")
    bus.setups.publish((CameraSetup(camera("gate")),))
    await becomes("/", "plays")
    owned.clear()
    await becomes("/gate", "HTTPNotFoundError")
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("relay-", "rtsp-"))]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_who_comes_between_rare_key_frames_sees_soon_what_is_now(hub, relay, transport: str):
    """Key frames 20 s apart: what was kept goes by in a moment, and all pictures of it come."""
    units = encode([np.full((64, 64, 3), 20 + number // 5, np.uint8) for number in range(1000)], 1000)
    begin_s, stopped = time.time() - 450 / FPS, threading.Event()

    def publish(number: int) -> None:
        data, is_key = units[number]
        hub.publish(AccessUnit(GATE, number, begin_s + number / FPS, is_key, data, 1))

    def go_on() -> None:
        for number in range(450, 1000):
            if stopped.wait(1 / FPS):
                return
            publish(number)

    for number in range(450):
        publish(number)
    live = threading.Thread(target=go_on)
    live.start()
    try:
        address = f"rtsp://127.0.0.1:{relay.port}/gate"
        with watching(address, transport) as frames:
            levels, times = zip(
                *((frame.to_ndarray(format="gray").mean(), frame.time) for frame in islice(frames, 455)),
                strict=True,
            )
    finally:
        stopped.set()
        live.join()
    assert relay.dropped == 0
    assert abs(levels[-1] - (20 + 454 // 5)) < 6
    assert times[440] - times[1] < 1, "a player is not behind for that"
