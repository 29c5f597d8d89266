"""H.265 out of B-frames, of 10 bits, and begun in the middle: each picture comes with its own unit."""

from dataclasses import replace

import av
import pytest

from services.common.video import decoder as decoding
from services.common.video.decoder import DecodedPicture, UnitDecoder
from services.core.codecs import SLICES_HEVC, Codec, leading_units
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


def test_what_stands_on_a_picture_that_never_came_is_shown_and_known_to_be_damaged():
    units, decoder = hevc_units(PICTURES, "bframes=0:keyint=30:min-keyint=30"), UnitDecoder(Codec.HEVC)
    pictures = decoded(units[:10] + units[11:], decoder)
    shown = {picture.unit.frame: picture.is_damaged for picture in pictures}
    assert shown == {frame: 10 < frame < 30 for frame in range(PICTURES) if frame != 10}


ODD_MESSAGES = {
    "longer than its unit": b"\x05\xc8" + b"x" * 20,
    "without an end": b"\x05\x10" + b"x" * 16,
    "nothing": b"",
    "a registered text that is cut off": b"\x04\x03\xb5\x00\x00\x80",
    "a light level of one byte": b"\x90\x01\x01\x80",
    "many types": b"\xff" * 30,
}


@pytest.mark.parametrize("message", ODD_MESSAGES.values(), ids=ODD_MESSAGES)
@pytest.mark.parametrize("head", [b"\x4e\x01", b"\x50\x01"], ids=["before", "behind"])
def test_what_a_camera_says_of_its_own_beside_its_pictures_is_no_fault(message: bytes, head: bytes):
    units, decoder = hevc_units(PICTURES, "bframes=0:keyint=12:aud=1"), UnitDecoder(Codec.HEVC)
    odd = [
        replace(unit, data=with_message(unit.data, head + message, is_before=head == b"\x4e\x01"))
        for unit in units
    ]
    pictures = decoded(odd, decoder)
    assert [picture.unit.frame for picture in pictures] == list(range(PICTURES))
    assert (decoder.broken, any(picture.is_damaged for picture in pictures)) == (0, False)


def with_message(data: bytes, unit: bytes, is_before: bool) -> bytes:
    """Put a unit before the first slice, or behind the last one."""
    if not is_before:
        return data + b"\0\0\1" + unit
    at = next(start for kind, start, _ in leading_units(data, Codec.HEVC) if kind in SLICES_HEVC)
    return data[:at] + b"\0\0\1" + unit + data[at:]
