"""The times of a bare stream in a file (`.h264`, `.h265`), which has none: by its rate, as pictures show."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeAlias

from av.bitstream import BitStreamFilterContext
from av.packet import Packet
from av.video.stream import VideoStream

from services.core.codecs import START

FALLBACK_FPS = 25
"""Pictures a second of a stream that states no rate."""

BEGINNINGS = {"h264": (31, 0, range(5, 6)), "hevc": (63, 1, range(16, 21))}
"""By codec: how the type of a unit stands in its first byte (mask, shift), and the types after which nothing
is shown that came before."""

VideoPacket: TypeAlias = "Packet[VideoStream]"


def with_times(packets: Iterable[VideoPacket], stream: VideoStream) -> Iterator[VideoPacket]:
    """Give the packets of a file; those of a bare stream get the times that they lack."""
    times: _BareTimes | None = None
    is_first = True
    for packet in packets:
        if is_first and packet.pts is None and packet.dts is None and stream.codec.name in BEGINNINGS:
            times = _BareTimes(stream)
        is_first = False
        yield from (packet,) if times is None else times.timed(packet)


class _BareTimes:
    """Numbers the pictures of a bare stream as they show.

    FFmpeg's filter reads the order of showing out of them. At the end of what belongs together it does not
    know all: what it leaves open gets the numbers that are left.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self._filter = _filter(stream)
        rate = Fraction(stream.guessed_rate or FALLBACK_FPS)
        self._step = max(1, round(1 / rate / stream.time_base)) if stream.time_base else 1
        self._mask, self._shift, self._beginnings = BEGINNINGS[stream.codec.name]
        self._number = 0
        self._lowest = 0
        """The lowest number that no picture has."""
        self._used: set[int] = set()
        """Numbers above it that are taken."""
        self._delay: int | None = None

    def timed(self, packet: VideoPacket) -> list[VideoPacket]:
        """Take the next packet, an empty one at the end; give those whose times are known."""
        if not packet.size:
            return [*self._end(), packet]
        ended = self._end() if self._number and self._begins(bytes(packet)) else []
        packet.dts, packet.duration = self._number * self._step, self._step
        self._number += 1
        return [*ended, *(self._numbered(known) for known in self._filter.filter(packet))]

    def _begins(self, data: bytes) -> bool:
        """Return whether a picture begins what belongs together."""
        units = data.split(START)[1:]
        return any(unit and unit[0] >> self._shift & self._mask in self._beginnings for unit in units)

    def _end(self) -> list[VideoPacket]:
        """Give the rest of what belongs together."""
        rest = list(self._filter.filter(None))
        for packet in sorted(rest, key=lambda packet: packet.pts is None):
            self._numbered(packet)
        self._filter = _filter(self._stream)
        self._lowest, self._delay = self._number, None
        self._used.clear()
        return rest

    def _numbered(self, packet: VideoPacket) -> VideoPacket:
        """Give a packet the time of its number, or of the lowest that is left."""
        number = self._lowest
        if packet.pts is not None:
            given = packet.pts // self._step
            self._delay = given - self._lowest if self._delay is None else self._delay
            number = given - self._delay
        if number < self._lowest or number in self._used:
            number = self._lowest
        self._used.add(number)
        while self._lowest in self._used:
            self._used.discard(self._lowest)
            self._lowest += 1
        packet.pts = number * self._step
        return packet


def _filter(stream: VideoStream) -> BitStreamFilterContext:
    return BitStreamFilterContext("dts2pts", stream)
