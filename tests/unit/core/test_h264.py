"""Key frames carry what a decoder needs, and the size of pictures is known before they are decoded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.codecs import Codec, ParameterSets, sequence_headers
from services.core.h264 import read_sequence
from services.core.sequences import Sequence
from tests.hostile_files import header_of


@pytest.mark.parametrize(
    ("header", "sequence"),
    [
        (header_of(640, 360), Sequence(640, 360, 640, 368, 1)),
        (header_of(640, 360, profile="baseline"), Sequence(640, 360, 640, 368, 1)),
        (header_of(1918, 1078, options="cqm=jvt:8x8dct=1"), Sequence(1918, 1078, 1920, 1088, 1)),
        (header_of(322, 242, "yuv444p"), Sequence(322, 242, 336, 256, 1)),
        (header_of(322, 242, "yuv422p"), Sequence(322, 242, 336, 256, 1)),
        (header_of(320, 240, "gray"), Sequence(320, 240, 320, 240, 1)),
        (header_of(720, 576, options="interlaced=1"), Sequence(720, 576, 720, 576, 1)),
        (header_of(320, 240, options="ref=16:bframes=3"), Sequence(320, 240, 320, 240, 16)),
        (header_of(4000, 3000, options="ref=4"), Sequence(4000, 3000, 4000, 3008, 4)),
        (header_of(8192, 16), Sequence(8192, 16, 8192, 16, 1)),
    ],
)
def test_the_size_and_the_pictures_that_are_kept(header: bytes, sequence: Sequence):
    read = read_sequence(header)
    assert read is not None
    assert read.references >= sequence.references
    assert (read.width, read.height, read.coded_width, read.coded_height) == (
        sequence.width,
        sequence.height,
        sequence.coded_width,
        sequence.coded_height,
    )


@pytest.mark.parametrize("length", range(8))
def test_a_header_that_is_cut_off_tells_nothing(length: int):
    assert read_sequence(header_of(640, 360)[:length]) is None


@given(st.binary(max_size=600))
def test_no_header_is_a_fault(header: bytes):
    read = read_sequence(header)
    assert read is None or min(read.width, read.height) > 0


@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\x64\0\x28" + b"\xff" * 3 + b"\0"])
def test_a_header_without_end_costs_no_more_than_a_short_one(fill: bytes):
    assert read_sequence(b"\x67" + fill * 1_000_000) == read_sequence(b"\x67" + fill * 1000)


LONG, SHORT = b"\0\0\0\1", b"\0\0\1"
SPS, OTHER_SPS, PPS = LONG + b"\x67sps", LONG + b"\x67other", LONG + b"\x68pps"
DELIMITER, SEI = LONG + b"\x09\xf0", SHORT + b"\x06sei"
IDR, SLICE = SHORT + b"\x65" + b"picture" * 50, LONG + b"\x41delta"


@pytest.mark.parametrize(
    ("told", "keyframe", "complete"),
    [
        (SPS + PPS, IDR, SPS + PPS + IDR),
        (SPS + PPS, DELIMITER + SEI + IDR, DELIMITER + SPS + PPS + SEI + IDR),
        (SPS + PPS, OTHER_SPS + PPS + IDR, OTHER_SPS + PPS + IDR),
        (SPS + PPS, DELIMITER + SPS + PPS + IDR, DELIMITER + SPS + PPS + IDR),
        (SPS, IDR, IDR),
        (b"", IDR, IDR),
        (b"\x01\x64\x00\x1f avcC of a file", IDR, IDR),
        (SPS + PPS, b"", SPS + PPS),
        (SPS + PPS, b"\0\0\1", SPS + PPS + b"\0\0\1"),
    ],
)
def test_a_key_frame_gets_the_headers_that_it_lacks(told: bytes, keyframe: bytes, complete: bytes):
    assert ParameterSets(told).complete(keyframe) == complete


def test_the_newest_headers_are_the_right_ones():
    sets = ParameterSets(SPS + PPS)
    sets.complete(OTHER_SPS + PPS + IDR)
    assert sets.complete(IDR) == OTHER_SPS + PPS + IDR


def test_what_looks_like_headers_behind_a_slice_is_none():
    assert ParameterSets(b"").complete(IDR + SPS + PPS) == IDR + SPS + PPS
    assert ParameterSets(SPS + PPS).complete(SLICE + OTHER_SPS) == SPS + PPS + SLICE + OTHER_SPS


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (SPS + PPS + IDR, [SPS[4:]]),
        (DELIMITER + SPS + PPS + IDR, [SPS[4:]]),
        (SPS + b"\0\0" + PPS + IDR, [SPS[4:]]),
        (SPS + OTHER_SPS + PPS, [SPS[4:], OTHER_SPS[4:]]),
        (PPS + SPS, [SPS[4:]]),
        (IDR + SPS, []),
        (IDR, []),
        (SHORT, []),
        (b"", []),
    ],
)
def test_the_sequence_headers_of_a_key_frame(data: bytes, expected: list[bytes]) -> None:
    assert sequence_headers(data, Codec.H264) == expected
