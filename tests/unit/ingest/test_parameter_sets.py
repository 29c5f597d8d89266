"""Key frames carry what a decoder needs to begin with them."""

import pytest

from services.ingest.parameter_sets import ParameterSets

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
