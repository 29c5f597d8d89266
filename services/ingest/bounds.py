"""What one stream may send: pictures that are too large, too many or too often end it. Pure.

A stream that goes beyond a bound is refused, not cut: what is left of it could not be counted honestly.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from services.core.codecs import START, Codec, read_sequence, sequence_headers
from services.core.errors import StreamError
from services.core.limits import (
    BYTES_PER_S_LIMIT,
    REFERENCED_LIMIT_PIXELS,
    UNIT_LIMIT_BYTES,
    UNIT_PARTS_LIMIT,
    UNITS_PER_S_LIMIT,
    size_fault,
)
from services.core.sequences import Sequence

BURST_S = 6.0
"""What a network kept back comes all at once; so much of it is no flood."""

RESIZE_LIMIT = 4
"""Other sizes of pictures within `RESIZE_SPAN_S`; each makes every reader begin anew."""

RESIZE_SPAN_S = 60.0


@dataclass(slots=True)
class _Allowance:
    """Lets pass what comes at a rate, and bursts of it."""

    per_s: float
    used: float = 0.0
    since_s: float | None = None

    def take(self, amount: float, now_s: float) -> bool:
        """Take some; False when that is more than there is."""
        if self.since_s is not None:
            self.used = max(0.0, self.used - (now_s - self.since_s) * self.per_s)
        self.since_s = now_s
        self.used += amount
        return self.used <= BURST_S * self.per_s


@dataclass(slots=True)
class StreamBounds:
    """The bounds of one connection."""

    is_live: bool
    """Whether the stream sets its own rate, as a camera does; a file is read as fast as it is wanted."""
    now_s: Callable[[], float]
    resolution: tuple[int, int] | None = None
    """Width and height in pixels as the newest sequence header has them."""
    _units: _Allowance = field(default_factory=lambda: _Allowance(UNITS_PER_S_LIMIT))
    _bytes: _Allowance = field(default_factory=lambda: _Allowance(BYTES_PER_S_LIMIT))
    _headers: list[bytes] = field(default_factory=list)
    _resized_s: deque[float] = field(default_factory=lambda: deque(maxlen=RESIZE_LIMIT))

    def check_unit(self, data: bytes) -> None:
        """Take an access unit before anything looks into it; StreamError when it goes beyond a bound."""
        self.check_length(len(data))
        if data.count(START) > UNIT_PARTS_LIMIT:
            raise StreamError("picture-parts", most=UNIT_PARTS_LIMIT)
        if not self.is_live:
            return
        now_s = self.now_s()
        if not self._units.take(1, now_s):
            raise StreamError("camera-too-fast", most=UNITS_PER_S_LIMIT)
        if not self._bytes.take(len(data), now_s):
            raise StreamError("camera-too-much", most=BYTES_PER_S_LIMIT * 8 // 1_000_000)

    @staticmethod
    def check_length(size_bytes: int) -> None:
        """StreamError when an access unit is too large to be taken."""
        if size_bytes > UNIT_LIMIT_BYTES:
            raise StreamError(
                "picture-bytes", megabytes=round(size_bytes / 1e6), most=round(UNIT_LIMIT_BYTES / 1e6)
            )

    def check_headers(self, data: bytes, codec: Codec = Codec.H264) -> None:
        """Look at the sequence headers of an access unit; StreamError when its pictures are too large."""
        headers = sequence_headers(data, codec)
        if not headers or headers == self._headers:
            return
        self._headers = headers
        sequences = [found for header in headers if (found := read_sequence(header, codec)) is not None]
        for sequence in sequences:
            self._check_sequence(sequence)
        if sequences:
            first = sequences[0].number
            newest = [sequence for sequence in sequences if sequence.number == first][-1]
            self._resize((newest.width, newest.height))

    def _check_sequence(self, sequence: Sequence) -> None:
        width, height = sequence.coded_width, sequence.coded_height
        if fault := size_fault(width, height):
            raise StreamError("stream-grown-too-large", reason=fault)
        if sequence.references * width * height > REFERENCED_LIMIT_PIXELS:
            raise StreamError("stream-references", pictures=sequence.references, width=width, height=height)

    def _resize(self, resolution: tuple[int, int]) -> None:
        before, self.resolution = self.resolution, resolution
        if before is None or before == resolution:
            return
        now_s = self.now_s()
        if len(self._resized_s) == RESIZE_LIMIT and now_s - self._resized_s[0] < RESIZE_SPAN_S:
            raise StreamError("camera-resizes")
        self._resized_s.append(now_s)
