"""How a decoded picture is turned and stretched to be seen as it was taken. Pure.

Telephones film lying down and note how the picture is to be turned; old recorders keep pictures whose pixels
are no squares. Containers keep the turn beside the stream, where a reader of its access units never sees it:
it travels with them as what the standards have for it, display orientation (SEI).
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.core.limits import PICTURE_LIMIT_PIXELS, SIDE_LIMIT_PIXELS

WIDEST_PIXEL = 8
"""Pixels that are wider or higher than this are a mistake of the writer: they are taken for squares."""

_MATRIX = struct.Struct("=9i")
_SEI = {False: bytes([6]), True: bytes([39 << 1, 1])}
_DELIMITER = {False: bytes([9]), True: bytes([35 << 1, 1])}
"""Heads of units, by whether the stream is H.265."""

_START = b"\0\0\1"
_ORIENTATION = bytes([47, 3])
"""Type of the message, and its bytes."""

_REST = {False: "10100", True: "11000"}
"""What follows the angle up to the end of a byte: for this picture (H.264), until the next one (H.265)."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """What makes a picture stand upright."""

    quarters: int = 0
    """Quarter turns clockwise."""
    is_mirrored: bool = False
    """Whether left and right are exchanged before it is turned."""


UPRIGHT = Orientation()


def orientation_from(matrix: bytes) -> Orientation:
    """Read a display matrix as FFmpeg gives it; what is no multiple of a quarter goes to the nearest one."""
    if len(matrix) < _MATRIX.size:
        return UPRIGHT
    a, b, _, c, d, *_ = _MATRIX.unpack_from(matrix)
    if a * d == b * c:
        return UPRIGHT
    return Orientation(round(math.atan2(-c, d) / (math.pi / 2)) % 4, a * d < b * c)


def shown_size(
    width: int, height: int, pixel_aspect: Fraction | None, orientation: Orientation = UPRIGHT
) -> tuple[int, int]:
    """Give width and height of a picture as it is seen, with square pixels; never beyond the limits.

    `pixel_aspect` is the width of a pixel by its height.
    """
    aspect = Fraction(1) if pixel_aspect is None or pixel_aspect <= 0 else pixel_aspect
    if not Fraction(1, WIDEST_PIXEL) <= aspect <= WIDEST_PIXEL:
        aspect = Fraction(1)
    if aspect != 1 and min(width, height) > 0:
        ratio = float(aspect)
        wide, high = width * max(ratio, 1.0), height * max(1 / ratio, 1.0)
        share = min(1.0, SIDE_LIMIT_PIXELS / max(wide, high), math.sqrt(PICTURE_LIMIT_PIXELS / (wide * high)))
        width, height = max(1, round(wide * share)), max(1, round(high * share))
    return (height, width) if orientation.quarters % 2 else (width, height)


def with_orientation(unit: bytes, orientation: Orientation, is_hevc: bool = False) -> bytes:
    """Give an access unit (Annex B) that says how its picture is turned."""
    if orientation == UPRIGHT:
        return unit
    at = _after_delimiter(unit, is_hevc)
    turned = (-orientation.quarters % 4) * 0x4000
    bits = f"0{orientation.is_mirrored:b}0{turned:016b}{_REST[is_hevc]}"
    message = _ORIENTATION + int(bits, 2).to_bytes(3) + b"\x80"
    return unit[:at] + b"\0" + _START + _SEI[is_hevc] + message + unit[at:]


def _after_delimiter(unit: bytes, is_hevc: bool) -> int:
    """Give where the second part begins behind a delimiter, which has to be the first one."""
    start = unit.find(_START, 0, 4)
    head: Sequence[int] = _DELIMITER[is_hevc]
    if start < 0 or unit[start + 3 : start + 3 + len(head)] != head:
        return 0
    following = unit.find(_START, start + 3)
    return len(unit) if following < 0 else following - (unit[following - 1] == 0)
