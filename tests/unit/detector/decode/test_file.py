"""Files whose pictures are too large are refused before they cost anything."""

from pathlib import Path

import psutil
import pytest

from services.core.errors import BadInputError
from services.detector.decode.file import VideoFile
from tests.hevc_video import hevc_units
from tests.hostile_files import write_grey

PICTURES = 5


def grown_mb(before_bytes: int) -> float:
    return (psutil.Process().memory_info().rss - before_bytes) / 1e6


@pytest.mark.parametrize(
    ("name", "words"), [("large.mp4", "12288x6912 pixels"), ("large.h264", "12288x6912|larger than")]
)
def test_a_file_of_large_pictures(tmp_path: Path, name: str, words: str):
    write_grey(tmp_path / name, 12_288, 6_912, 1)
    before_bytes = psutil.Process().memory_info().rss
    with pytest.raises(BadInputError, match=words):
        VideoFile(tmp_path / name)
    assert grown_mb(before_bytes) < 60


def test_large_pictures_within_a_file_are_passed_over_as_damaged_ones(tmp_path: Path):
    for name, size in (("small.h264", (640, 360)), ("large.h264", (12_288, 6_912))):
        write_grey(tmp_path / name, *size, PICTURES if name == "small.h264" else 1)
    mixed = tmp_path / "mixed.h264"
    small, large = (tmp_path / "small.h264").read_bytes(), (tmp_path / "large.h264").read_bytes()
    mixed.write_bytes(small + large + small)
    before_bytes = psutil.Process().memory_info().rss
    with VideoFile(mixed) as video:
        sizes = [(picture.width, picture.height) for _, picture in video.pictures()]
    assert set(sizes) == {(640, 360)}
    assert len(sizes) >= 2 * PICTURES - 1
    assert grown_mb(before_bytes) < 60


def test_a_camera_of_twelve_megapixels_passes(tmp_path: Path):
    write_grey(tmp_path / "fine.mp4", 4000, 3000, 2)
    with VideoFile(tmp_path / "fine.mp4") as video:
        assert [picture.width for _, picture in video.pictures()] == [4000, 4000]


@pytest.mark.parametrize(("missing", "given"), [(range(10, 11), 39), (range(10), 10)], ids=["one", "begin"])
def test_pictures_of_h265_that_stand_on_a_missing_one_are_given_and_are_a_gap(
    tmp_path: Path, missing: range, given: int
):
    units = hevc_units(40, "bframes=0:keyint=30:min-keyint=30")
    path = tmp_path / "missing.h265"
    path.write_bytes(b"".join(unit.data for unit in units if unit.frame not in missing))
    with VideoFile(path) as video:
        pictures = list(video.pictures())
    assert len(pictures) == given
    damaged_s = sum(gap.to_s - gap.from_s for gap in video.gaps.gaps if gap.cause == "damaged")
    assert damaged_s == pytest.approx(19 / video.fps if given > 10 else 0, abs=0.1)
