"""The relay's feed: from key frames on, whole groups, and an end when the stream is another one."""

from dataclasses import dataclass, field
from dataclasses import replace as changed

import pytest

from services.common.video.hub import VideoHub
from services.core.types import AccessUnit
from services.ingest.relay_feed import RelayFeed
from tests.makers import GATE
from tests.processes import wait_until

SPS, OTHER_SPS = b"\0\0\0\1\x67\x42\x01", b"\0\0\0\1\x67\x42\x02"
PPS, IDR, SLICE = b"\0\0\0\1\x68\xce", b"\0\0\1\x65\x88\x80", b"\0\0\0\1\x41\x9a"


@dataclass
class Output:
    """Takes what the feed gives."""

    is_full: bool = False
    described: list[str] = field(default_factory=list)
    pushed: list[tuple[bytes, int, float]] = field(default_factory=list)
    ends: int = 0
    fails: int = 0

    def describe(self, caps: str) -> None:
        self.described.append(caps)

    def push(self, data: bytes, connection: int, time_s: float) -> None:
        self.pushed.append((data, connection, time_s))

    def fail(self) -> None:
        self.fails += 1

    def end(self) -> None:
        self.ends += 1


class Feeding:
    """A feed with what it gave and told."""

    def __init__(self) -> None:
        self.hub, self.output, self.drops = VideoHub(), Output(), 0
        self.ended: list[RelayFeed] = []
        self.feed = RelayFeed(GATE, self.hub, self.output, self._drop, self.ended.append)
        self.number = 0

    def _drop(self) -> None:
        self.drops += 1

    def __enter__(self) -> "Feeding":
        self.feed.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.feed.stop()
        self.feed.join(3)
        assert self.ended == [self.feed]

    def publish(self, data: bytes, connection: int = 1) -> None:
        """Send a unit and wait until the feed has dealt with it."""
        before = len(self.output.pushed) + self.drops + self.output.ends
        unit = AccessUnit(GATE, self.number, 100.0 + self.number / 25, data != SLICE, data, connection)
        self.number += 1
        wait_until(lambda: self.hub._readers.get(GATE), 3, "the feed reads")
        self.hub.publish(unit)
        wait_until(
            lambda: len(self.output.pushed) + self.drops + self.output.ends > before, 3, "the feed took it"
        )


KEY = SPS + PPS + IDR


def test_it_begins_at_a_key_frame_and_drops_whole_groups():
    with Feeding() as feeding:
        feeding.publish(SLICE)
        assert feeding.output.pushed == []
        feeding.publish(KEY)
        feeding.publish(SLICE)
        feeding.output.is_full = True
        feeding.publish(SLICE)
        feeding.output.is_full = False
        feeding.publish(SLICE)
        feeding.publish(KEY)
        assert [data for data, _, _ in feeding.output.pushed] == [KEY, SLICE, KEY]
        assert feeding.drops == 3


def test_another_connection_goes_on_from_its_key_frame():
    with Feeding() as feeding:
        feeding.publish(KEY)
        feeding.publish(SLICE, connection=2)
        feeding.publish(KEY, connection=2)
        assert [connection for _, connection, _ in feeding.output.pushed] == [1, 2]
        assert (feeding.drops, feeding.output.ends) == (1, 0)


def test_another_kind_of_stream_ends_the_clients():
    with Feeding() as feeding:
        feeding.publish(KEY)
        feeding.publish(IDR)
        assert feeding.output.ends == 0, "a key frame without header says nothing new"
        feeding.publish(OTHER_SPS + PPS + IDR)
        assert feeding.output.ends == 1
        assert len(feeding.output.pushed) == 2


def test_a_long_group_that_was_kept_goes_by_in_a_moment():
    feeding = Feeding()
    for number in range(500):
        unit = AccessUnit(GATE, number, 100.0 + number / 25, number == 0, SLICE if number else KEY, 1)
        feeding.hub.publish(unit)
    with feeding:
        wait_until(lambda: len(feeding.output.pushed) == 500, 3, "the group comes")
        feeding.hub.publish(changed(unit, frame=500, time_s=120.0))
        wait_until(lambda: len(feeding.output.pushed) == 501, 3, "it goes on")
    times = [time_s for _, _, time_s in feeding.output.pushed]
    assert times == sorted(set(times))
    assert times[-1] == 120.0
    assert times[-1] - times[0] < 0.6


def test_the_kept_group_comes_first():
    feeding = Feeding()
    unit = AccessUnit(GATE, 0, 100.0, True, KEY, 1)
    feeding.hub.publish(unit)
    feeding.hub.publish(changed(unit, frame=1, time_s=100.04, is_keyframe=False, data=SLICE))
    with feeding:
        wait_until(lambda: len(feeding.output.pushed) == 2, 3, "the group comes")
    assert [time_s for _, _, time_s in feeding.output.pushed] == [100.0, 100.04]


def test_a_camera_without_pictures_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.ingest.relay_feed.NO_PICTURE_S", 0.1)
    with Feeding() as feeding:
        wait_until(lambda: feeding.output.fails, 3, "it is told")
