"""When a missing key frame is told, and when pictures only come out of their order."""

import pytest

from services.common.video.key_frames import REORDERED, KeyFrameWatch


def see(
    watch: KeyFrameWatch, count: int, fps: float = 25, connection: int = 1, from_s: float = 100.0
) -> None:
    for number in range(count):
        watch.see(from_s + number / fps, connection, False)


def test_a_second_without_anything_to_decode_says_that_a_key_frame_is_missing() -> None:
    watch = KeyFrameWatch()
    see(watch, 25)
    assert (watch.is_awaited, watch.since_s) == (False, 100.0)
    watch.see(101.0, 1, False)
    assert watch.is_awaited
    watch.see(101.04, 1, True)
    assert (watch.is_awaited, watch.since_s) == (False, None)


@pytest.mark.parametrize("fps", [1, 5])
def test_pictures_that_a_decoder_keeps_back_to_put_them_in_order_are_not_missing(fps: float) -> None:
    watch = KeyFrameWatch()
    see(watch, REORDERED, fps)
    assert not watch.is_awaited
    see(watch, 1, fps, from_s=100 + REORDERED / fps)
    assert watch.is_awaited


def test_another_connection_begins_anew() -> None:
    watch = KeyFrameWatch()
    see(watch, 30)
    watch.see(102.0, 2, False)
    assert (watch.is_awaited, watch.since_s) == (False, 102.0)


def test_where_nothing_is_decoded_all_counts_from_the_first_key_frame_of_a_connection() -> None:
    watch = KeyFrameWatch(reordered=0)
    for number, is_keyframe in enumerate([False, False, True, False]):
        watch.see_keyframe(number * 1.0, 1, is_keyframe)
        assert (watch.since_s is None, watch.is_awaited) == [
            (False, False),
            (False, True),
            (True, False),
            (True, False),
        ][number]
    watch.see_keyframe(9.0, 2, False)
    assert watch.since_s == 9.0
