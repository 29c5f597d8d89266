"""Video of a camera that another process holds: whole, in order, and wherever the camera goes."""

import asyncio
import logging
import socket
import threading
import time
from contextlib import ExitStack
from itertools import pairwise

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from services.common.leases.protocol import Member
from services.common.video.hub import VideoHub
from services.common.video.remote import RemoteVideo
from services.core.errors import BadInputError
from services.core.types import AccessUnit
from services.ingest.video_server import VideoServer
from tests.integration.cluster.video_processes import (
    CAMERA,
    KEY,
    Camera,
    picture,
    process,
    read_until,
    served,
    unit,
)
from tests.processes import free_port, wait_until


def from_here(units: list[AccessUnit]) -> list[AccessUnit]:
    """Leave out what was kept for the beginning."""
    return [unit for unit in units if not unit.is_backlog]


def test_what_comes_is_what_was_captured_beginning_with_the_newest_group():
    with served() as there:
        sent = [unit(frame, size=30_000 if frame % 25 == 0 else 5000) for frame in range(100)]
        for each in sent[:60]:
            there.hub.publish(each)
        with RemoteVideo(lambda camera: there.member).reader(CAMERA) as reader:
            kept = read_until(reader, 59)
            for each in sent[60:]:
                there.hub.publish(each)
            live = read_until(reader, 99)
    assert [u.frame for u in kept] == list(range(50, 60))
    assert all(u.is_backlog for u in kept)
    assert live == sent[60:]
    assert [u.data for u in kept] == [u.data for u in sent[50:60]]


def test_a_camera_that_is_not_there_yet_is_waited_for():
    with served() as there, RemoteVideo(lambda camera: there.member).reader(CAMERA) as reader:
        wait_until(lambda: there.server.readers, 3, "connected")
        assert reader.read(0.2) is None
        there.hub.publish(unit(0))
        assert reader.read(1) is not None


def test_a_wrong_key_is_refused_and_never_shown(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with served() as there, Camera(there.hub):
        member = Member("m", "ingest", there.member.address, "s3cret-wrong")
        with RemoteVideo(lambda camera: member).reader(CAMERA) as reader:
            assert reader.read(1.0) is None
            member = there.member
            assert reader.read(1.0) is not None
    assert caplog.text.count("refuses the key") == 1
    assert "s3cret-wrong" not in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/gate", {}, 401),
        ("/gate", {"Authorization": KEY}, 401),
        ("/gate", {"Authorization": "Bearer wrong"}, 401),
        ("/gate", {"Authorization": "Bearer k\xe4y"}, 401),
        ("/gate", [("Authorization", f"Bearer {KEY}"), ("Authorization", "Bearer x")], 401),
        ("/", {"Authorization": f"Bearer {KEY}"}, 404),
        ("/Gate", {"Authorization": f"Bearer {KEY}"}, 404),
        ("/../gate", {"Authorization": f"Bearer {KEY}"}, 404),
    ],
)
async def test_requests_that_are_refused(path: str, headers, status: int):
    async with VideoServer(VideoHub(), KEY).listening("127.0.0.1", 0) as port:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{port}{path}", additional_headers=headers, proxy=None)
        assert refused.value.response.status_code == status


async def test_a_port_that_is_taken_is_said():
    async with VideoServer(VideoHub(), KEY).listening("127.0.0.1", 0) as port:
        with pytest.raises(BadInputError, match=f"127.0.0.1 port {port}"):
            async with VideoServer(VideoHub(), KEY).listening("127.0.0.1", port):
                pass


def test_a_server_needs_a_key():
    with pytest.raises(BadInputError):
        VideoServer(VideoHub(), "")


def test_a_reader_follows_its_camera_to_another_process():
    with served() as old, served() as new, Camera(new.hub, connection=2):
        holder = old.member
        with Camera(old.hub), RemoteVideo(lambda camera: holder).reader(CAMERA) as reader:
            read_until(reader, 10)
            moved_s = time.monotonic()
            holder = new.member
            while (got := reader.read(1)) is not None and got.connection == 1:
                pass
            assert got is not None and got.is_keyframe
            took_s = time.monotonic() - moved_s
        assert took_s < 1
        print(f"followed in {took_s:.2f} s")


