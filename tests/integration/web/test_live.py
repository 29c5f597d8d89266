"""Live tracks and pictures on a real port."""

import asyncio
import email.utils
import json
import time
from fractions import Fraction

import av
import cv2
import httpx
import numpy as np
import pytest

from services.core.types import AccessUnit, CameraId, TrackedFrame, TrackedObject
from tests.web_app import Web, served

GATE = CameraId("gate")
SIZE = (320, 192)
CAMERA = "/api/v1/cameras/gate"


def _units(number: int) -> list[AccessUnit]:
    """Grey pictures, each a step brighter than the one before."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = SIZE
    codec.pix_fmt, codec.time_base = "yuv420p", Fraction(1, 10)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "g": "50"}
    units, now_s = [], time.time()
    for n in range(number):
        picture = np.full((SIZE[1], SIZE[0], 3), 60 + 6 * n, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = n
        for packet in codec.encode(frame):
            units.append(
                AccessUnit(GATE, n, now_s - (number - 1 - n) * 0.1, packet.is_keyframe, bytes(packet))
            )
    return units


def _tracks(unit: AccessUnit) -> TrackedFrame:
    item = TrackedObject(7, (0.25, 0.25, 0.75, 0.75), "car", 0.9)
    return TrackedFrame(GATE, unit.frame, unit.time_s, (item,))


async def _add_camera(web: Web) -> None:
    made = await web.client.post("/api/v1/cameras", json={"id": "gate", "url": "demo://traffic"})
    assert made.status_code == 201


def _level(jpeg: bytes) -> tuple[int, int]:
    """The grey of the middle, and how coloured the picture is."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)
    colored = int((picture.max(axis=2) - picture.min(axis=2) > 60).sum())
    return int(picture[SIZE[1] // 2, SIZE[0] // 2].mean()), colored


async def test_a_snapshot_is_the_newest_picture(web: Web) -> None:
    await _add_camera(web)
    for unit in _units(20):
        web.video.publish(unit)
    answer = await web.client.get(f"{CAMERA}/snapshot.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert int(answer.headers["age"]) <= 5
    taken = email.utils.parsedate_to_datetime(answer.headers["last-modified"])
    assert abs(taken.timestamp() - time.time()) <= 5, "it says when it was taken"
    level, colored = _level(answer.content)
    assert abs(level - (60 + 6 * 19)) <= 9, "at most one picture before the newest"
    assert colored == 0
    await asyncio.sleep(0)
    assert web.app.state.context.live.watched == 0


async def test_without_a_picture_a_snapshot_says_so(web: Web) -> None:
    await _add_camera(web)
    answer = await web.client.get(f"{CAMERA}/snapshot.jpg")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await web.client.get("/api/v1/cameras/none/snapshot.jpg")).status_code == 404


async def test_an_overlay_is_drawn_on_the_picture_of_its_frame(web: Web) -> None:
    await _add_camera(web)
    units = _units(20)
    for unit in units:
        web.video.publish(unit)
    asking = asyncio.create_task(web.client.get(f"{CAMERA}/snapshot.jpg?overlay=1"))
    await asyncio.sleep(0.4)
    web.bus.tracks.publish(_tracks(units[5]))
    level, colored = _level((await asking).content)
    assert abs(level - (60 + 6 * 5)) <= 3
    assert colored > 200


async def test_mjpeg_goes_on_until_the_camera_is_removed(web: Web) -> None:
    await _add_camera(web)
    async with served(web.app) as address, httpx.AsyncClient(timeout=20) as client:
        async with client.stream("GET", f"{address}{CAMERA}/stream.mjpeg?overlay=1") as answer:
            assert answer.headers["content-type"] == "multipart/x-mixed-replace; boundary=mjpegstream"
            data, pictures = b"", 0
            publishing = asyncio.create_task(_publish(web))
            async for chunk in answer.aiter_bytes():
                data += chunk
                pictures = data.count(b"--mjpegstream\r\n")
                if pictures == 5:
                    publishing.cancel()
                    await web.client.delete(CAMERA)
        assert pictures >= 5
        assert data.endswith(b"--mjpegstream--\r\n")
        head = data.partition(b"\r\n\r\n")[0]
        assert b"Content-Type: image/jpeg\r\nContent-Length: " in head
    assert web.app.state.context.live.watched == 0


@pytest.mark.parametrize("is_off", [False, True])
async def test_mjpeg_says_why_there_is_no_picture_and_stays(
    web: Web, is_off: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.common.live.continuous.CHECK_S", 0.1)
    await _add_camera(web)
    if is_off:
        await web.client.patch(CAMERA, json={"enabled": False})
    pictures = []
    async with (
        served(web.app) as address,
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{address}{CAMERA}/stream.mjpeg") as answer,
    ):
        async for part in answer.aiter_bytes():
            pictures.append(part)
            if b"".join(pictures).count(b"--mjpegstream\r\n") == 3:
                break
    jpeg = b"".join(pictures).split(b"\r\n\r\n", 1)[1].split(b"\r\n--mjpegstream")[0]
    shown = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (360, 640, 3)
    assert 0.005 < (shown.max(axis=2) > 150).mean() < 0.3, "words on a dark ground"


async def _publish(web: Web) -> None:
    for unit in _units(30):
        web.video.publish(unit)
        web.bus.tracks.publish(_tracks(unit))
        await asyncio.sleep(0.1)


async def test_tracks_come_as_events_until_the_camera_is_removed(web: Web) -> None:
    await _add_camera(web)
    events = []
    async with (
        served(web.app) as address,
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{address}{CAMERA}/tracks") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for row in answer.aiter_lines():
            if row.startswith(": tracks"):
                await asyncio.sleep(0.1)
                web.bus.tracks.publish(_tracks(_units(1)[0]))
            if row.startswith("data: "):
                events.append(json.loads(row[6:]))
                await web.client.delete(CAMERA)
    assert events[0]["camera"] == "gate"
    assert events[0]["tracks"] == [
        {"id": 7, "class": "car", "confidence": 0.9, "box": [0.25, 0.25, 0.75, 0.75], "mask": None}
    ]
