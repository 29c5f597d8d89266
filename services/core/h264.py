"""H.264 in Annex B, read before anything is decoded: its units, its headers, and what they say. Pure.

Some cameras send the headers (SPS and PPS) of their H.264 only while the session is opened. A reader that
comes later, over another process, sees nothing but access units, so each key frame has to carry them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

START = b"\x00\x00\x01"
"""What every unit begins with; a zero in front of it belongs to it."""

SLICES = range(1, 6)
IDR, SEI, SPS, PPS, DELIMITER = 5, 6, 7, 8, 9
"""Types of units (NAL units)."""

READ_LIMIT_BYTES = 512
"""The size stands well before this, also behind full scaling lists."""

ESCAPE, ESCAPED = b"\x00\x00\x03", b"\x00\x00"
MACROBLOCK = 16

PLANES_PROFILE = 244
"""May carry its colours as three grey pictures, whose slices have other heads."""

RECOVERY_POINT = 6
"""The kind of a message (SEI) from which a picture is refreshed bit by bit, where it has no key frames."""

MOST_RECOVERING = 1000
"""Pictures that a refresh may take; what says more is damaged itself."""

HEAD_LIMIT_BYTES = 32
"""What is needed of a slice stands before this."""

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
    number_bits: int = 0
    """Bits of the number that each picture carries; 0 where it cannot be read."""
    may_skip: bool = False
    """Whether numbers may be left out though nothing is missing."""


@dataclass(frozen=True, slots=True)
class SliceHead:
    """The first slice of a picture, as far as it is needed."""

    is_idr: bool
    """Nothing after it stands on anything before it."""
    is_reference: bool
    """Whether other pictures may stand on it."""
    number: int
    """The picture's, with as many bits as were asked for."""


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
    number_bits = bits.unsigned() + 4
    _skip_order(bits)
    references = bits.unsigned()
    may_skip = bool(bits.take(1))
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
    has_planes = chroma == 0 and profile == PLANES_PROFILE
    return Sequence(*shown, width, height, references, 0 if has_planes else number_bits, may_skip)


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
    """Pass over how the order of pictures is given."""
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


class ParameterSets:
    """The newest headers of one connection."""

    def __init__(self, of_the_session: bytes) -> None:
        """Take the headers of the session; those that are not in Annex B are in the stream anyway."""
        self._headers = _headers_of(of_the_session)

    def complete(self, keyframe: bytes) -> bytes:
        """Give the key frame with its headers; it is given back as it is when it has its own."""
        own = _headers_of(keyframe)
        if own:
            self._headers = own
            return keyframe
        at = _after_delimiter(keyframe)
        return keyframe[:at] + self._headers + keyframe[at:] if self._headers else keyframe


def sequence_headers(data: bytes) -> list[bytes]:
    """Give the sequence headers (SPS) that stand before the first slice, without start codes and padding."""
    return [
        data[data.index(START, start) + len(START) : end].rstrip(b"\0")
        for kind, start, end in _leading_units(data)
        if kind == SPS
    ]


def first_slice(data: bytes, number_bits: int) -> SliceHead | None:
    """Read the head of a picture's first slice; None where there is none that can be read."""
    for kind, start, _ in _leading_units(data):
        if kind in SLICES:
            at = data.index(START, start) + len(START)
            return _read_head(data[at : at + HEAD_LIMIT_BYTES], number_bits)
    return None


def _read_head(unit: bytes, number_bits: int) -> SliceHead | None:
    bits = _Bits(unit[1:].replace(ESCAPE, ESCAPED))
    try:
        bits.unsigned()  # where it begins
        bits.unsigned()  # kind of slice
        bits.unsigned()  # picture header
        number = bits.take(number_bits)
    except ValueError:
        return None
    return SliceHead(unit[0] & 0x1F == IDR, bool(unit[0] & 0x60), number)


def recovery_pictures(keyframe: bytes) -> int:
    """Give how many pictures after a key frame are not yet whole: 0, but where it begins a slow refresh."""
    for _, start, end in _leading_units(keyframe):
        at = keyframe.index(START, start) + len(START)
        if keyframe[at] == SEI:
            for message, payload in _messages(keyframe[at + 1 : end]):
                if message == RECOVERY_POINT:
                    return _count_of(payload)
    return 0


def _messages(unit: bytes) -> Iterator[tuple[int, bytes]]:
    """Give (kind, payload) of the messages of a unit without its head."""
    data, at = unit.replace(ESCAPE, ESCAPED), 0
    while at + 2 < len(data):
        numbers = [0, 0]
        for place in range(2):
            while at < len(data) and data[at] == 0xFF:
                numbers[place] += 0xFF
                at += 1
            numbers[place] += data[at] if at < len(data) else 0
            at += 1
        yield numbers[0], data[at : at + numbers[1]]
        at += numbers[1]


def _count_of(payload: bytes) -> int:
    try:
        return min(MOST_RECOVERING, _Bits(payload[:8]).unsigned())
    except ValueError:
        return 0


def _headers_of(data: bytes) -> bytes:
    """Give the headers that stand before the first slice; nothing unless both kinds are there."""
    headers = [(kind, data[start:end]) for kind, start, end in _leading_units(data) if kind in (SPS, PPS)]
    return b"".join(header for _, header in headers) if {kind for kind, _ in headers} == {SPS, PPS} else b""


def _after_delimiter(data: bytes) -> int:
    """Give the offset of the first unit that is no access unit delimiter, which has to be the first."""
    return next((start for kind, start, _ in _leading_units(data) if kind != DELIMITER), 0)


def _leading_units(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Give (type, start, end) of the units up to the first slice, whose end is not looked for."""
    at = data.find(START)
    while 0 <= at < len(data) - len(START):
        kind = data[at + len(START)] & 0x1F
        start = at - 1 if at and data[at - 1] == 0 else at
        if kind in SLICES:
            yield kind, start, len(data)
            return
        at = data.find(START, at + len(START))
        end = len(data) if at < 0 else at - (data[at - 1] == 0)
        yield kind, start, end
