"""Decoding of a connection's access units; every unit is decoded, and only its user converts a picture."""

import time
from dataclasses import dataclass, field

import av
from av.video.frame import VideoFrame

from services.common.video.shown import ShownPictures
from services.core.limits import PICTURE_LIMIT_PIXELS
from services.core.types import AccessUnit

WAITING_LIMIT = 32
"""Units that a decoder may keep back to put pictures in order; more than any stream does."""

WAITING_LIMIT_PIXELS = 8 * PICTURE_LIMIT_PIXELS
"""Most pixels of all pictures together that a decoder may keep back: 200 MB."""


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A decoded picture, not converted yet, with the access unit that it came in."""

    unit: AccessUnit
    picture: VideoFrame
    """As a person sees it: upright, and of its true shape."""
    at_s: float = field(default_factory=time.monotonic)
    """When it was decoded, by a clock that nobody sets."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.width, self.picture.height


class H264Decoder:
    """Decodes the units of one connection in order; starts at a key frame.

    Pictures that are larger than Sightline takes are broken: nothing is reserved for them.
    """

    def __init__(self) -> None:
        self._codec, self._shown = _codec(), ShownPictures()
        self._waiting: dict[int, AccessUnit] = {}
        self._is_started = False
        self.broken = 0
        """Units that could not be decoded."""

    def decode(self, unit: AccessUnit) -> DecodedPicture | None:
        """Decode one unit; None before the first key frame, for a broken unit, and while one is kept back.

        The picture that comes out may be of an earlier unit (streams with B-frames): it comes with
        the unit that it really came in.
        """
        if not self._is_started and not unit.is_keyframe:
            return None
        packet = av.Packet(unit.data)
        packet.pts = packet.dts = unit.frame
        self._waiting[unit.frame] = unit
        if len(self._waiting) > WAITING_LIMIT:
            del self._waiting[min(self._waiting)]
        if len(self._waiting) * self._codec.width * self._codec.height > WAITING_LIMIT_PIXELS:
            self._begin_anew()
            return None
        try:
            pictures = [
                shown
                for picture in self._codec.decode(packet)
                for shown in self._shown.show(picture.pts or 0, picture, self._codec.sample_aspect_ratio)
            ]
        except av.error.FFmpegError:
            self.broken += 1
            return None
        self._is_started = True
        if not pictures:
            return None
        number, picture = pictures[-1]
        return DecodedPicture(self._waiting.pop(number, unit), picture)

    def _begin_anew(self) -> None:
        """Let go of what is kept back, and wait for a key frame."""
        self._codec, self._shown, self._is_started = _codec(), ShownPictures(), False
        self._waiting.clear()
        self.broken += 1


def _codec() -> av.VideoCodecContext:
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, av.VideoCodecContext)
    codec.thread_count = 1
    codec.options = {"max_pixels": str(PICTURE_LIMIT_PIXELS)}
    return codec
