"""Cameras of H.265, and those that say late, or anew, what they send."""

import subprocess
from itertools import islice
from pathlib import Path

import pytest

from services.common.video.decoder import UnitDecoder
from services.core.codecs import Codec
from services.core.errors import StreamError
from services.core.types import AccessUnit, CameraStatus
from services.ingest.apart.connection import ApartConnection
from tests.hostile_cameras import ingesting
from tests.odd_cameras import odd_camera
from tests.processes import wait_until

SIZE = 160, 120


def make(path: Path, *options: str, rate: int = 25, seconds: int = 2) -> Path:
    source = f"testsrc=size={SIZE[0]}x{SIZE[1]}:rate={rate}:duration={seconds}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *options]
    subprocess.run([*command, str(path)], check=True, stdin=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("clip") / "clip.mp4", "-c:v", "libx264", "-preset", "ultrafast")


def units_of(url: str, number: int) -> tuple[list[AccessUnit], list[tuple[int, int]], bytes | None]:
    """Read the first units of an address, the sizes told with them, and the picture made of the first."""
    connection = ApartConnection.open(url, wants_picture=True)
    try:
        units, sizes = [], []
        for frame, unit in enumerate(islice(connection.units(), number)):
            time_s = frame / 25 if unit.stream_s is None else unit.stream_s
            units.append(AccessUnit("c", frame, time_s, unit.is_keyframe, unit.data, codec=unit.codec))
            sizes.append(connection.resolution)
        return units, sizes, connection.picture
    finally:
        connection.close()


def decoded(units: list[AccessUnit]) -> list[tuple[int, int]]:
    decoder = UnitDecoder(units[0].codec)
    pictures = [picture for unit in units if (picture := decoder.decode(unit)) is not None]
    assert decoder.broken == 0
    return [picture.size for picture in pictures]


@pytest.mark.parametrize(
    "habits",
    [("hevc10",), ("hevc", "--no-vps"), ("hevc10", "--no-sprop", "--start", "7")],
)
def test_a_camera_of_h265(clip: Path, habits: tuple[str, ...]):
    with odd_camera(clip, "--gop", "10", "--codec", *habits) as source:
        units, sizes, picture = units_of(source.url, 40)
    assert {unit.codec for unit in units} == {Codec.HEVC}
    assert set(sizes) == {SIZE}
    assert set(decoded(units)) == {SIZE}
    assert len(decoded(units)) >= 30
    assert picture is not None
    assert picture.startswith(b"\xff\xd8\xff")


def test_no_picture_is_given_before_its_size_is_known(clip: Path):
    habits = "--no-sprop", "--mute", "80", "--gop", "10", "--codec", "hevc"
    with odd_camera(clip, *habits) as source, ingesting(source.url) as running:
        wait_until(lambda: running.is_now(CameraStatus.LIVE), 20, "live")
        assert running.state is not None
        assert running.state.resolution == SIZE


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_another_size_within_a_session_is_known_with_its_first_picture(clip: Path, codec: str):
    with odd_camera(clip, "--gop", "10", "--codec", codec, "--then", "320x240") as source:
        units, sizes, _ = units_of(source.url, 60)
    told = [size for number, size in enumerate(sizes) if number == 0 or size != sizes[number - 1]]
    assert told == [SIZE, (320, 240)]
    assert decoded(units) == sizes


def test_a_camera_that_turns_to_another_codec_is_connected_anew(clip: Path):
    with odd_camera(clip, "--gop", "10") as source, ingesting(source.url) as running:
        wait_until(lambda: running.hub.has(running.camera), 20, "pictures")
        source.turn_to("hevc")
        assert "sends H.265 now" in running.reason(20)
        wait_until(lambda: running.hub.codec(running.camera) is Codec.HEVC, 20, "the other codec")
        with running.hub.reader(running.camera) as reader:
            units = [unit for _ in range(20) if (unit := reader.read(5)) is not None]
    assert decoded(units)
    assert len({unit.connection for unit in units}) == 1


OPEN_GOP = "log-level=none:keyint=10:min-keyint=10:bframes=3:open-gop=1:scenecut=0"


@pytest.mark.parametrize("name", ["hvc1.mp4", "hev1.mp4", "a.mkv", "a.ts"])
def test_a_file_of_h265_is_a_camera(tmp_path: Path, name: str):
    tag = ["-tag:v", Path(name).stem] if name.endswith("mp4") else []
    options = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", OPEN_GOP, *tag]
    units, sizes, picture = units_of(str(make(tmp_path / name, *options)), 100)
    assert len(units) == 50
    assert set(sizes) == {SIZE}
    assert len(decoded(units)) >= 46
    second = [number for number, unit in enumerate(units) if unit.is_keyframe][1]
    assert len(decoded(units[second:])) >= 50 - second - 6, "who comes later begins at a key frame"
    assert picture is not None


@pytest.mark.parametrize(
    ("encoder", "codec"), [("mjpeg", "mjpeg"), ("mpeg4", "mpeg4"), ("libvpx-vp9", "vp9")]
)
def test_another_codec_is_refused_with_what_to_change(tmp_path: Path, encoder: str, codec: str):
    with pytest.raises(StreamError, match=f"^the stream is {codec}: set the camera to H.264 or H.265$"):
        ApartConnection.open(str(make(tmp_path / "a.mkv", "-c:v", encoder, seconds=1)))


@pytest.mark.parametrize("second", ["libx264", "libx265"])
def test_the_first_video_that_can_be_taken_is_taken(tmp_path: Path, second: str):
    streams = ["-map", "0", "-map", "0", "-c:v:0", "mjpeg", "-c:v:1", second]
    units, _, _ = units_of(str(make(tmp_path / "two.mkv", *streams, seconds=1)), 10)
    assert units[0].codec == {"libx264": Codec.H264, "libx265": Codec.HEVC}[second]
