"""Which pictures of a stream stand on damaged ones: pure, for any codec.

A picture is damaged when a part of it was lost on the way, or could not be decoded. Those that follow are
made of it, however whole they came themselves, up to the next key frame that is whole.
"""

import math
from dataclasses import dataclass

from services.core.codecs import SLICES_H264, SLICES_HEVC, START, Codec, read_sequence, sequence_headers
from services.core.h264_pictures import first_slice, recovery_pictures


@dataclass(slots=True)
class DamageTrail:
    """Follows the pictures of one stream in the order of decoding, and gives which are damaged."""

    is_damaged: bool = False
    """Whether the next picture would be, if it is no key frame."""
    _recovering: int = 0
    """Pictures until the damage is over, where the picture is refreshed bit by bit."""
    _whole_from_s: float = -math.inf
    """What is shown before this stands on pictures from before the key frame that ended the damage."""

    def see(
        self,
        data: bytes,
        is_keyframe: bool,
        is_hit: bool,
        shown_s: float | None = None,
        has_missed: bool = False,
    ) -> bool:
        """Take the next picture and whether it was damaged itself; gives whether it is no evidence.

        `shown_s` is its time by the clock of the stream, in the order in which pictures are shown;
        `has_missed` tells that one before it, on which it may stand, never came.
        """
        if is_hit or has_missed:
            self.is_damaged, self._recovering = True, 0
        if is_hit:
            return True
        if self.is_damaged and is_keyframe:
            pictures = recovery_pictures(data)
            self._recovering = min(pictures, self._recovering or pictures)
            self.is_damaged = self._recovering > 0
            self._whole_from_s = -math.inf if shown_s is None else shown_s
        elif self._recovering:
            self._recovering -= 1
            self.is_damaged = self._recovering > 0
        return self.is_damaged or (shown_s is not None and shown_s < self._whole_from_s)


class PictureNumbers:
    """Follows the numbers that pictures of H.264 carry, and so knows of whole ones that never came.

    What is no H.264, or may leave numbers out, is taken to be complete.
    """

    def __init__(self) -> None:
        self._bits = 0
        """Of a picture's number; 0 where numbers say nothing."""
        self._last: int | None = None
        """Number of the newest picture that others may refer to."""

    def has_missed(self, data: bytes, is_keyframe: bool) -> bool:
        """Take the next picture in Annex B; gives whether one that it may stand on is missing before it."""
        if is_keyframe:
            self._learn(data)
        head = first_slice(data, self._bits) if self._bits else None
        if head is None:
            self._last = None
            return False
        last, number = self._last, head.number
        if head.is_reference or last is None:
            self._last = number
        return not head.is_idr and last is not None and (number - last) % (1 << self._bits) > 1

    def _learn(self, data: bytes) -> None:
        sequences = [read_sequence(header, Codec.H264) for header in sequence_headers(data, Codec.H264)]
        if sequences:
            bits = {0 if one is None or one.may_skip else one.number_bits for one in sequences}
            self._bits = bits.pop() if len(bits) == 1 else 0


def begins_whole(data: bytes, codec: Codec) -> bool:
    """Return whether a picture in Annex B begins with its first slice."""
    is_h264 = codec is Codec.H264
    at = data.find(START)
    while 0 <= at < len(data) - 6:
        head, after = data[at + 3], data[at + 4 : at + 6]
        kind = head & 0x1F if is_h264 else head >> 1 & 0x3F
        if kind in (SLICES_H264 if is_h264 else SLICES_HEVC):
            return bool(after[0 if is_h264 else 1] & 0x80)
        at = data.find(START, at + 3)
    return False
