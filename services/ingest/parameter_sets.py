"""Key frames with their headers: what a decoder needs to begin there. Pure.

Some cameras send the headers (SPS and PPS) of their H.264 only while the session is opened. A reader that
comes later, over another process, sees nothing but access units, so each key frame has to carry them.
"""

from collections.abc import Iterator

START = b"\x00\x00\x01"

SLICES = range(1, 6)
SPS, PPS, DELIMITER = 7, 8, 9


class ParameterSets:
    """The newest headers of one connection."""

    def __init__(self, of_opening: bytes) -> None:
        """Take the headers of the session; those that are not in Annex B are in the stream anyway."""
        self._headers = _headers_of(of_opening)

    def complete(self, keyframe: bytes) -> bytes:
        """Give the key frame with its headers; it is given back as it is when it has its own."""
        own = _headers_of(keyframe)
        if own:
            self._headers = own
            return keyframe
        at = _after_delimiter(keyframe)
        return keyframe[:at] + self._headers + keyframe[at:] if self._headers else keyframe


def sequence_headers(data: bytes) -> list[bytes]:
    """Give the sequence headers (SPS) that stand before the first slice, without their start codes."""
    return [
        data[data.index(START, start) + len(START) : end]
        for kind, start, end in _leading_units(data)
        if kind == SPS
    ]


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
