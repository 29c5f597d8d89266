"""How pictures are turned and stretched."""

import struct
from fractions import Fraction

import pytest

from services.core.codecs import START
from services.core.limits import PICTURE_LIMIT_PIXELS, SIDE_LIMIT_PIXELS
from services.core.upright import UPRIGHT, Orientation, orientation_from, shown_size, with_orientation

DELIMITER, SLICE = b"\0" + START + b"\x09\x10", b"\0" + START + b"\x65abc"


def matrix(a: float, b: float, c: float, d: float) -> bytes:
    return struct.pack("=9i", *(round(value * 65536) for value in (a, b, 0, c, d, 0, 0, 0)), 1 << 30)


@pytest.mark.parametrize(
    ("linear", "orientation"),
    [
        ((1, 0, 0, 1), UPRIGHT),
        ((0, 1, -1, 0), Orientation(1)),
        ((-1, 0, 0, -1), Orientation(2)),
        ((0, -1, 1, 0), Orientation(3)),
        ((-1, 0, 0, 1), Orientation(0, True)),
        ((1, 0, 0, -1), Orientation(2, True)),
        ((2, 0.1, -0.1, 2), UPRIGHT),
        ((0, 0, 0, 0), UPRIGHT),
    ],
)
def test_a_display_matrix(linear: tuple[float, float, float, float], orientation: Orientation) -> None:
    assert orientation_from(matrix(*linear)) == orientation


def test_what_is_no_matrix_turns_nothing() -> None:
    assert orientation_from(b"short") == UPRIGHT


@pytest.mark.parametrize(
    ("size", "aspect", "quarters", "shown"),
    [
        ((640, 360), None, 0, (640, 360)),
        ((640, 360), Fraction(1), 1, (360, 640)),
        ((720, 576), Fraction(16, 15), 0, (768, 576)),
        ((720, 576), Fraction(16, 15), 3, (576, 768)),
        ((320, 90), Fraction(1, 2), 0, (320, 180)),
        ((640, 360), Fraction(255, 1), 0, (640, 360)),
        ((640, 360), Fraction(0), 0, (640, 360)),
        ((0, 0), Fraction(4, 3), 0, (0, 0)),
    ],
)
def test_the_size_that_is_shown(
    size: tuple[int, int], aspect: Fraction | None, quarters: int, shown: tuple[int, int]
) -> None:
    assert shown_size(*size, aspect, Orientation(quarters)) == shown


def test_no_picture_is_stretched_beyond_the_limits() -> None:
    width, height = shown_size(8000, 2000, Fraction(8))
    assert width * height <= PICTURE_LIMIT_PIXELS and max(width, height) <= SIDE_LIMIT_PIXELS
    assert width / height == pytest.approx(32, rel=0.01)


def test_the_turn_stands_behind_the_delimiter() -> None:
    turned = with_orientation(DELIMITER + SLICE, Orientation(1))
    assert turned.startswith(DELIMITER + b"\0" + START + b"\x06\x2f\x03") and turned.endswith(SLICE)
    assert with_orientation(SLICE, Orientation(1)).endswith(SLICE)
    assert with_orientation(SLICE, UPRIGHT) == SLICE


def test_the_turn_of_hevc_stands_behind_its_delimiter() -> None:
    delimiter, picture = b"\0" + START + b"\x46\x01\x50", b"\0" + START + b"\x26\x01abc"
    turned = with_orientation(delimiter + picture, Orientation(3), is_hevc=True)
    assert turned == delimiter + b"\0" + START + b"\x4e\x01\x2f\x03\x08\x00\x18\x80" + picture
