"""Access units to pictures: every unit is decoded, only sampled pictures are converted."""

from dataclasses import dataclass

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation

from services.core.frames import Letterbox, Picture
from services.core.types import AccessUnit


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A decoded picture, not converted yet, with what is known of its access unit."""

    unit: AccessUnit
    picture: VideoFrame

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.width, self.picture.height


def scaled_rgb(picture: VideoFrame, letterbox: Letterbox) -> Picture:
    """Scale a decoded picture to the network's input and turn it to RGB, in one pass."""
    width, height = letterbox.size
    converted = picture.reformat(width=width, height=height, format="rgb24", interpolation=Interpolation.AREA)
    return np.asarray(converted.to_ndarray(), np.uint8)


class H264Decoder:
    """Decodes the access units of one connection in order; starts at a key frame."""

    def __init__(self) -> None:
        self._codec = av.CodecContext.create("h264", "r")
        self._codec.thread_count = 1
        self._started = False
        self.broken = 0
        """Units that could not be decoded."""

    def decode(self, unit: AccessUnit) -> DecodedPicture | None:
        """Decode one unit; None before the first key frame and for a broken unit."""
        if not self._started and not unit.is_keyframe:
            return None
        try:
            pictures = self._codec.decode(av.Packet(unit.data))
        except av.error.FFmpegError:
            self.broken += 1
            return None
        self._started = True
        if not pictures:
            return None
        return DecodedPicture(unit, pictures[-1])
