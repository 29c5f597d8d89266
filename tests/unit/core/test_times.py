"""One float for each millisecond: whatever way a time took, it compares equal and lies in one second."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.common.bus.messages import decode_event, encode_event, event_identity
from services.common.database.documents import date_of, seconds_of
from services.common.wire import LATEST_TIME_S, parse_time, time_text
from services.core.times import milliseconds, minute_of, second_of, seconds, whole
from services.core.types import CameraId, CameraStatus, Ownership, StatusChange

MOMENTS = st.floats(0, LATEST_TIME_S - 1, allow_nan=False)
WHOLE = st.integers(0, round(LATEST_TIME_S * 1000) - 1)


@given(WHOLE)
def test_a_millisecond_survives_every_form(time_ms: int) -> None:
    time_s = seconds(time_ms)
    assert milliseconds(time_s) == time_ms
    assert whole(time_s) == time_s == seconds_of(date_of(time_s))
    assert parse_time(time_text(time_s)) == time_s
    assert (second_of(time_s), minute_of(time_s)) == (time_ms // 1000, time_ms // 60_000)


@given(MOMENTS)
def test_any_time_is_rounded_once_for_all(time_s: float) -> None:
    rounded = whole(time_s)
    assert whole(rounded) == rounded
    assert abs(rounded - time_s) <= 0.0005 + 1e-6
    assert milliseconds(rounded) == milliseconds(time_s)


def test_identities_of_queued_events_are_what_they_were() -> None:
    """Events in the queue have times of any float: their identity is by the millisecond, now as before."""
    for time_s in (1765033920.0385962, 1765033919.9996, 1765033920.0385, 0.0005, 0.0015):
        ms = round(time_s * 1000)
        event = StatusChange(CameraId("gate"), time_s, CameraStatus.LIVE)
        assert event_identity(event) == f"status/gate/{ms}/live"
        assert event_identity(Ownership(CameraId("gate"), 7, time_s)) == f"ownership/gate/7/{ms}"
        again = decode_event(encode_event(event))
        assert again == event and event_identity(again) == event_identity(event)
        assert event_identity(replace(event, time_s=whole(time_s))) == event_identity(event)


def test_a_time_just_before_a_second_lies_in_it() -> None:
    assert second_of(1765033919.9996) == 1765033920
    assert minute_of(1765033919.9994) == 1765033920 // 60 - 1
