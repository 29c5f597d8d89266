from dataclasses import replace

import pytest

from services.common.queues import QueueState
from services.common.video.hub import GROUP_AGE_S, GROUP_LIMIT, READER_LIMIT, LocalVideoReader, VideoHub
from services.core.limits import QUEUE_LIMIT_BYTES
from services.core.types import AccessUnit


def unit(frame: int, is_keyframe: bool = False, connection: int = 0) -> AccessUnit:
    return AccessUnit("c", frame, frame / 25, is_keyframe, b"x", connection)


def drain(reader: LocalVideoReader) -> list[AccessUnit]:
    return list(iter(lambda: reader.read(0), None))


def test_a_new_reader_begins_with_the_newest_key_frame():
    hub = VideoHub()
    for i in range(60):
        hub.publish(unit(i, is_keyframe=i % 25 == 0))
    with hub.reader("c") as reader:
        assert reader.read(0.1).frame == 50


def test_what_was_kept_is_marked_and_what_comes_is_not():
    hub = VideoHub()
    for i in range(3):
        hub.publish(unit(i, is_keyframe=i == 0))
    with hub.reader("c") as reader:
        hub.publish(unit(3))
        assert [(u.frame, u.is_backlog) for u in drain(reader)] == [
            (0, True),
            (1, True),
            (2, True),
            (3, False),
        ]


def test_a_slow_reader_drops_up_to_a_key_frame_and_nobody_waits():
    hub = VideoHub()
    with hub.reader("c") as slow, hub.reader("c") as quick:
        for i in range(READER_LIMIT + 10):
            hub.publish(unit(i, is_keyframe=i == 0))
            assert quick.read(0.1).frame == i
            if i == 99:
                assert hub.queue() == QueueState("video", 100, READER_LIMIT, 0, "to-key-frame")
        assert slow.read(0.01) is None
        assert slow.dropped == READER_LIMIT + 10
        assert hub.queue() == QueueState("video", 0, READER_LIMIT, READER_LIMIT + 10, "to-key-frame")
        hub.publish(unit(500, is_keyframe=True))
        assert slow.read(0.1).frame == 500
    assert {figure.name: figure.value for figure in hub.figures()} == {
        "sightline_video_readers_dropped_total": READER_LIMIT + 10
    }


def test_the_group_that_a_reader_begins_with_waits_beside_the_bound():
    hub = VideoHub()
    for i in range(GROUP_LIMIT):
        hub.publish(unit(i, is_keyframe=i == 0))
    with hub.reader("c") as reader:
        for i in range(READER_LIMIT):
            hub.publish(unit(GROUP_LIMIT + i, is_keyframe=i == 0))
        assert len(drain(reader)) == GROUP_LIMIT + READER_LIMIT
        for i in range(READER_LIMIT + 1):
            hub.publish(unit(1000 + i))
        assert reader.dropped == READER_LIMIT + 1


def test_the_bound_holds_however_often_a_group_comes_again():
    reader = LocalVideoReader()
    for i in range(10 * GROUP_LIMIT):
        reader.put(AccessUnit("c", i, i / 25, i % 25 == 0, b"x", is_backlog=True))
    assert len(drain(reader)) <= GROUP_LIMIT + READER_LIMIT


@pytest.mark.parametrize(
    ("units", "kept"),
    [
        ([unit(0), unit(1)], []),
        ([unit(0, True), unit(1), unit(0, connection=1)], []),
        ([unit(0, True), unit(0, True, 1), unit(1, connection=1)], [(1, 0), (1, 1)]),
        ([unit(i, i == 0) for i in range(GROUP_LIMIT + 5)], []),
    ],
    ids=["no key frame yet", "the connection broke", "a new connection", "too long"],
)
def test_only_a_whole_group_of_one_connection_is_kept(units: list[AccessUnit], kept: list[tuple[int, int]]):
    hub = VideoHub()
    for each in units:
        hub.publish(each)
    with hub.reader("c") as reader:
        assert [(u.connection, u.frame) for u in drain(reader)] == kept


