"""Hours and days of every zone that there is, around every change of its clock from 2000 to 2037."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from services.core.errors import BadInputError
from services.core.types import CameraId, LineId, MinuteCount
from services.web.api.forms import local_time_text
from services.web.api.spans import bucket_end, bucket_start, bucket_starts, requested_span, zone_of
from services.web.api.tally import BucketTallies

HOUR_S, DAY_S = 3600, 86_400
FIRST_S, LAST_S = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2000, 2038))
LOOK_S = 7 * DAY_S
"""No zone of these years changes its clock and back within a week."""


def _offset_s(second: int, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


def _changes(zone: ZoneInfo) -> list[int]:
    """Give the first second after each change of a zone's clock."""
    found = []
    for start in range(FIRST_S, LAST_S, LOOK_S):
        before, after = _offset_s(start, zone), _offset_s(start + LOOK_S, zone)
        if before != after:
            week = range(start, start + LOOK_S)
            found.append(start + bisect_left(week, True, key=lambda s: _offset_s(s, zone) != before))
    return found


@cache
def every_change() -> tuple[tuple[ZoneInfo, int], ...]:
    """Give all changes of all zones; zones with the same changes, such as old names, are one."""
    zones: dict[tuple[float, ...], tuple[ZoneInfo, list[int]]] = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        changes = _changes(zone)
        marks = [(change, _offset_s(change, zone)) for change in [FIRST_S, *changes]]
        zones.setdefault(tuple(mark for pair in marks for mark in pair), (zone, changes))
    return tuple((zone, change) for zone, changes in zones.values() for change in changes)


def test_all_changes_are_looked_at() -> None:
    assert len(available_timezones()) > 500
    known = {(zone.key, time) for zone, time in every_change()}
    for name, text in (
        ("Pacific/Apia", "2011-12-30T10:00"),
        ("America/Sao_Paulo", "2018-11-04T03:00"),
        ("Antarctica/Casey", "2010-03-04T15:00"),
    ):
        assert (name, int(datetime.fromisoformat(f"{text}+00:00").timestamp())) in known
    assert len(known) > 5000


def _around(change: int) -> Iterator[int]:
    """Give moments before, at and after a change, some of them where dates and hours end."""
    yield from (change + step for step in (-DAY_S - 1, -HOUR_S, -61, -1, 0, 1, 59, HOUR_S - 1, HOUR_S, DAY_S))
    yield from (change + half_hours * 1800 for half_hours in range(-8, 9))


def test_hours_and_days_follow_each_other_and_hold_their_moments() -> None:
    for zone, change in every_change():
        for bucket in ("1h", "1d"):
            for second in _around(change):
                start, end = bucket_start(second, bucket, zone), bucket_end(second, bucket, zone)
                assert start <= second < end, (zone.key, bucket, second)
                assert bucket_start(start, bucket, zone) == start, (zone.key, bucket, second)
                assert bucket_start(end, bucket, zone) == end, (zone.key, bucket, second)
                assert bucket_start(end - 1, bucket, zone) == start, (zone.key, bucket, second)


def test_a_day_is_its_hours_and_is_as_long_as_the_clock_says() -> None:
    """What an hour counts is thus counted by one day, and by the day of that hour."""
    for zone, change in every_change():
        first = bucket_start(change - DAY_S, "1d", zone)
        end = bucket_end(bucket_end(change, "1d", zone), "1d", zone)
        days = [*bucket_starts(first, end, "1d", zone), end]
        hours = bucket_starts(change - 4 * HOUR_S, change + 4 * HOUR_S, "1h", zone)
        assert hours == sorted({*hours}), zone.key
        inner = {day for day in days if hours[0] < day < change + 4 * HOUR_S}
        assert inner <= {*hours}, (zone.key, change)
        assert all(0 < b - a <= HOUR_S for a, b in pairwise(hours)), (zone.key, change)
        for day, following in pairwise(days):
            dates = [datetime.fromtimestamp(at, zone) for at in (day, following)]
            passed = dates[1].replace(tzinfo=None) - dates[0].replace(tzinfo=None)
            moved_s = _offset_s(following, zone) - _offset_s(day, zone)
            assert following - day == passed.total_seconds() - moved_s, (zone.key, day)


