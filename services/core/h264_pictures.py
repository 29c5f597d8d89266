"""What single pictures of H.264 say: the head of a slice, and the beginning of a slow refresh. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.core.codecs import SLICES_H264, START, Codec, leading_units
from services.core.sequences import ESCAPE, ESCAPED, Bits

IDR, SEI = 5, 6
"""Types of units (NAL units)."""

RECOVERY_POINT = 6
"""The kind of a message (SEI) from which a picture is refreshed bit by bit, where it has no key frames."""

MOST_RECOVERING = 1000
"""Pictures that a refresh may take; what says more is damaged itself."""

HEAD_LIMIT_BYTES = 32
"""What is needed of a slice stands before this."""


@dataclass(frozen=True, slots=True)
class SliceHead:
    """The first slice of a picture, as far as it is needed."""

    is_idr: bool
    """Nothing after it stands on anything before it."""
    is_reference: bool
    """Whether other pictures may stand on it."""
    number: int
    """The picture's, with as many bits as were asked for."""


def first_slice(data: bytes, number_bits: int) -> SliceHead | None:
    """Read the head of a picture's first slice; None where there is none that can be read."""
    for kind, start, _ in leading_units(data, Codec.H264):
        if kind in SLICES_H264:
            at = data.index(START, start) + len(START)
            return _read_head(data[at : at + HEAD_LIMIT_BYTES], number_bits)
    return None


def _read_head(unit: bytes, number_bits: int) -> SliceHead | None:
    bits = Bits(unit[1:])
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
    for _, start, end in leading_units(keyframe, Codec.H264):
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
        return min(MOST_RECOVERING, Bits(payload[:8]).unsigned())
    except ValueError:
        return 0
