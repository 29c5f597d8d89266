"""Cameras that refuse sound, refuse TCP, send nothing over it, or take long: which way they are dialled."""

import subprocess
from collections.abc import Iterator

import pytest

from services.core.errors import StreamError
from services.ingest.dialling import Dialler
from services.ingest.sources import source_of
from tests.fixtures.odd_camera import OddCamera
from tests.odd_cameras import odd_camera


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OddCamera]:
    """One camera of small pictures, whose habits each test sets."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=s=160x120:r=25:d=1"]
    subprocess.run(["ffmpeg", "-v", "error", *source, "-pix_fmt", "yuv420p", str(path)], check=True)
    with odd_camera(path) as camera:
        yield camera


USUAL = {
    "audio": None,
    "udp_only": None,
    "tcp_status": None,
    "udp_status": None,
    "silent": None,
    "http": False,
    "hang_up": None,
}


def opened(camera: OddCamera, dialler: Dialler, **habits: object) -> str:
    """Dial the camera; gives `live` or the code of the failure."""
    vars(camera.options).update({**USUAL, "slow": [], **habits})
    camera.requests.clear()
    try:
        connection = source_of(camera.url, dialler=dialler).connect()
    except StreamError as error:
        return error.sentence.code
    try:
        next(iter(connection.units()))
    finally:
        connection.close()
    return "live"


def set_ups(camera: OddCamera) -> int:
    return sum(request.startswith("SETUP") for request in camera.requests)


@pytest.mark.parametrize("audio", ["refused", "ok"])
def test_no_sound_is_asked_for(camera: OddCamera, audio: str) -> None:
    assert opened(camera, Dialler(), audio=audio) == "live"
    assert not [request for request in camera.requests if "audio" in request]
    assert set_ups(camera) == 1


@pytest.mark.parametrize(
    "habits",
    [
        {"udp_only": "461"},
        {"udp_only": "mismatch"},
        {"tcp_status": "459 Aggregate Operation Not Allowed"},
        {"tcp_status": "454 Session Not Found"},
        {"tcp_status": "400 Bad Request"},
        {"hang_up": "TCP"},
    ],
)
def test_a_camera_of_udp_alone_is_dialled_so_and_remembered(
    camera: OddCamera, habits: dict[str, str]
) -> None:
    dialler = Dialler()
    assert opened(camera, dialler, **habits) == "live"
    assert set_ups(camera) == 2
    assert opened(camera, dialler, **habits) == "live"
    assert set_ups(camera) == 1, "the next connection begins with what worked"
    assert opened(camera, dialler, udp_status="461 Unsupported Transport") == "live"
    assert set_ups(camera) == 2, "what works no more is left"


def test_a_session_by_tcp_that_sends_nothing_gives_way_to_udp(camera: OddCamera) -> None:
    dialler = Dialler(patience_s=1.0)
    assert opened(camera, dialler, silent="tcp") == "live"
    assert opened(camera, dialler, silent="tcp") == "live"
    assert set_ups(camera) == 1


@pytest.mark.parametrize(
    ("habits", "code"),
    [
        ({"tcp_status": "461 No", "udp_status": "461 No"}, "camera-no-transport"),
        ({"tcp_status": "461 No", "udp_status": "multicast"}, "camera-multicast"),
        ({"tcp_status": "multicast", "udp_status": "multicast"}, "camera-multicast"),
        ({"tcp_status": "404 Not Found"}, "camera-no-such-path"),
        ({"tcp_status": "453 Not Enough Bandwidth"}, "camera-cannot-serve"),
        ({"tcp_status": "500 Oh", "udp_status": "500 Oh"}, "camera-cannot-serve"),
        ({"tcp_status": "454 No", "udp_status": "455 No"}, "camera-cannot-serve"),
        ({"tcp_status": "500 Oh", "udp_status": "multicast"}, "camera-multicast"),
        ({"hang_up": "SETUP"}, "camera-no-session"),
        ({"hang_up": "PLAY"}, "camera-no-session"),
        ({"http": True}, "stream-not-video"),
        ({"tcp_status": "400 Bad", "udp_status": "400 Bad"}, "camera-bad-request"),
    ],
)
def test_what_no_transport_helps_is_named(camera: OddCamera, habits: dict[str, object], code: str) -> None:
    assert opened(camera, Dialler(), **habits) == code


def test_each_answer_is_waited_for_as_long_as_the_setting_says(camera: OddCamera) -> None:
    assert opened(camera, Dialler(patience_s=2.0), slow=["ALL=0.6"]) == "live"


def test_a_camera_that_takes_longer_is_told_with_the_setting(camera: OddCamera) -> None:
    assert opened(camera, Dialler(patience_s=1.0), slow=["DESCRIBE=1.8"]) == "camera-patience"
    assert set_ups(camera) == 0
