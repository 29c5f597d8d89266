"""What an H.264 sequence header (SPS) says about the pictures, read before anything is decoded. Pure."""

from dataclasses import dataclass

READ_LIMIT_BYTES = 512
"""The size stands well before this, also behind full scaling lists."""

ESCAPE, ESCAPED = b"\x00\x00\x03", b"\x00\x00"
MACROBLOCK = 16

PROFILES_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244})


@dataclass(frozen=True, slots=True)
class Sequence:
    """The pictures of a stream."""

    width: int
    """Pixels that are shown in a row."""
    height: int
    """Rows that are shown."""
    coded_width: int
    """Pixels of a row that a decoder has in its memory."""
    coded_height: int
    references: int
    """Pictures that a decoder keeps to refer to."""


class _Bits:
    """Reads bits from the front; ValueError when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data), 8 * len(data)

    def take(self, count: int) -> int:
        """Give the next bits as a number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("the header is too short")
        return self._value >> self._left & (1 << count) - 1

    def unsigned(self) -> int:
        """Give a number of variable length (Exp-Golomb)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("no number is this long")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """Give a number of variable length with its sign."""
        number = self.unsigned()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def read_sequence(header: bytes) -> Sequence | None:
    """Read a sequence header, a NAL unit without its start code; None when it cannot be read."""
    try:
        return _read(_Bits(header[1:READ_LIMIT_BYTES].replace(ESCAPE, ESCAPED)))
    except ValueError:
        return None


def _read(bits: _Bits) -> Sequence:
    profile = bits.take(8)
    bits.take(16)  # constraints and level
    bits.unsigned()  # number of the header
    chroma = _read_chroma(bits) if profile in PROFILES_WITH_CHROMA else 1
    bits.unsigned()  # length of picture numbers
    _skip_order(bits)
    references = bits.unsigned()
    bits.take(1)  # gaps
    width = (bits.unsigned() + 1) * MACROBLOCK
    rows = bits.unsigned() + 1
    is_progressive = bits.take(1)
    height = rows * MACROBLOCK * (2 - is_progressive)
    bits.take(1 if is_progressive else 2)
    left, right, top, bottom = [bits.unsigned() for _ in range(4)] if bits.take(1) else (0, 0, 0, 0)
    step_x = 2 if chroma in (1, 2) else 1
    step_y = (2 if chroma == 1 else 1) * (2 - is_progressive)
    shown = width - step_x * (left + right), height - step_y * (top + bottom)
    if min(shown) <= 0:
        raise ValueError("nothing is shown")
    return Sequence(*shown, width, height, references)


def _read_chroma(bits: _Bits) -> int:
    """Read the part that only the higher profiles have; gives the form of colour."""
    form = bits.unsigned()
    if form == 3 and bits.take(1):
        form = 0  # three planes, each coded as if it were grey
    bits.unsigned()
    bits.unsigned()
    bits.take(1)
    if bits.take(1):
        for number in range(12 if form == 3 else 8):
            if bits.take(1):
                _skip_scaling(bits, 16 if number < 6 else 64)
    return form


def _skip_scaling(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_order(bits: _Bits) -> None:
    """Pass over how the order of pictures is told."""
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > 255:
            raise ValueError("no header has so many")
        for _ in range(count):
            bits.signed()