def test_a_day_begins_when_its_date_first_comes() -> None:
    for zone, change in every_change():
        for second in (change - 1, change, change + 2 * HOUR_S):
            start = bucket_start(second, "1d", zone)
            day = datetime.fromtimestamp(start, zone).date()
            before = datetime.fromtimestamp(start - 1, zone).date()
            assert before < day, (zone.key, second)
            following = datetime.fromtimestamp(bucket_end(second, "1d", zone), zone).date()
            shown = datetime.fromtimestamp(second, zone).date()
            assert shown <= day < following, (zone.key, second)


def test_dates_of_a_question_are_days() -> None:
    for zone, change in every_change():
        start = bucket_start(change, "1d", zone)
        end = bucket_end(change, "1d", zone)
        dates = [datetime.fromtimestamp(at, zone).date().isoformat() for at in (start, end)]
        assert requested_span(dates[0], dates[1], change, zone) == (start, end), (zone.key, change)
        assert requested_span(None, None, change, zone, "1d")[1] == end, (zone.key, change)


def test_a_local_time_is_that_of_the_zone() -> None:
    for zone, change in every_change():
        for second in (change - 1, change):
            shown = datetime.fromisoformat(local_time_text(second + 0.999, zone))
            assert shown == datetime.fromtimestamp(second, UTC).replace(tzinfo=None) + timedelta(
                seconds=_offset_s(second, zone)
            ), (zone.key, second)


def _lengths_h(zone: str, first: str, last: str) -> list[float]:
    span = requested_span(first, last, 0.0, zone_of(zone))
    ends = [*bucket_starts(*span, "1d", zone_of(zone)), span[1]]
    return [(b - a) / HOUR_S for a, b in pairwise(ends)]


@pytest.mark.parametrize(
    ("zone", "first", "last", "hours"),
    [
        ("Europe/Berlin", "2026-03-28", "2026-03-31", [24, 23, 24]),
        ("Europe/Berlin", "2026-10-24", "2026-10-27", [24, 25, 24]),
        ("Australia/Lord_Howe", "2026-04-04", "2026-04-07", [24, 24.5, 24]),
        ("Australia/Lord_Howe", "2026-10-03", "2026-10-06", [24, 23.5, 24]),
        ("Pacific/Apia", "2011-12-29", "2012-01-01", [24, 24]),
        ("America/Sao_Paulo", "2018-11-03", "2018-11-06", [24, 23, 24]),
        ("Asia/Beirut", "2024-03-30", "2024-04-02", [24, 23, 24]),
        ("America/St_Johns", "2007-11-03", "2007-11-06", [24, 25, 24]),
        ("Antarctica/Casey", "2010-03-03", "2010-03-07", [24, 24, 27, 24]),
        ("Antarctica/Troll", "2026-03-28", "2026-03-31", [24, 22, 24]),
    ],
)
def test_days_of_known_changes(zone: str, first: str, last: str, hours: list[float]) -> None:
    assert _lengths_h(zone, first, last) == hours


def test_a_day_that_the_calendar_left_out_is_empty() -> None:
    with pytest.raises(BadInputError, match="empty"):
        requested_span("2011-12-30", "2011-12-31", 0.0, ZoneInfo("Pacific/Apia"))


@pytest.mark.parametrize(
    "zone", ["Antarctica/Casey", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]
)
def test_sums_by_hour_are_sums_by_day(zone: str) -> None:
    known = ZoneInfo(zone)
    for change in _changes(known):
        start, end = bucket_start(change, "1d", known), bucket_end(change, "1d", known)
        minutes = [
            MinuteCount(CameraId("gate"), LineId("main"), minute, {"car": 1})
            for minute in range(start // 60, end // 60)
        ]
        sums = []
        for bucket in ("1h", "1d"):
            tallies = BucketTallies(bucket_starts(start, end, bucket, known))
            tallies.add_minutes(minutes)
            sums.append(sum(tally.forward["car"] for tally in tallies.sums().values()))
        assert sums == [len(minutes)] * 2 == [(end - start) // 60] * 2
