"""Slots for answers that go on, and the events that their viewers share."""

import json

import pytest

from services.common.access.accounts import User, UserRole
from services.core.errors import StreamError, ThrottledError
from services.core.types import CameraId, TrackedFrame, TrackedObject
from services.web.auth.caller import Caller
from services.web.auth.origin import Origin
from services.web.live.streams import KEPT, AnswerSlots, FrameEvents, SharedText


def _caller(address: str, user: str | None = None, by: str = "") -> Caller:
    account = None if user is None else User(user, UserRole.VIEWER, "", 0.0, "id", "stamp")
    return Caller(UserRole.VIEWER, Origin(address, False, "here", None, True), account, by)


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        (_caller("10.0.0.1", "anna", "session"), _caller("10.0.0.2", "anna", "token phone"), True),
        (_caller("10.0.0.1", "anna"), _caller("10.0.0.1", "bert"), False),
        (_caller("10.0.0.1"), _caller("10.0.0.1"), True),
        (_caller("10.0.0.1"), _caller("10.0.0.2"), False),
        (_caller("2001:db8::1"), _caller("2001:db8::2"), True),
        (_caller("10.0.0.1", by="token a"), _caller("10.0.0.9", by="token a"), True),
    ],
)
def test_one_user_or_one_address_has_so_many_places(first: Caller, second: Caller, is_one: bool) -> None:
    slots = AnswerSlots("streams", most=10, most_each=1)
    slot = slots.take(first)
    if is_one:
        with pytest.raises(ThrottledError, match="1 streams at once") as error:
            slots.take(second)
        assert (error.value.wait_s, slots.refused) == (5.0, 1)
        slot.close()
    slots.take(second)


def test_all_together_have_so_many_places_and_one_is_given_back_once() -> None:
    slots = AnswerSlots("streams", most=2, most_each=2)
    first, _ = slots.take(_caller("10.0.0.1")), slots.take(_caller("10.0.0.2"))
    with pytest.raises(StreamError, match="2 streams are open already"):
        slots.take(_caller("10.0.0.3"))
    first.close()
    first.close()
    assert slots.taken == 1
    assert slots.take(_caller("10.0.0.3")) is not None


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


def test_a_message_is_the_event_with_its_type() -> None:
    events = FrameEvents()
    message = json.loads(events.message_of(_frame(1)))
    assert message.pop("type") == "tracks"
    assert message == json.loads(events.of(_frame(1)).removeprefix(b"data: "))


def test_a_shared_text_is_written_once_for_as_long_as_it_is_kept() -> None:
    now_s, written = 100.0, iter("abc")
    text = SharedText(lambda: now_s)
    assert [text.newest(lambda: next(written), 2) for _ in range(2)] == ["a", "a"]
    now_s = 101.9
    assert text.newest(lambda: next(written), 2) == "a"
    now_s = 102.0
    assert text.newest(lambda: next(written), 2) == "b"
