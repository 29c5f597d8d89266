"""The WebSocket of a page: what comes over it, and how it ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator

import cv2
import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from services.common.wire import parse_time
from services.core.sentences.sentence import sentence
from services.core.types import CameraId, CameraState, CameraStatus, TrackedFrame, TrackedObject
from services.web.settings import WebSettings
from tests.live_socket import (
    clip,
    live_socket,
    message_of,
    picture_of,
    playing,
    served_live,
    server_of,
    wanted,
)
from tests.makers import GATE, camera
from tests.tables import Tables
from tests.web_app import Web, web_over

SETTINGS = WebSettings()


@pytest.fixture
async def web(tables: Tables) -> AsyncIterator[Web]:
    for name in ("gate", "yard"):
        await tables.setups.add_camera(camera(name))
    async with web_over(tables, SETTINGS) as web:
        await web.app.state.context.mirror.refresh()
        yield web


async def test_a_page_sees_pictures_of_the_size_and_at_the_rate_that_it_wants(web: Web) -> None:
    async with served_live(web, SETTINGS) as port, live_socket(port) as socket:
        with playing(web, GATE, units=clip()):
            await socket.send(wanted(width=320, fps=4))
            await picture_of(socket)
            begun_s, number = time.monotonic(), 0
            while time.monotonic() - begun_s < 2:
                head, jpeg = await picture_of(socket)
                number += 1
        assert list(head) == ["camera", "time", "width", "height"]
        assert (head["camera"], head["width"], head["height"]) == ("gate", 320, 176)
        assert abs(time.time() - parse_time(head["time"])) < 10
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture.shape == (176, 320, 3)
        assert number <= 9
    async with asyncio.timeout(5):
        while web.app.state.context.live.watched or web.app.state.context.sockets.taken:
            await asyncio.sleep(0.02)


async def test_each_message_replaces_what_was_asked_for_and_nothing_asked_decodes_nothing(web: Web) -> None:
    context = web.app.state.context
    async with served_live(web, SETTINGS) as port, live_socket(port) as socket:
        with playing(web, GATE, CameraId("yard"), units=clip()):
            await socket.send(wanted("gate", fps=10))
            assert (await picture_of(socket))[0]["width"] == 640, "as wide as the camera's own"
            decoder = context.live._decoders._threads[GATE]
            await socket.send(wanted("gate", fps=10, width=64))
            while (await picture_of(socket))[0]["width"] != 64:
                pass
            assert context.live._decoders._threads[GATE] is decoder, "another size is no new decoder"
            await socket.send(wanted("yard", fps=10))
            while (await picture_of(socket))[0]["camera"] != "yard":
                pass
            assert context.live.watched == 1
            await socket.send('{"cameras":[]}')
            async with asyncio.timeout(5):
                while context.live._decoders.cameras:
                    await asyncio.sleep(0.02)
            await message_of(socket, "alive")


async def test_tracks_come_as_their_event_has_them(web: Web) -> None:
    async with served_live(web, SETTINGS) as port, live_socket(port) as socket:
        await socket.send(wanted(pictures=False, tracks=True))
        frame = TrackedFrame(GATE, 3, 1_700_000_000.25, (TrackedObject(7, (0, 0, 1, 1), "car", 0.9),))
        await asyncio.sleep(0.3)
        web.bus.tracks.publish(frame)
        assert await message_of(socket, "tracks") == {
            "type": "tracks",
            "camera": "gate",
            "frame": 3,
            "time": "2023-11-14T22:13:20.250Z",
            "tracks": [{"id": 7, "class": "car", "confidence": 0.9, "box": [0, 0, 1, 1], "mask": None}],
        }


async def test_what_is_no_camera_is_never_asked_of_the_bus(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """`*` and `>` are patterns of NATS, and what its permissions refuse would make the service unready."""
    followed: list[str] = []
    follow = web.bus.tracks.follow
    monkeypatch.setattr(web.bus.tracks, "follow", lambda name: followed.append(name) or follow(name))
    names = ["*", ">", "a.b", "a b", "x\r\nPUB sightline.setups.changed 0\r\n", "\U0001f600", "Gate", "gate"]
    asked = [{"camera": name, "pictures": False, "tracks": True} for name in names]
    async with served_live(web, SETTINGS) as port, live_socket(port) as socket:
        await socket.send(json.dumps({"cameras": asked}))
        await asyncio.sleep(0.3)
        web.bus.tracks.publish(TrackedFrame(GATE, 3, 1_700_000_000.25, ()))
        assert (await message_of(socket, "tracks"))["camera"] == "gate"
    assert followed == ["gate"]


async def test_the_cameras_come_at_the_start_and_when_something_of_them_changes(web: Web) -> None:
    async with (
        served_live(web, SETTINGS) as port,
        live_socket(port) as socket,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=20) as client,
    ):
        first = await message_of(socket, "cameras")
        assert first == {"type": "cameras", **(await client.get("/cameras")).json()}
        web.bus.states.publish_state(GATE, CameraState(CameraStatus.LIVE, 1_700_000_000.0))
        changed = await message_of(socket, "cameras")
        assert [item["status"] for item in changed["items"]] == ["live", "connecting"]
        await client.delete("/cameras/yard")
        gone = await message_of(socket, "cameras")
        assert [item["id"] for item in gone["items"]] == ["gate"]


async def test_a_camera_without_a_picture_says_why_until_it_has_one(web: Web) -> None:
    states = web.bus.states
    refused = sentence("stream-broken", reason="rtsp://anna:s3cret@gate/ refuses")
    states.publish_state(GATE, CameraState(CameraStatus.DEGRADED).with_error(refused))
    async with served_live(web, SETTINGS) as port, live_socket(port) as socket:
        await socket.send(wanted())
        why = await message_of(socket, "missing")
        assert (why["camera"], why["code"]) == ("gate", "camera-no-picture-because")
        assert why["params"] == {
            "camera": "gate",
            "reason": why["text"].partition("now: ")[2],
            "reason_code": "stream-broken",
            "reason_reason": "rtsp://anna:***@gate/ refuses",
        }
        assert "refuses" in why["text"]
        assert "s3cret" not in json.dumps(why)
        with playing(web, GATE, units=clip()):
            await picture_of(socket)
            await web.client.patch("/api/v1/cameras/gate", json={"enabled": False})
            off = await message_of(socket, "missing")
            assert (off["code"], off["params"]) == ("camera-off", {"camera": "gate"})
            assert web.app.state.context.live.watched == 0
            await web.client.delete("/api/v1/cameras/gate")
            assert (await message_of(socket, "missing"))["code"] == "camera-missing"


async def test_a_camera_for_which_there_is_no_memory_says_so_and_the_others_go_on(tables: Tables) -> None:
    settings = WebSettings(live_memory_mb=32)
    for name in ("gate", "hall", "yard"):
        await tables.setups.add_camera(camera(name))
    async with web_over(tables, settings) as web, served_live(web, settings) as port:
        await web.app.state.context.mirror.refresh()
        async with live_socket(port) as socket:
            asked = [{"camera": name, "overlay": True} for name in ("gate", "hall", "yard")]
            await socket.send(json.dumps({"cameras": asked}))
            why = await message_of(socket, "missing", lambda message: "memory" in message["text"])
            assert why["camera"] == "yard"
            assert "live_memory_mb" in why["text"]
            assert why["params"]["reason_code"] == "pictures-too-many"
            with playing(web, GATE, units=clip()):
                assert (await picture_of(socket))[0]["camera"] == "gate"


@pytest.mark.parametrize(
    "message",
    [
        "no JSON",
        "[" * 10_000,
        '{"cameras":[{"camera":"gate","width":10}]}',
        '{"cameras":[{"camera":"gate","fps":NaN}]}',
        '{"cameras":[{"camera":"gate"},{"camera":"gate"}]}',
        json.dumps({"cameras": [{"camera": f"gate-{number}"} for number in range(17)]}),
        b"bytes",
    ],
)
async def test_a_message_that_cannot_be_read_ends_the_connection(web: Web, message: str | bytes) -> None:
    async with served_live(web, SETTINGS) as port, live_socket(port) as socket:
        await socket.send(message)
        with pytest.raises(ConnectionClosed):
            await message_of(socket, "never")
        assert (socket.close_code, bool(socket.close_reason)) == (4400, True)


@pytest.mark.parametrize(("message", "code"), [("x" * 16_385, 1009), (None, 1008)])
async def test_what_a_client_sends_is_bounded(web: Web, message: str | None, code: int) -> None:
    async with served_live(web, SETTINGS) as port, live_socket(port) as socket:
        if message is not None:
            await socket.send(message)
        else:
            socket.transport.write((b"\x89\x80" + bytes(4)) * 2000)  # pings
        with pytest.raises(ConnectionClosed):
            await message_of(socket, "never")
        assert socket.close_code == code


@pytest.mark.parametrize("way", ["flood", "abort", "bad"])
async def test_however_a_client_ends_it_is_no_error_of_the_service(
    web: Web, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    """All senders of a connection find out at once that it is over."""
    asked = [{"camera": name, "fps": 10, "tracks": True} for name in ("gate", "yard")]
    frame = TrackedFrame(GATE, 3, 1_700_000_000.25, ())
    async with served_live(web, SETTINGS) as port:
        with playing(web, GATE, CameraId("yard"), units=clip()):
            for _ in range(4):
                async with live_socket(port) as socket:
                    await socket.send(json.dumps({"cameras": asked}))
                    await picture_of(socket)
                    if way == "flood":
                        for _ in range(150):
                            await socket.ping()
                    elif way == "bad":
                        await socket.send("{")
                    else:
                        socket.transport.abort()
                    for _ in range(50):
                        web.bus.tracks.publish(frame)
                        await asyncio.sleep(0.002)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_the_server_ends_its_connections_at_once_when_it_stops(web: Web) -> None:
    async with served_live(web, SETTINGS) as port:
        with playing(web, GATE, units=clip()):
            sockets = [await live_socket(port) for _ in range(3)]
            for socket in sockets:
                await socket.send(wanted(fps=12))
                await picture_of(socket)
            server_of(web).stop()
            begun_s = time.monotonic()
            for socket in sockets:
                with pytest.raises(ConnectionClosed):
                    await message_of(socket, "never")
                assert socket.close_code == 1001
            assert time.monotonic() - begun_s < 5
