"""Which pictures stand on damaged ones, over streams as encoders make them."""

import io

import av
import numpy as np
import pytest

from services.core.codecs import Codec
from services.core.damage import DamageTrail, PictureNumbers, begins_whole
from services.core.h264_pictures import recovery_pictures

FPS, GOP, PICTURES = 25, 10, 30
PLAIN = "scenecut=0:bframes=0"
Stream = list[tuple[bool, bytes, float]]
"""Is it a key frame, the access unit, when it is shown; in the order of decoding."""


def stream(parameters: str = PLAIN) -> Stream:
    """Pictures of a square that moves, in Annex B."""
    with av.open(io.BytesIO(), "w", format="h264") as container:
        output = container.add_stream("libx264", rate=FPS)
        output.width, output.height, output.pix_fmt, output.gop_size = 64, 64, "yuv420p", GOP
        output.options = {"x264-params": f"keyint={GOP}:min-keyint={GOP}:{parameters}"}
        units: Stream = []
        for number in [*range(PICTURES), None]:
            frame = None
            if number is not None:
                picture = np.full((64, 64, 3), 40, np.uint8)
                picture[10:30, number : number + 20] = 200
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            for packet in output.encode(frame):
                units.append((bool(packet.is_keyframe), bytes(packet), float(packet.pts * packet.time_base)))
    return units


def drawn(units: Stream, lost: set[int]) -> str:
    """What becomes of each picture when some never come: `-` lost, `x` damaged, `.` whole."""
    numbers, trail, found = PictureNumbers(), DamageTrail(), ""
    for number, (is_keyframe, data, shown_s) in enumerate(units):
        if number in lost:
            found += "-"
            continue
        has_missed = numbers.has_missed(data, is_keyframe)
        found += "x" if trail.see(data, is_keyframe, False, shown_s, has_missed) else "."
    return found


@pytest.mark.parametrize(
    "parameters",
    [
        PLAIN,
        "bframes=2:scenecut=0",
        "bframes=3:open-gop=1:scenecut=0",
        "slices=4:" + PLAIN,
        "intra-refresh=1:" + PLAIN,
        "interlaced=1:bframes=2",
        "ref=5:" + PLAIN,
    ],
)
def test_a_stream_that_came_whole_has_no_damaged_picture(parameters: str) -> None:
    assert drawn(stream(parameters), set()) == "." * PICTURES


def test_what_stands_on_a_lost_picture_is_damaged_up_to_the_next_key_frame() -> None:
    assert drawn(stream(), {4}) == "....-xxxxx" + "." * 20
    assert drawn(stream(), {4, 5, 17}) == "....--xxxx.......-xx" + "." * 10


def test_a_lost_key_frame_damages_all_up_to_the_next_one() -> None:
    assert drawn(stream(), {10}) == "." * 10 + "-xxxxxxxxx" + "." * 10


def test_a_lost_picture_on_which_none_stands_damages_none() -> None:
    units = stream("bframes=2:b-pyramid=0:b-adapt=0:scenecut=0")
    is_reference = [any(unit[0] & 0x60 for unit in _slices(data)) for _, data, _ in units]
    assert drawn(units, {is_reference.index(False)}).count("x") == 0


def _slices(data: bytes) -> list[bytes]:
    return [part for part in data.split(b"\0\0\1") if part and part[0] & 31 in (1, 5)]


def test_pictures_shown_before_an_open_key_frame_are_damaged_still() -> None:
    units = stream("bframes=3:b-adapt=0:open-gop=1:scenecut=0")
    key = next(n for n, unit in enumerate(units) if unit[0] and n > 0)
    found = drawn(units, {key - 3})
    early = [n for n, unit in enumerate(units) if n > key and unit[2] < units[key][2]]
    assert early
    assert found[key] == "."
    assert {found[n] for n in early} == {"x"}
    assert set(found[max(early) + 1 :]) == {"."}


def test_where_a_picture_is_refreshed_bit_by_bit_the_damage_lasts_as_long_as_the_stream_says() -> None:
    units = stream("intra-refresh=1:" + PLAIN)
    points = [(n, recovery_pictures(data)) for n, (is_key, data, _) in enumerate(units) if is_key and n > 0]
    found = drawn(units, {4})
    start, length = points[0]
    assert length > 0
    assert found == "....-" + "x" * (start + length - 5) + "." * (PICTURES - start - length)


def test_a_whole_key_frame_ends_a_slow_refresh() -> None:
    trail, slow = DamageTrail(), b"\0\0\1\x06\x06\x01\x30\x80\0\0\1\x41"
    assert recovery_pictures(slow) == 5
    assert trail.see(b"", False, is_hit=True)
    assert [trail.see(slow, True, False), trail.see(b"", False, False)] == [True, True]
    assert not trail.see(b"", True, False)


def test_a_key_frame_that_is_damaged_itself_ends_nothing() -> None:
    trail = DamageTrail()
    assert [trail.see(b"", key, hit) for key, hit in [(True, False), (False, True), (True, True)]] == [
        False,
        True,
        True,
    ]
    assert trail.see(b"", False, False)
    assert not trail.see(b"", True, False)


def test_a_picture_whose_first_slice_never_came_does_not_begin_whole() -> None:
    _, data, _ = stream("slices=2:" + PLAIN)[0]
    parts = data.split(b"\0\0\1")
    first = next(n for n, part in enumerate(parts) if part and part[0] & 31 == 5)
    without = b"\0\0\1".join(parts[:first] + parts[first + 1 :])
    assert begins_whole(data, Codec.H264)
    assert not begins_whole(without, Codec.H264)


def test_the_same_of_hevc() -> None:
    headers = b"\0\0\0\1\x40\1\x0c" + b"\0\0\0\1\x42\1\1\1"
    assert begins_whole(headers + b"\0\0\1\x26\1\xaf\1\2\3", Codec.HEVC)
    assert not begins_whole(headers + b"\0\0\1\x26\1\x2f\1\2\3", Codec.HEVC)
    assert not begins_whole(headers, Codec.HEVC)


def test_numbers_say_nothing_of_what_is_no_h264() -> None:
    numbers = PictureNumbers()
    junk = [
        bytes([n % 251 for n in range(40)]),
        b"",
        b"\0\0\1\x41",
        b"\0\0\1\x67\xff",
        b"\0\0\1\x65" + b"\0" * 40,
    ]
    assert not any(numbers.has_missed(data, is_key) for data in junk for is_key in (True, False))