def test_a_camera_that_was_forgotten_leaves_nothing_behind_and_its_readers_see_it_come_back():
    hub = VideoHub()
    with hub.reader("c") as early:
        hub.publish(unit(0, is_keyframe=True))
        hub.forget("c")
        with hub.reader("c") as late:
            assert late.read(0) is None
            hub.publish(unit(0, is_keyframe=True, connection=1))
            assert late.read(0).connection == 1
        assert [u.connection for u in drain(early)] == [0, 1]


def test_a_reader_is_woken_when_its_empty_queue_gets_a_picture():
    hub, calls = VideoHub(), []
    hub.publish(unit(0, is_keyframe=True))
    with hub.reader("c", lambda: calls.append(1)) as reader:
        assert len(calls) == 1
        hub.publish(unit(1))
        assert len(calls) == 1
        drain(reader)
        hub.publish(unit(2))
        assert len(calls) == 2


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


MEGABYTE = bytes(1_000_000)
LIMIT_MB = QUEUE_LIMIT_BYTES // len(MEGABYTE)


def large(frame: int, is_keyframe: bool = False) -> AccessUnit:
    return AccessUnit("c", frame, frame / 25, is_keyframe, MEGABYTE, 0)


def test_a_slow_reader_keeps_no_more_bytes_than_are_allowed():
    hub = VideoHub()
    with hub.reader("c") as slow:
        for i in range(LIMIT_MB):
            hub.publish(large(i, is_keyframe=i == 0))
        assert slow.dropped == 0
        hub.publish(large(LIMIT_MB))
        assert slow.dropped == LIMIT_MB + 1
        assert slow.read(0) is None
        for i in range(3 * LIMIT_MB):
            hub.publish(large(1000 + i, is_keyframe=True))
        assert len(drain(slow)) <= LIMIT_MB
        hub.publish(large(2000))
        assert slow.read(0).frame == 2000, "what was read frees its place"


def test_a_group_of_many_bytes_is_not_kept():
    hub = VideoHub()
    for i in range(LIMIT_MB):
        hub.publish(large(i, is_keyframe=i == 0))
    with hub.reader("c") as reader:
        for i in range(LIMIT_MB):
            hub.publish(large(LIMIT_MB + i))
        assert len(drain(reader)) == 2 * LIMIT_MB, "the group waits beside the bound"
    with hub.reader("c") as late:
        assert late.read(0) is None
        hub.publish(large(5000, is_keyframe=True))
        assert late.read(0).frame == 5000


def test_what_was_kept_elsewhere_fills_no_more_either():
    reader = LocalVideoReader()
    for i in range(5 * LIMIT_MB):
        reader.put(replace(large(i, is_keyframe=True), is_backlog=True))
    assert len(drain(reader)) <= 2 * LIMIT_MB


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_clock_that_is_set_makes_no_backlog(step_s: float):
    """Times of two connections are of two clocks: the rate of analysis is not lowered for it."""
    hub = VideoHub()
    with hub.reader("c") as reader:
        hub.publish(AccessUnit("c", 0, 10_000.0, True, b"x", 1))
        hub.publish(AccessUnit("c", 1, 10_000.0 + step_s, True, b"x", 2))
        hub.publish(AccessUnit("c", 2, 10_000.5 + step_s, False, b"x", 2))
        assert reader.backlog_s == 0.5


def test_a_group_that_ended_a_while_ago_is_given_to_nobody():
    now_s = [50.0]
    hub = VideoHub(lambda: now_s[0])
    hub.publish(unit(0, is_keyframe=True))
    now_s[0] += GROUP_AGE_S
    with hub.reader("c") as reader:
        assert len(drain(reader)) == 1
    now_s[0] += 0.1
    with hub.reader("c") as reader:
        assert drain(reader) == []
        hub.publish(unit(1))
        assert len(drain(reader)) == 1
