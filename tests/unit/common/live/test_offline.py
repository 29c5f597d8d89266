"""The picture in place of a camera that gives none: what it says, when it comes, and that it goes again."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from services.common.bus.local import LocalBus
from services.common.live import continuous
from services.common.live.absence import Absence, absence_of
from services.common.live.continuous import ContinuousPictures, is_offline
from services.common.live.decoding import Decoders
from services.common.live.drawing import Canvas
from services.common.live.matching import no_lines
from services.common.live.offline import COMMON_SIZE, draw_absence, plain_letters
from services.common.live.pictures import LivePictures
from services.common.video.hub import VideoHub
from services.common.video.key_frames import KEY_FRAME_AWAITED
from services.core.sentences.sentence import plain, sentence
from services.core.types import AccessUnit, Camera, CameraSetup, CameraState, CameraStatus
from tests.makers import GATE
from tests.rtsp_clients import encode

NOW_S = 1_790_000_000.0
GONE = Absence(GATE, "Gate", sentence("camera-timeout"), NOW_S - 60, False)
SETUP = CameraSetup(Camera(GATE, "Gate", "rtsp://user:s3cret@host/cam"))
DEGRADED = CameraState(CameraStatus.DEGRADED, NOW_S).with_error(sentence("camera-timeout"))


def inked(canvas: Canvas) -> int:
    """Pixels of text, within the frame."""
    inner = canvas[4:-4, 4:-4]
    return int((inner.max(axis=2) > 150).sum())


@pytest.mark.parametrize("size", [(640, 360), (1920, 1080), (160, 120), (360, 640), (2592, 400), (96, 64)])
def test_it_says_something_in_every_size_and_the_time_goes_on(size: tuple[int, int]) -> None:
    canvas = draw_absence(GONE, size, NOW_S)
    assert canvas.shape == (size[1], size[0], 3)
    assert 0.005 < inked(canvas) / (size[0] * size[1]) < 0.35
    edge = round(size[0] * 0.03)
    assert (canvas[10:-10, 6:edge] == canvas[10, 6]).all(), "no word is cut off at the side"
    if size[0] > 100:
        assert (canvas != draw_absence(GONE, size, NOW_S + 1)).any()


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (48, 32), (8192, 2)])
def test_a_size_in_which_nothing_can_be_read_is_no_fault(size: tuple[int, int]) -> None:
    assert draw_absence(GONE, size, NOW_S).shape == (size[1], size[0], 3)


def test_names_are_written_in_the_letters_of_the_font() -> None:
    assert plain_letters("Hofeinfahrt Süd – Straße") == "Hofeinfahrt Sud - Strasse"
    by_id = draw_absence(replace(GONE, name="gate"), (640, 360), NOW_S)
    assert (draw_absence(replace(GONE, name="東門カメラ"), (640, 360), NOW_S) == by_id).all()


def test_a_long_reason_gives_way_before_the_time_does() -> None:
    small, long = (200, 120), plain("the camera is away: " + "and there is much to be said of it " * 20)
    assert (
        draw_absence(replace(GONE, why=long), small, NOW_S)
        == draw_absence(replace(GONE, why=plain("the camera is away")), small, NOW_S)
    ).all()


OFF = CameraSetup(replace(SETUP.camera, enabled=False))
CONNECTING = CameraState(CameraStatus.CONNECTING, NOW_S)
SILENT = CameraState(CameraStatus.LIVE, NOW_S - 900)
SECRET = DEGRADED.with_error(plain("rtsp://user:s3cret@host/cam broke"))


@pytest.mark.parametrize(
    ("setup", "state", "obstacle", "code", "since_s", "is_live"),
    [
        (SETUP, DEGRADED, None, "camera-timeout", NOW_S, False),
        (SETUP, CONNECTING, None, "camera-connecting", NOW_S, False),
        (SETUP, None, None, "camera-connecting", 7.0, False),
        (OFF, SILENT, None, "switched-off", 7.0, False),
        (SETUP, SILENT, None, "camera-no-picture", 7.0, True),
        (SETUP, SILENT, KEY_FRAME_AWAITED, "key-frame-awaited", 7.0, False),
        (SETUP, SECRET, None, "other", NOW_S, False),
    ],
)
def test_why_and_since_when(
    setup: CameraSetup,
    state: CameraState | None,
    obstacle: object,
    code: str,
    since_s: float,
    is_live: bool,
) -> None:
    absence = absence_of(setup, state, obstacle, 7.0)  # type: ignore[arg-type]
    assert (absence.why.code, absence.since_s, absence.is_live) == (code, since_s, is_live)
    assert "s3cret" not in str(absence)


def test_a_short_silence_is_no_absence() -> None:
    live = replace(GONE, is_live=True)
    assert [is_offline(GONE, silent_s, True) for silent_s in (1.0, 2.0, 3.0)] == [False, False, True]
    assert [is_offline(GONE, silent_s, False) for silent_s in (0.5, 1.0)] == [False, True]
    assert [is_offline(live, silent_s, False) for silent_s in (1.0, 2.0, 3.0)] == [False, False, True]


async def jpeg_of(pictures: AsyncGenerator[bytes, None]) -> Canvas:
    async with asyncio.timeout(10):
        data = await anext(pictures)
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


async def until(pictures: AsyncGenerator[bytes, None], is_wanted: Callable[[Canvas], bool]) -> Canvas:
    for _ in range(50):
        picture = await jpeg_of(pictures)
        if is_wanted(picture):
            return picture
    raise AssertionError("it does not come")


def is_white(picture: Canvas) -> bool:
    return bool(picture.mean() > 200)


async def test_a_stream_says_that_its_camera_is_gone_and_goes_on_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(continuous, "CHECK_S", 0.1)
    monkeypatch.setattr(continuous, "PATIENCE_S", 0.3)
    hub, units = VideoHub(), encode([np.full((96, 192, 3), 240, np.uint8)] * 3, 1)
    live = LivePictures(LocalBus().tracks, Decoders(hub), no_lines)
    states = [DEGRADED]

    def why(_: object, obstacle: object, shown_s: float | None) -> Absence:
        return absence_of(SETUP, states[0], obstacle, shown_s)  # type: ignore[arg-type]

    pictures = ContinuousPictures(live, why).stream(GATE, "plain")
    first = await jpeg_of(pictures)
    assert first.shape[:2] == COMMON_SIZE[::-1], "nobody knows the camera's size yet"
    for number, (data, is_keyframe) in enumerate(units):
        hub.publish(AccessUnit(GATE, number, time.time(), is_keyframe, data, 1))
        assert (await until(pictures, is_white)).shape == (96, 192, 3)
        gone = await until(pictures, lambda picture: not is_white(picture))
        assert gone.shape == (96, 192, 3), "players need not change their size"
    await pictures.aclose()
    assert live.watched == 0


async def test_all_who_watch_share_what_is_drawn() -> None:
    live = LivePictures(LocalBus().tracks, Decoders(VideoHub()), no_lines)
    live.offline._now_s = lambda: NOW_S
    many = await asyncio.gather(*(live.offline.of(GONE, (320, 180)) for _ in range(20)))
    assert len({id(data) for data in many}) == 1
    assert len(live.offline._made) == 1
