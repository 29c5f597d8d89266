"""Decoding of a connection's access units; every unit is decoded, and only its user converts a picture."""

import time
from collections import deque
from dataclasses import dataclass, field

import av
from av.video.frame import VideoFrame

from services.common.video.shown import Numbered, ShownPictures
from services.core.codecs import Codec, is_leading
from services.core.damage import DamageTrail
from services.core.hevc_messages import with_needed_messages
from services.core.limits import PICTURE_LIMIT_PIXELS
from services.core.types import AccessUnit

WAITING_LIMIT = 32
"""Units that a decoder may keep back to put pictures in order; more than any stream does."""

WAITING_LIMIT_PIXELS = 8 * PICTURE_LIMIT_PIXELS
"""Most pixels of all pictures together that a decoder may keep back: 200 MB."""


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A decoded picture as a person sees it, not converted yet, with the access unit that it came in."""

    unit: AccessUnit
    picture: VideoFrame
    at_s: float = field(default_factory=time.monotonic)
    """When it was decoded, by a clock that nobody sets."""
    is_damaged: bool = False
    """Whether a part of it is missing or wrong, or of a picture that it stands on."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.picture.width, self.picture.height


class UnitDecoder:
    """Decodes the units of one connection in order; starts at a key frame.

    Pictures that are larger than Sightline takes are broken: nothing is reserved for them.
    """

    def __init__(self, codec: Codec = Codec.H264) -> None:
        self._kind = codec
        self._codec, self._shown = _codec(codec), ShownPictures()
        self._waiting: dict[int, AccessUnit] = {}
        self._ready: deque[DecodedPicture] = deque()
        self._is_started = False
        self._skips_leading = False
        self._newest_frame = -1
        self._trail = DamageTrail()
        self._damaged: set[int] = set()
        """Numbers of decoded pictures that are damaged and not yet shown."""
        self.broken = 0
        """Units that could not be decoded."""

    def decode(self, unit: AccessUnit) -> DecodedPicture | None:
        """Decode one unit; None before the first key frame, for a broken unit, and while one is kept back.

        The picture that comes out may be of an earlier unit (streams with B-frames): it comes with
        the unit that it really came in. Where several come out at once, the later ones wait for their turn.
        Pictures that are shown before the key frame by which decoding began, and refer to others before it,
        are passed over: nobody can decode them.
        """
        if (not self._is_started and not unit.is_keyframe) or self._is_undecodable(unit):
            return None
        packet = av.Packet(with_needed_messages(unit.data) if self._kind is Codec.HEVC else unit.data)
        packet.pts = packet.dts = unit.frame
        self._waiting[unit.frame] = unit
        if len(self._waiting) > WAITING_LIMIT:
            del self._waiting[min(self._waiting)]
        if len(self._waiting) * self._picture_pixels() > WAITING_LIMIT_PIXELS:
            self._begin_anew()
            return None
        try:
            pictures = [shown for raw in self._codec.decode(packet) for shown in self._see(raw)]
        except av.error.FFmpegError:
            self.broken += 1
            self._trail.see(unit.data, is_keyframe=False, is_hit=True)
            return None
        self._is_started = True
        for number, picture in pictures:
            source = self._waiting.pop(number, unit)
            self._ready.append(DecodedPicture(source, picture, is_damaged=number in self._damaged))
            self._damaged.discard(number)
        return self._ready.popleft() if self._ready else None

    def _see(self, raw: VideoFrame) -> list[Numbered]:
        """Take a picture as the decoder gives it; give those that are ready to be seen."""
        number = raw.pts or 0
        source = self._waiting.get(number)
        is_key, data = (source.is_keyframe, source.data) if source is not None else (False, b"")
        is_damaged = self._trail.see(data, is_key, bool(raw.is_corrupt))
        if is_damaged or (source is not None and source.is_damaged):
            self._damaged.add(number)
        return self._shown.show(number, raw, self._codec.sample_aspect_ratio)

    def _is_undecodable(self, unit: AccessUnit) -> bool:
        """Return whether a picture refers to one before the key frame that came first, or behind a gap."""
        follows, self._newest_frame = unit.frame == self._newest_frame + 1, unit.frame
        if unit.is_keyframe:
            self._skips_leading = not self._is_started or not follows
        return self._skips_leading and is_leading(unit.data, self._kind)

    def _picture_pixels(self) -> int:
        """Give the pixels of a picture; those of more than 8 bits take twice the memory, and count twice."""
        form = self._codec.format
        is_deep = form is not None and any(part.bits > 8 for part in form.components)
        return self._codec.width * self._codec.height * (1 + is_deep)

    def _begin_anew(self) -> None:
        """Let go of what is kept back, and wait for a key frame."""
        self._codec, self._shown, self._is_started = _codec(self._kind), ShownPictures(), False
        self._trail, self._damaged = DamageTrail(), set()
        self._waiting.clear()
        self._ready.clear()
        self.broken += 1


def _codec(codec: Codec) -> av.VideoCodecContext:
    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    context.options = {"max_pixels": str(PICTURE_LIMIT_PIXELS)}
    if codec is Codec.HEVC:
        # else it conceals wrong bytes without a word, and gives nothing that stands on a missing picture
        context.options |= {"err_detect": "explode", "flags": "+output_corrupt"}
    return context