def test_nobody_known_to_hold_a_camera_is_no_reason_to_leave_who_sends_it():
    with served() as there, Camera(there.hub):
        holder: Member | None = there.member
        with RemoteVideo(lambda camera: holder).reader(CAMERA) as reader:
            first = read_until(reader, 10)[0].frame
            holder = None
            assert [u.frame for u in read_until(reader, 40)] == list(range(11, 41))
            assert first <= 10


def test_a_lost_connection_goes_on_with_the_next_picture():
    hub, port = VideoHub(), free_port()
    with Camera(hub), ExitStack() as first:
        there = first.enter_context(served(hub, port))
        with RemoteVideo(lambda camera: there.member).reader(CAMERA) as reader:
            frames = [u.frame for u in read_until(reader, 30)]
            first.close()
            with served(hub, port):
                frames += [u.frame for u in read_until(reader, 70)]
    assert all(b > a for a, b in pairwise(frames))
    assert all(b == a + 1 or b % 25 == 0 for a, b in pairwise(frames))


def test_a_killed_process_is_found_again_on_its_port_with_another_key():
    port = free_port()
    holder = Member("a", "ingest", f"ws://127.0.0.1:{port}", KEY)
    with RemoteVideo(lambda camera: holder).reader(CAMERA) as reader:
        with process("send", str(port), KEY, "1") as sending:
            assert read_until(reader, 5)[-1].data == picture(1, 5)
            sending.kill()
            sending.wait()
        while reader.read(0.2) is not None:
            pass
        with process("send", str(port), "new-key", "2"):
            back_s = time.monotonic()
            holder = Member("b", "ingest", holder.address, "new-key")
            got = reader.read(2)
            assert got is not None
            took_s = time.monotonic() - back_s
            assert (got.connection, got.is_keyframe) == (2, True)
            assert took_s < 1
            assert read_until(reader, 10)[-1].data == picture(2, 10)


def test_twenty_readers_of_one_camera_get_everything():
    with served() as there:
        remote = RemoteVideo(lambda camera: there.member)
        with ExitStack() as stack:
            readers = [stack.enter_context(remote.reader(CAMERA)) for _ in range(20)]
            wait_until(lambda: there.server.readers == 20, 5, "all are connected")
            with Camera(there.hub):
                for reader in readers:
                    assert [u.frame for u in read_until(reader, 40)] == list(range(41))
        wait_until(lambda: there.server.readers == 0, 3, "all have left")
        assert there.server.dropped == 0
    assert not [t.name for t in threading.enumerate() if t.name == f"video-{CAMERA}"]


@pytest.mark.parametrize("where", ["connected", "nobody", "silent", "refused"])
def test_a_reader_ends_at_once(where: str):
    with served() as there, socket.create_server(("127.0.0.1", 0)) as silent:
        holders = {
            "connected": there.member,
            "nobody": None,
            "silent": Member("m", "ingest", f"ws://127.0.0.1:{silent.getsockname()[1]}", KEY),
            "refused": Member("m", "ingest", f"ws://127.0.0.1:{free_port()}", KEY),
        }
        with Camera(there.hub):
            with RemoteVideo(lambda camera: holders[where]).reader(CAMERA):
                time.sleep(0.3)
                ended_s = time.monotonic()
            assert time.monotonic() - ended_s < 0.3
    assert not [t.name for t in threading.enumerate() if t.name == f"video-{CAMERA}"]


async def test_the_server_ends_in_time_while_it_sends():
    hub = VideoHub()
    async with VideoServer(hub, KEY).listening("127.0.0.1", 0) as port:
        member = Member("m", "ingest", f"ws://127.0.0.1:{port}", KEY)
        with Camera(hub), RemoteVideo(lambda camera: member).reader(CAMERA) as reader:
            assert await asyncio.to_thread(reader.read, 2) is not None
            await asyncio.sleep(0.1)
            ended_s = time.monotonic()
    assert time.monotonic() - ended_s < 1
