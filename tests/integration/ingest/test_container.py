"""Pictures out of containers: a reader can begin with each key frame."""

from dataclasses import replace
from pathlib import Path

import pytest

from services.common.video.decoder import UnitDecoder
from services.core.types import AccessUnit, CameraId
from services.demo.encode import encode, pictures_of, write_video
from services.demo.script import FPS
from services.demo.traffic import make_scene
from services.ingest.container import ContainerConnection

FRAMES = 60


def without_headers(unit: bytes) -> bytes:
    """Give a key frame as cameras send it that tell their headers while the session is opened."""
    return unit[unit.index(b"\x00\x00\x01\x65") :]


def headers_told_once(path: Path) -> None:
    units = list(encode(pictures_of(make_scene(1), 0, FRAMES)))
    parts = [data if i == 0 or not key else without_headers(data) for i, (key, data) in enumerate(units)]
    path.write_bytes(b"".join(parts))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("scene.h264", headers_told_once),
        ("scene.mp4", lambda path: write_video(replace(make_scene(1), duration_s=FRAMES / FPS), path)),
    ],
)
def test_a_decoder_can_begin_at_each_key_frame(tmp_path: Path, name: str, make):
    make(tmp_path / name)
    connection = ContainerConnection.open(str(tmp_path / name))
    size, keyframes = connection.resolution, []
    for unit in connection.units():
        if unit.is_keyframe:
            keyframes.append(unit.data)
        if len(keyframes) == 3:
            break
    connection.close()
    assert len(keyframes) == 3
    for data in keyframes:
        decoder = UnitDecoder()
        decoded = decoder.decode(AccessUnit(CameraId("c"), 0, 0.0, True, data))
        decoded = decoded or decoder.decode(AccessUnit(CameraId("c"), 1, 0.0, True, data))
        assert decoded is not None
        assert decoded.size == size
