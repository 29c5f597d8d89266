"""H.265 as cameras send it: pictures of one brightness each, in small units."""

from fractions import Fraction

import av
import numpy as np

from services.core.codecs import Codec, is_key_frame
from services.core.types import AccessUnit

SIZE = 160, 120


def hevc_units(
    pictures: int,
    options: str = "",
    pixels: str = "yuv420p",
    size: tuple[int, int] = SIZE,
    aspect: Fraction = Fraction(1),
) -> list[AccessUnit]:
    """Encode pictures, the n-th of brightness 5n; `options` as x265 has them. The time is the order shown."""
    encoder = av.CodecContext.create("libx265", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    (encoder.width, encoder.height), encoder.pix_fmt = size, pixels
    encoder.sample_aspect_ratio = aspect
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    common = "log-level=none:pools=none:frame-threads=1:repeat-headers=1:scenecut=0:b-adapt=0"
    encoder.options = {"preset": "ultrafast", "x265-params": f"{common}:{options}".rstrip(":")}
    packets = []
    for number in range(pictures):
        grey = np.full((size[1], size[0], 3), 5 * number, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="bgr24").reformat(format=pixels)
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [
        AccessUnit(
            "c", number, float(packet.pts or 0), is_key_frame(bytes(packet), Codec.HEVC), bytes(packet),
            codec=Codec.HEVC,
        )
        for number, packet in enumerate(packets)
    ]  # fmt: skip
