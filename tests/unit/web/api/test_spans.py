"""Spans of requests and their buckets: whole seconds, in any zone, at any moment."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.wire import LATEST_TIME_S, time_text
from services.core.errors import BadInputError
from services.core.times import whole
from services.core.types import CameraId, LineId, MinuteCount
from services.web.api.spans import BUCKETS_S, bucket_end, bucket_start, bucket_starts, requested_span, zone_of
from services.web.api.tally import BucketTallies

UTC_ZONE = ZoneInfo("UTC")
ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "America/Havana",
            "America/Sao_Paulo",
            "Asia/Beirut",
            "Pacific/Apia",
        )
    ]
)
BUCKETS = st.sampled_from(sorted(BUCKETS_S))
MOMENTS = st.floats(1e9, 4e9, allow_nan=False)
KNOWN = 1765033920.0385962
"""A moment at which a minute's crossings came into the hour before."""


def _utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _defaults(now_s: float, bucket: str, zone: ZoneInfo = UTC_ZONE) -> tuple[float, float, list[float]]:
    from_s, to_s = requested_span(None, None, now_s, zone, bucket)
    return from_s, to_s, bucket_starts(from_s, to_s, bucket, zone)


@given(MOMENTS)
def test_each_minute_of_the_last_day_is_counted_in_its_hour(now_s: float) -> None:
    from_s, to_s, starts = _defaults(now_s, "1h")
    minutes = range(int(from_s) // 60, int(to_s) // 60)
    counts = [MinuteCount(CameraId("gate"), LineId("main"), minute, {"car": 1}) for minute in minutes]
    tallies = BucketTallies(starts)
    tallies.add_minutes(counts)
    assert [tally.forward for _, tally in sorted(tallies.sums().items())] == [{"car": 60}] * len(starts)


def test_the_known_moment_counts_each_minute_in_its_hour() -> None:
    from_s, to_s, starts = _defaults(KNOWN, "1h")
    assert (time_text(from_s), time_text(to_s)) == ("2025-12-05T15:00:00.000Z", "2025-12-06T16:00:00.000Z")
    assert len(starts) == 25 and all(start % 3600 == 0 for start in starts)


@given(MOMENTS, BUCKETS, ZONES)
def test_a_span_that_is_not_given_is_of_whole_buckets(now_s: float, bucket: str, zone: ZoneInfo) -> None:
    from_s, to_s, starts = _defaults(now_s, bucket, zone)
    assert all(start == int(start) for start in starts)
    assert all(a < b for a, b in pairwise([*starts, to_s]))
    assert starts[0] == from_s == bucket_start(from_s, bucket, zone)
    assert starts[-1] <= whole(now_s) < to_s
    local = datetime.fromtimestamp(now_s, zone)
    day = datetime.fromtimestamp(from_s, zone).date()
    assert (local.date() - day).days in (0, 1, 2), "the day before, or a day that the calendar left out"


@given(st.integers(0, int(LATEST_TIME_S) - 3 * 86_400), BUCKETS, ZONES)
def test_buckets_follow_each_other_without_a_hole(second: int, bucket: str, zone: ZoneInfo) -> None:
    start, end = bucket_start(second, bucket, zone), bucket_end(second, bucket, zone)
    assert start <= second < end
    assert bucket_start(end - 1, bucket, zone) == start
    assert bucket_start(end, bucket, zone) == end
    assert bucket_start(second + 0.999, bucket, zone) == start


@pytest.mark.parametrize(
    ("day", "begins", "ends"),
    [
        ("2026-11-29", "2026-11-28T23:00", "2026-11-29T23:00"),
        ("2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
    ],
)
def test_a_date_is_the_day_of_the_zone(day: str, begins: str, ends: str) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    following = f"{day[:-2]}{int(day[-2:]) + 1}"
    assert requested_span(day, following, KNOWN, berlin) == (_utc(begins), _utc(ends))
    assert bucket_starts(_utc(begins), _utc(ends), "1d", berlin) == [_utc(begins)]
    assert requested_span(f"{day}T12:00", f"{day}T12:00Z", KNOWN, berlin)[1] == _utc(f"{day}T12:00")


def test_the_same_moment_a_day_ago_is_by_the_clock_of_the_zone() -> None:
    berlin, now_s = ZoneInfo("Europe/Berlin"), _utc("2026-03-30T06:30")
    assert requested_span(None, None, now_s, berlin) == (_utc("2026-03-29T06:30"), now_s)
    assert requested_span(None, None, now_s - 43_200, berlin)[0] == _utc("2026-03-28T19:30")
    assert requested_span(None, None, now_s, berlin, "1d") == (
        _utc("2026-03-28T23:00"),
        _utc("2026-03-30T22:00"),
    )


def test_what_is_given_stays_as_it_is() -> None:
    span = "2026-01-02T03:04:05.6789Z", "2026-01-02T04:00:00.0001Z"
    from_s, to_s = requested_span(*span, KNOWN, UTC_ZONE, "1h")
    assert (time_text(from_s), time_text(to_s)) == ("2026-01-02T03:04:05.679Z", "2026-01-02T04:00:00.000Z")
    assert bucket_starts(from_s, to_s, "1h", UTC_ZONE) == [from_s]
    assert requested_span(None, span[1], KNOWN, UTC_ZONE, "1h") == (_utc("2026-01-01T04:00"), to_s)


def test_an_hour_in_which_the_clock_changes_by_half_an_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    back = bucket_starts(_utc("2026-04-04T13:00"), _utc("2026-04-04T17:30"), "1h", zone)
    assert [(b - a) / 60 for a, b in pairwise(back)] == [60, 60, 30, 60]
    forward = bucket_starts(_utc("2026-10-03T14:30"), _utc("2026-10-03T18:00"), "1h", zone)
    assert [(b - a) / 60 for a, b in pairwise(forward)] == [60, 30, 60]


def test_odd_spans_are_refused() -> None:
    for odd in (("2026-01-02", "2026-01-02"), ("2026-01-02", "2026-01-01"), ("0001-01-01", "0001-01-02")):
        with pytest.raises(BadInputError):
            requested_span(*odd, KNOWN, zone_of("America/New_York"))
    with pytest.raises(BadInputError, match="bucket is one of"):
        requested_span(None, None, KNOWN, UTC_ZONE, "2h")
    assert requested_span(None, "1970-01-01T01:00Z", KNOWN, UTC_ZONE)[0] == 0


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("+05:30", 5.5),
        (" 05:30", 5.5),
        ("-03:00", -3),
        ("+1245", 12.75),
        ("US/Pacific", -8),
        ("Asia/Calcutta", 5.5),
        ("GMT", 0),
        ("Etc/GMT-2", 2),
        ("Etc/Unknown", 0),
    ],
)
def test_zones_as_browsers_name_them(name: str, hours: float) -> None:
    zone = zone_of(name)
    start = bucket_start(_utc("2026-01-15T12:00"), "1d", zone)
    assert (start + hours * 3600) % 86_400 == 0
    assert bucket_end(start, "1d", zone) - start == 86_400
    assert bucket_end(start, "1h", zone) - start == 3600


@pytest.mark.parametrize(
    "name", ["undefined", "UTC+2", "+25:00", "+5", "+05:61", "Mars/Base", "../x", "\0", ""]
)
def test_what_is_no_zone_is_told(name: str) -> None:
    with pytest.raises(BadInputError, match="is not known"):
        zone_of(name)
