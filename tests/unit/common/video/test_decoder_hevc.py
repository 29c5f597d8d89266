"""H.265 out of B-frames, of 10 bits, and begun in the middle: each picture comes with its own unit."""

from dataclasses import replace

import av
import pytest

from services.common.video import decoder as decoding
from services.common.video.decoder import DecodedPicture, UnitDecoder
from services.core.codecs import Codec
from services.core.types import AccessUnit
from tests.hevc_video import SIZE, hevc_units

PICTURES = 40


def decoded(units: list[AccessUnit], decoder: UnitDecoder) -> list[DecodedPicture]:
    return [picture for unit in units if (picture := decoder.decode(unit)) is not None]


@pytest.mark.parametrize(
    ("options", "pixels"),
    [
        ("bframes=0:keyint=12", "yuv420p"),
        ("bframes=3:keyint=12:open-gop=0", "yuv420p"),
        ("bframes=4:b-pyramid=1:keyint=12:open-gop=1", "yuv420p10le"),
    ],
)
def test_each_picture_is_told_with_its_own_unit(options: str, pixels: str):
    decoder = UnitDecoder(Codec.HEVC)
    pictures = decoded(hevc_units(PICTURES, options, pixels), decoder)
    assert len(pictures) >= PICTURES - 4
    assert [picture.unit.time_s for picture in pictures] == [float(n) for n in range(len(pictures))]
    for picture in pictures:
        brightness = picture.picture.reformat(format="gray").to_ndarray().mean()
        assert abs(brightness - 5 * picture.unit.time_s) < 12
    assert decoder.broken == 0


def open_groups() -> list[AccessUnit]:
    units = hevc_units(PICTURES, "bframes=3:keyint=10:min-keyint=10:open-gop=1")
    assert sum(decoding.is_leading(unit.data, Codec.HEVC) for unit in units) >= 3
    return units


def test_who_begins_in_the_middle_sees_what_can_be_decoded_and_nothing_is_broken():
    units, decoder = open_groups(), UnitDecoder(Codec.HEVC)
    key = [number for number, unit in enumerate(units) if unit.is_keyframe][1]
    pictures = decoded(units[key - 3 :], decoder)
    assert pictures[0].unit == units[key]
    behind = [unit.time_s for unit in units[key:] if unit.time_s >= units[key].time_s]
    times_s = [picture.unit.time_s for picture in pictures]
    assert times_s == sorted(behind)[: len(pictures)]
    assert len(pictures) >= len(behind) - 4
    assert decoder.broken == 0


def test_behind_a_gap_too_what_refers_to_what_is_missing_is_passed_over():
    units, decoder = open_groups(), UnitDecoder(Codec.HEVC)
    first, second = [number for number, unit in enumerate(units) if unit.is_keyframe][:2]
    pictures = decoded(units[first : first + 4] + units[second:], decoder)
    leading = {unit.frame for unit in units[second:] if decoding.is_leading(unit.data, Codec.HEVC)}
    passed = {unit.frame for unit in units[second : second + 4]} & leading
    assert passed
    assert passed.isdisjoint(picture.unit.frame for picture in pictures)
    assert decoder.broken == 0


def test_pictures_of_ten_bits_that_are_held_back_weigh_twice(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decoding, "WAITING_LIMIT_PIXELS", 5 * SIZE[0] * SIZE[1])
    options = "bframes=4:b-pyramid=1:keyint=40"
    kept = [UnitDecoder(Codec.HEVC) for _ in range(2)]
    for decoder, pixels in zip(kept, ("yuv420p", "yuv420p10le"), strict=True):
        decoded(hevc_units(20, options, pixels), decoder)
    assert [decoder.broken > 0 for decoder in kept] == [False, True]


def test_a_reader_that_takes_it_for_h264_shows_nothing():
    units = [replace(unit, codec=Codec.H264) for unit in hevc_units(10, "bframes=0")]
    assert decoded(units, UnitDecoder(Codec.H264)) == []


def test_pictures_are_as_large_as_they_are_shown():
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = 96, 72, "yuv420p", 25
    encoder.sample_aspect_ratio = 2
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    data = b"".join(bytes(packet) for packet in encoder.encode(av.VideoFrame(96, 72, "yuv420p")))
    picture = UnitDecoder().decode(AccessUnit("c", 0, 0.0, True, data))
    assert picture is not None
    assert picture.size == (192, 72)
