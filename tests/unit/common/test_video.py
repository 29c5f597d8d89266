from services.common.video import READER_LIMIT, VideoHub
from services.core.types import AccessUnit


def unit(frame: int, is_keyframe: bool = False) -> AccessUnit:
    return AccessUnit("c", frame, frame / 25, is_keyframe, b"x")


def test_a_new_reader_begins_with_the_newest_key_frame():
    hub = VideoHub()
    for i in range(60):
        hub.publish(unit(i, is_keyframe=i % 25 == 0))
    with hub.reader("c") as reader:
        assert reader.read(0.1).frame == 50


def test_a_slow_reader_drops_up_to_a_key_frame_and_nobody_waits():
    hub = VideoHub()
    with hub.reader("c") as slow, hub.reader("c") as quick:
        for i in range(READER_LIMIT + 10):
            hub.publish(unit(i, is_keyframe=i == 0))
            assert quick.read(0.1).frame == i
        assert slow.read(0.01) is None
        assert slow.dropped == READER_LIMIT + 10
        hub.publish(unit(500, is_keyframe=True))
        assert slow.read(0.1).frame == 500


def test_backlog_is_seconds_of_video():
    hub = VideoHub()
    with hub.reader("c") as reader:
        for i in range(26):
            hub.publish(unit(i, is_keyframe=i == 0))
        assert reader.backlog_s == 1.0


def test_readers_that_left_get_nothing():
    hub = VideoHub()
    with hub.reader("c") as reader:
        pass
    hub.publish(unit(1, is_keyframe=True))
    assert reader.read(0.01) is None
