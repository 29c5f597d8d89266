"""One key frame as a JPEG: small, in its true shape, of either codec."""

from fractions import Fraction

import av
import numpy as np
import pytest

from services.core.codecs import Codec
from services.ingest.still import still_of
from tests.hevc_video import hevc_units


def size_of(jpeg: bytes | None) -> tuple[int, int]:
    assert jpeg is not None
    decoder = av.CodecContext.create("mjpeg", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    (picture,) = decoder.decode(av.Packet(jpeg))
    return picture.width, picture.height


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_a_key_frame_of_h265(pixels: str):
    (unit,) = hevc_units(1, pixels=pixels, size=(1280, 720))
    assert size_of(still_of(unit.data, Codec.HEVC)) == (640, 360)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [(Fraction(2), (320, 120)), (Fraction(1, 2), (160, 240)), (Fraction(1, 200), (160, 120))],
)
def test_its_true_shape(aspect: Fraction, size: tuple[int, int]):
    (unit,) = hevc_units(1, aspect=aspect)
    assert size_of(still_of(unit.data, Codec.HEVC)) == size


def test_what_cannot_be_decoded_gives_no_picture():
    (unit,) = hevc_units(1)
    assert still_of(unit.data, Codec.H264) is None
    assert still_of(np.random.default_rng(1).bytes(1000), Codec.HEVC) is None
