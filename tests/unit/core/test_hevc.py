"""H.265 is read before anything is decoded: sizes, key frames, and what each key frame needs."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.codecs import (
    Codec,
    ParameterSets,
    is_key_frame,
    is_leading,
    read_sequence,
    sequence_headers,
)
from tests.hevc_video import hevc_units


@cache
def header_of(
    width: int, height: int, pixels: str = "yuv420p", options: str = "", profile: str = ""
) -> bytes:
    more = f"{options}:profile={profile}" if profile else options
    return sequence_headers(hevc_units(1, more, pixels, (width, height))[0].data, Codec.HEVC)[0]


@pytest.mark.parametrize(
    ("header", "size", "coded"),
    [
        (header_of(640, 360), (640, 360), (640, 368)),
        (header_of(642, 362), (642, 362), (656, 368)),
        (header_of(642, 362, "yuv420p10le"), (642, 362), (656, 368)),
        (header_of(322, 242, "yuv422p", profile="main422-10"), (322, 242), (336, 256)),
        (header_of(322, 242, "yuv444p", profile="main444-8"), (322, 242), (336, 256)),
        (header_of(320, 240, options="temporal-layers=2:bframes=2"), (320, 240), (320, 240)),
    ],
)
def test_the_size(header: bytes, size: tuple[int, int], coded: tuple[int, int]):
    read = read_sequence(header, Codec.HEVC)
    assert read is not None
    assert (read.width, read.height) == size
    assert (read.coded_width, read.coded_height) == coded


def test_the_pictures_that_are_kept():
    few, many = header_of(320, 240, options="ref=1:bframes=0"), header_of(320, 240, options="ref=6:bframes=0")
    kept = [read.references for header in (few, many) if (read := read_sequence(header, Codec.HEVC))]
    assert 1 <= kept[0] < 6 <= kept[1] <= 16


@pytest.mark.parametrize("length", range(16))
def test_a_header_that_is_cut_off_tells_nothing(length: int):
    assert read_sequence(header_of(640, 360)[:length], Codec.HEVC) is None


@given(st.binary(max_size=600))
def test_no_header_is_a_fault(header: bytes):
    read = read_sequence(b"\x42\x01" + header, Codec.HEVC)
    assert read is None or min(read.width, read.height) > 0


@pytest.mark.parametrize("fill", [b"\0", b"\xff"])
def test_a_header_without_end_costs_no_more_than_a_short_one(fill: bytes):
    long, short = (read_sequence(b"\x42\x01" + fill * count, Codec.HEVC) for count in (1_000_000, 1000))
    assert long == short


LONG, SHORT = b"\0\0\0\1", b"\0\0\1"
VPS, SPS, PPS = LONG + b"\x40\x01vps", LONG + b"\x42\x01sps", LONG + b"\x44\x01pps"
SECOND_VIEW = LONG + b"\x42\x09other"
DELIMITER, IDR, CRA = LONG + b"\x46\x01\x50", SHORT + b"\x26\x01idr", SHORT + b"\x2a\x01cra"
RASL, TRAIL = SHORT + b"\x10\x01slice", SHORT + b"\x02\x01slice"


@pytest.mark.parametrize(
    ("told", "keyframe", "complete"),
    [
        (VPS + SPS + PPS, IDR, VPS + SPS + PPS + IDR),
        (VPS + SPS + PPS, DELIMITER + CRA, DELIMITER + VPS + SPS + PPS + CRA),
        (b"", VPS + SPS + PPS + IDR, VPS + SPS + PPS + IDR),
        (SPS + PPS, IDR, IDR),
        (VPS, SPS + PPS + IDR, VPS + SPS + PPS + SPS + PPS + IDR),
    ],
)
def test_a_key_frame_gets_the_headers_that_it_lacks(told: bytes, keyframe: bytes, complete: bytes):
    assert ParameterSets(told, Codec.HEVC).complete(keyframe) == complete


def test_a_second_view_says_nothing_of_the_first():
    assert sequence_headers(SPS + SECOND_VIEW + IDR, Codec.HEVC) == [SPS[4:]]


@pytest.mark.parametrize(
    ("data", "is_key", "leads"),
    [
        (VPS + SPS + PPS + IDR, True, False),
        (DELIMITER + CRA, True, False),
        (DELIMITER + RASL, False, True),
        (TRAIL, False, False),
        (VPS + SPS + PPS, False, False),
        (b"", False, False),
    ],
)
def test_what_an_access_unit_is(data: bytes, is_key: bool, leads: bool):
    assert (is_key_frame(data, Codec.HEVC), is_leading(data, Codec.HEVC)) == (is_key, leads)
    assert not is_leading(data, Codec.H264)
