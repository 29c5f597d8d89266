"""Analysed frames as events."""

import json

from services.core.types import CameraId, TrackedFrame, TrackedObject
from services.web.frame_events import KEPT, FrameEvents


def _frame(number: int, camera: str = "gate") -> TrackedFrame:
    return TrackedFrame(
        CameraId(camera), number, 1_700_000_000 + number, (TrackedObject(7, (0, 0, 1, 1), "car", 0.5),)
    )


def test_an_event_is_written_once_for_all_who_follow_a_camera() -> None:
    events = FrameEvents()
    first = events.of(_frame(1))
    assert json.loads(first.removeprefix(b"data: "))["tracks"][0]["id"] == 7
    assert first.endswith(b"\n\n")
    assert events.of(_frame(1)) is first
    assert events.of(_frame(1, "yard")) != first


def test_few_events_are_remembered() -> None:
    events = FrameEvents()
    written = [events.of(_frame(number)) for number in range(KEPT + 1)]
    assert events.of(_frame(KEPT)) is written[-1]
    assert events.of(_frame(0)) is not written[0]
