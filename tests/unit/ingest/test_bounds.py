"""What one stream may send, to the last piece that still passes."""

import itertools

import pytest

from services.core.codecs import Codec
from services.core.errors import StreamError
from services.core.limits import UNIT_LIMIT_BYTES, UNIT_PARTS_LIMIT, UNITS_PER_S_LIMIT, size_fault
from services.ingest.bounds import RESIZE_LIMIT, RESIZE_SPAN_S, StreamBounds
from tests.hevc_video import hevc_units
from tests.hostile_files import header_of

START = b"\0\0\0\1"
SLICE = b"\0\0\1\x65picture"


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def live() -> tuple[StreamBounds, Clock]:
    clock = Clock()
    return StreamBounds(True, clock), clock


@pytest.mark.parametrize(
    ("size", "passes"),
    [
        ((3840, 2160), True),
        ((4000, 3000), True),
        ((4096, 4096), True),
        ((8192, 2048), True),
        ((8208, 16), False),
        ((4096, 4112), False),
        ((7680, 4320), False),
        ((12288, 6912), False),
    ],
)
def test_the_sizes_that_pass(size: tuple[int, int], passes: bool):
    assert (size_fault(*size) is None) is passes


def test_a_size_stands_in_the_reason_and_pictures_within_it_pass():
    bounds, _ = live()
    bounds.check_headers(START + header_of(4000, 3000) + SLICE)
    assert bounds.resolution == (4000, 3000)
    with pytest.raises(StreamError, match="8208x32 pixels"):
        bounds.check_headers(START + header_of(8200, 32) + SLICE)


def test_h265_has_the_same_bounds():
    bounds, _ = live()
    (small,), (large,) = hevc_units(1), hevc_units(1, size=(8256, 64))
    bounds.check_headers(small.data, Codec.HEVC)
    assert bounds.resolution == (160, 120)
    with pytest.raises(StreamError, match="8256x64 pixels"):
        bounds.check_headers(large.data, Codec.HEVC)


def test_many_large_pictures_to_refer_to_are_too_much():
    bounds, _ = live()
    bounds.check_headers(START + header_of(1920, 1080, options="ref=16") + SLICE)
    with pytest.raises(StreamError, match="16 pictures of 3840x2160"):
        bounds.check_headers(START + header_of(3840, 2160, options="ref=16") + SLICE)


def test_the_length_of_a_picture_and_its_parts():
    bounds, _ = live()
    bounds.check_unit(bytes(UNIT_LIMIT_BYTES))
    with pytest.raises(StreamError, match="up to 8"):
        bounds.check_unit(bytes(UNIT_LIMIT_BYTES + 1_000_000))
    bounds.check_unit(b"\0\0\1\x41" * UNIT_PARTS_LIMIT)
    with pytest.raises(StreamError, match="parts"):
        bounds.check_unit(b"\0\0\1\x41" * (UNIT_PARTS_LIMIT + 1))


@pytest.mark.parametrize(("per_s", "size_bytes"), [(120, 10_000), (30, 700_000)])
def test_a_fast_camera_and_a_rich_one_may_go_on_for_ever_and_may_burst(per_s: int, size_bytes: int):
    bounds, clock = live()
    unit = bytes(size_bytes)
    for _ in range(5 * per_s):
        bounds.check_unit(unit)
    for _ in range(15 * per_s):
        clock.now_s += 1 / per_s
        bounds.check_unit(unit)


@pytest.mark.parametrize(
    ("per_s", "size_bytes", "words"),
    [
        (100_000, 10, "250 pictures a second"),
        (2 * UNITS_PER_S_LIMIT, 10, "pictures"),
        (10, 4_000_000, "200 Mbit"),
    ],
)
def test_a_flood_ends_the_stream(per_s: int, size_bytes: int, words: str):
    bounds, clock = live()
    unit = bytes(size_bytes)
    with pytest.raises(StreamError, match=words):
        for _ in range(15 * per_s):
            clock.now_s += 1 / per_s
            bounds.check_unit(unit)


def test_a_file_is_read_as_fast_as_it_is_wanted():
    bounds = StreamBounds(False, Clock())
    for _ in range(10 * UNITS_PER_S_LIMIT):
        bounds.check_unit(b"x")


def test_a_camera_may_change_its_size_now_and_then_but_not_all_the_time():
    bounds, clock = live()
    units = [START + header_of(width, 240) + SLICE for width in (320, 640)]
    for number in range(40):
        bounds.check_headers(units[number % 2])
        bounds.check_headers(units[number % 2])
        clock.now_s += RESIZE_SPAN_S / RESIZE_LIMIT
    with pytest.raises(StreamError, match="again and again"):
        for unit in itertools.islice(itertools.cycle(units), RESIZE_LIMIT + 2):
            bounds.check_headers(unit)


def test_two_headers_in_each_key_frame_are_no_change_of_size():
    bounds, _ = live()
    unit = START + header_of(640, 360) + START + header_of(320, 240) + SLICE
    for _ in range(20):
        bounds.check_headers(unit)
    assert bounds.resolution == (320, 240), "the later one of a number takes the place of the first"
