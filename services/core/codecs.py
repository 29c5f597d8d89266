"""H.264 and H.265 in Annex B, read before anything is decoded: their units, and what stands in front. Pure.

Some cameras send the headers of their video only while the session is opened. A reader that comes later, over
another process, sees nothing but access units, so each key frame has to carry them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.core import h264, hevc
from services.core.sequences import Sequence

START = b"\x00\x00\x01"
"""What every unit begins with; a zero in front of it belongs to it."""

SLICES_H264, SLICES_HEVC = range(1, 6), range(32)
"""Types of units that carry a picture."""


class Codec(StrEnum):
    """How the video of a camera is compressed, by FFmpeg's name."""

    H264 = "h264"
    HEVC = "hevc"

    @property
    def label(self) -> str:
        """What people call it."""
        return _FORMS[self].label


@dataclass(frozen=True, slots=True)
class _Form:
    """The types of a codec's units (NAL units)."""

    label: str
    kind_of: Callable[[bytes, int], int]
    """Gives the type of the unit whose own header stands at an offset."""
    slices: range
    key_slices: range
    leading_slices: range
    """Of pictures that are shown before the key frame that they follow, and refer to what was before it."""
    headers: tuple[int, ...]
    """In the order in which they are sent."""
    sequence: int
    delimiter: int
    read_sequence: Callable[[bytes], Sequence | None]


OTHER_LAYER = 63
"""Type that stands for whatever is not of the first layer: a second view, or a finer picture."""


def _kind_h264(data: bytes, at: int) -> int:
    return data[at] & 0x1F


def _kind_hevc(data: bytes, at: int) -> int:
    layer = (data[at] & 1) << 5 | (data[at + 1] >> 3 if at + 1 < len(data) else 0)
    return OTHER_LAYER if layer else data[at] >> 1 & 0x3F


_FORMS = {
    Codec.H264: _Form(
        "H.264", _kind_h264, SLICES_H264, range(5, 6), range(0), (7, 8), 7, 9, h264.read_sequence
    ),
    Codec.HEVC: _Form(
        "H.265",
        _kind_hevc,
        SLICES_HEVC,
        range(16, 22),
        range(8, 10),
        (32, 33, 34),
        33,
        35,
        hevc.read_sequence,
    ),
}


def read_sequence(header: bytes, codec: Codec) -> Sequence | None:
    """Read a sequence header, a NAL unit without its start code; None when it cannot be read."""
    return _FORMS[codec].read_sequence(header)


def sequence_headers(data: bytes, codec: Codec) -> list[bytes]:
    """Give the sequence headers (SPS) that stand before the first slice, without start codes and padding."""
    return [
        data[data.index(START, start) + len(START) : end].rstrip(b"\0")
        for kind, start, end in leading_units(data, codec)
        if kind == _FORMS[codec].sequence
    ]


def is_key_frame(data: bytes, codec: Codec) -> bool:
    """Return whether a decoder can begin with an access unit, by the type of its first slice."""
    return _first_slice(data, codec) in _FORMS[codec].key_slices


def is_leading(data: bytes, codec: Codec) -> bool:
    """Return whether a picture cannot be decoded by whoever began at the key frame before it."""
    return _first_slice(data, codec) in _FORMS[codec].leading_slices


def _first_slice(data: bytes, codec: Codec) -> int:
    slices = _FORMS[codec].slices
    return next((kind for kind, _, _ in leading_units(data, codec) if kind in slices), -1)


class ParameterSets:
    """The newest headers of one connection."""

    def __init__(self, of_the_session: bytes, codec: Codec = Codec.H264) -> None:
        """Take the headers of the session; those that are not in Annex B are in the stream anyway."""
        self._codec, self._order = codec, _FORMS[codec].headers
        self._headers = self._headers_of(of_the_session)

    def complete(self, keyframe: bytes) -> bytes:
        """Give the key frame with its headers; it is given back as it is when it has its own."""
        own = self._headers_of(keyframe)
        self._headers |= own
        if len(own) == len(self._order) or len(self._headers) < len(self._order):
            return keyframe
        at = self._after_delimiter(keyframe)
        return keyframe[:at] + b"".join(self._headers[kind] for kind in self._order) + keyframe[at:]

    def _headers_of(self, data: bytes) -> dict[int, bytes]:
        """Give the headers that stand before the first slice, all of a type together."""
        headers: dict[int, bytes] = {}
        for kind, start, end in leading_units(data, self._codec):
            if kind in self._order:
                headers[kind] = headers.get(kind, b"") + data[start:end]
        return headers

    def _after_delimiter(self, data: bytes) -> int:
        """Give the offset of the first unit that is no access unit delimiter, which has to be the first."""
        delimiter = _FORMS[self._codec].delimiter
        return next((start for kind, start, _ in leading_units(data, self._codec) if kind != delimiter), 0)


def leading_units(data: bytes, codec: Codec) -> Iterator[tuple[int, int, int]]:
    """Give (type, start, end) of the units up to the first slice, whose end is not looked for."""
    form = _FORMS[codec]
    at = data.find(START)
    while 0 <= at < len(data) - len(START):
        kind = form.kind_of(data, at + len(START))
        start = at - 1 if at and data[at - 1] == 0 else at
        if kind in form.slices:
            yield kind, start, len(data)
            return
        at = data.find(START, at + len(START))
        end = len(data) if at < 0 else at - (data[at - 1] == 0)
        yield kind, start, end
