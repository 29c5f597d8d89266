"""The size of pictures is known before they are decoded, whatever the encoder writes before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.sequence_header import Sequence, read_sequence
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
