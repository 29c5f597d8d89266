"""One picture of a stream as a JPEG, made of a single key frame: for whoever looks whether an address works.

It runs in the process of the source, whose memory is bounded: nothing is decoded but the key frame, and what
is encoded is small already.
"""

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from services.common.video.shown import ShownPictures
from services.core.codecs import Codec
from services.core.limits import PICTURE_LIMIT_PIXELS, TRIAL_LIMIT_BYTES, TRIAL_WIDTH

PICTURE_HEIGHT = 2 * TRIAL_WIDTH
"""Most pixels that it is high, for cameras that stand on their side."""

QUALITIES = (4, 10, 31)
"""Quantisers of the JPEG, the best first; a picture that is too many bytes with one is made with the next."""


def still_of(key_frame: bytes, codec: Codec) -> bytes | None:
    """Give the JPEG of a key frame with its headers, Annex B; None when it cannot be decoded."""
    try:
        reduced = _reduced_picture(key_frame, codec)
        return None if reduced is None else _encoded(reduced)
    except (av.error.FFmpegError, MemoryError):
        return None


def _reduced_picture(key_frame: bytes, codec: Codec) -> VideoFrame | None:
    """Give the picture small enough to be shown, as a person sees it, and in the colours of a JPEG."""
    decoder = _codec(codec, "r")
    decoder.options = {"max_pixels": str(PICTURE_LIMIT_PIXELS)}
    pictures = [*decoder.decode(av.Packet(key_frame)), *decoder.decode(None)]
    if not pictures:
        return None
    shown = ShownPictures()
    picture = [*shown.show(0, pictures[0], decoder.sample_aspect_ratio), *shown.rest()][0][1]
    share = min(1.0, TRIAL_WIDTH / picture.width, PICTURE_HEIGHT / picture.height)
    width, height = (max(2, int(side * share) // 2 * 2) for side in (picture.width, picture.height))
    return VideoReformatter().reformat(
        picture, width, height, "yuvj420p", interpolation="AREA", dst_color_range="JPEG", threads=1
    )


def _encoded(picture: VideoFrame) -> bytes | None:
    for quality in QUALITIES:
        codec = _codec("mjpeg", "w")
        codec.width, codec.height, codec.pix_fmt = picture.width, picture.height, "yuvj420p"
        codec.time_base = Fraction(1, 1)
        codec.options = {"qmin": str(quality), "qmax": str(quality)}
        picture.pts = 0
        data = b"".join(bytes(packet) for packet in [*codec.encode(picture), *codec.encode(None)])
        if len(data) <= TRIAL_LIMIT_BYTES:
            return data
    return None


def _codec(name: str, mode: str) -> VideoCodecContext:
    codec = av.CodecContext.create(name, "r" if mode == "r" else "w")
    assert isinstance(codec, VideoCodecContext)
    codec.thread_count = 1
    return codec
