"""A file that lies is a camera whose pictures stand upright for everybody who decodes them."""

from pathlib import Path

import av
import numpy as np
import pytest

from services.common.video.decoder import DecodedPicture, UnitDecoder
from services.core.types import AccessUnit, CameraId
from services.ingest.container import ContainerConnection
from services.ingest.still import still_of
from tests.odd_clips import HEIGHT, WIDTH, ffmpeg, make_clip, turn


def decoded(path: Path) -> tuple[list[DecodedPicture], tuple[int, int], bytes]:
    """Give what everybody decodes, the size that is told, and the picture by which the address is tried."""
    connection = ContainerConnection.open(str(path))
    decoder = UnitDecoder(connection.codec)
    pictures, first = list[DecodedPicture](), b""
    for frame, unit in enumerate(connection.units()):
        first = first or still_of(unit.data, unit.codec) or b""
        access_unit = AccessUnit(
            CameraId("file"), frame, float(frame), unit.is_keyframe, unit.data, codec=unit.codec
        )
        if (picture := decoder.decode(access_unit)) is not None:
            pictures.append(picture)
    size = connection.resolution
    connection.close()
    return pictures, size, first


def rgb(picture: av.VideoFrame) -> np.ndarray:
    return picture.to_ndarray(format="rgb24").astype(int)


@pytest.mark.parametrize(
    ("matrix", "filters"),
    [((0, 1, -1, 0), "transpose=cclock"), ((-1, 0, 0, 1), "hflip")],
    ids=["turned", "mirrored"],
)
def test_a_file_that_lies(tmp_path: Path, matrix: tuple[int, int, int, int], filters: str) -> None:
    plain, lying = (
        make_clip(tmp_path / "plain.mp4"),
        make_clip(tmp_path / "l.mp4", f"{filters},format=yuv420p"),
    )
    pictures, size, first = decoded(turn(lying, tmp_path / "12:30 lying.mp4", matrix))
    expected, plain_size, plain_first = decoded(plain)
    assert size == plain_size == (WIDTH, HEIGHT)
    assert len(pictures) == len(expected)
    assert abs(rgb(pictures[20].picture) - rgb(expected[20].picture)).mean() < 2
    stills = [rgb(next(av.open(path).decode(video=0))) for path in _written(tmp_path, first, plain_first)]
    assert stills[0].shape == stills[1].shape and abs(stills[0] - stills[1]).mean() < 4


def test_a_shape_that_the_container_alone_knows(tmp_path: Path) -> None:
    path = tmp_path / "wide.mp4"
    ffmpeg(
        "-i",
        make_clip(tmp_path / "narrow.mp4", "scale=240:180,setsar=1,format=yuv420p"),
        "-c",
        "copy",
        "-aspect",
        "16:9",
        path,
    )
    pictures, size, _ = decoded(path)
    assert size == (WIDTH, HEIGHT) and {picture.size for picture in pictures} == {size}
    assert len(pictures) == 50


def _written(folder: Path, *stills: bytes) -> list[str]:
    paths = [folder / f"{number}.jpg" for number in range(len(stills))]
    for path, data in zip(paths, stills, strict=True):
        path.write_bytes(data)
    return [str(path) for path in paths]


def test_pictures_of_two_fields_come_with_their_own_units(tmp_path: Path) -> None:
    fields = "fps=20,tinterlace=interleave_top,setfield=tff,scale=320:180:interl=1,setsar=2,format=yuv420p"
    encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme")
    pictures, size, first = decoded(make_clip(tmp_path / "fields.mp4", fields, *encoder))
    assert size == (2 * WIDTH, HEIGHT) and first
    assert {picture.size for picture in pictures} == {size}
    frames = [picture.unit.frame for picture in pictures]
    assert frames == list(range(len(frames))) and len(frames) > 40
