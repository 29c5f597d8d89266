"""The spans of time that requests mean, and the buckets that they are cut into: pure.

A span's ends are whole milliseconds, the starts of buckets whole seconds. Hours and days are those of a
zone: a day in which its clocks change has 23 or 25 hours, or others, and an hour ends where they change.
"""

import math
import re
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.common.wire import parse_time
from services.core.errors import BadInputError
from services.core.evidence.coverage import Span
from services.core.times import whole

HOUR_S, DAY_S = 3600, 86_400
FIXED_BUCKETS_S = {"1m": 60, "5m": 300, "15m": 900}
BUCKETS_S = {**FIXED_BUCKETS_S, "1h": HOUR_S, "1d": DAY_S}
MOST_BUCKETS = 12_000
"""Buckets in one answer: more than a year of hours or a week of minutes."""

ONE_DAY = timedelta(days=1)

_OFFSET = re.compile(r"([-+ ])([01][0-9]):?([0-5][0-9])", re.ASCII)
"""Hours and minutes by which a zone is ahead of UTC; the `+` of an address is read as a space."""

UNKNOWN_ZONE = "Etc/Unknown"
"""What a browser calls its zone where the machine under it names none; the zone of that is UTC."""


def zone_of(name: str) -> tzinfo:
    """Find a time zone, or an offset like `+05:30`; BadInputError when there is none of that name."""
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-away if offset[1] == "-" else away)
    try:
        return ZoneInfo("UTC" if name == UNKNOWN_ZONE else name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInputError("zone-unknown", zone=name[:40]) from None


def requested_span(
    from_text: str | None, to_text: str | None, now_s: float, zone: tzinfo, bucket: str | None = None
) -> Span:
    """Read the span of a request; BadInputError when it is empty or its ends are no times.

    A date or time without a zone is one of `zone`; a date is the moment at which that day begins. What is not
    given runs from the same moment of the day before up to now; where there are buckets, from the start of
    the one that holds that moment to the end of the one that holds now.
    """
    end_s = whole(now_s) if to_text is None else parse_time(to_text, zone)
    start_s = _day_before(end_s, zone) if from_text is None else parse_time(from_text, zone)
    if bucket is not None:
        check_bucket_name(bucket)
        start_s = start_s if from_text is not None else bucket_start(start_s, bucket, zone)
        end_s = end_s if to_text is not None else bucket_end(end_s, bucket, zone)
    if end_s <= start_s:
        raise BadInputError("span-empty")
    return start_s, end_s


def _day_before(time_s: float, zone: tzinfo) -> float:
    """Give the moment at which the clocks of a zone showed the same a day ago, not before 1970."""
    moment = datetime.fromtimestamp(time_s, zone) - timedelta(days=1)
    return max(0.0, whole(moment.replace(fold=0).timestamp()))


def check_bucket_name(bucket: str) -> None:
    """Check that there are buckets of this name; BadInputError says which there are."""
    if bucket not in BUCKETS_S:
        raise BadInputError("bucket-unknown", buckets=", ".join(BUCKETS_S))


def check_bucket(bucket: str, from_s: float, to_s: float) -> None:
    """Check that a span has no more buckets of a kind than one answer may hold; BadInputError says so.

    A part of one more is allowed: a span up to now goes on to the end of the bucket that holds now.
    """
    check_bucket_name(bucket)
    if to_s <= from_s:
        raise BadInputError("span-empty")
    if to_s - from_s >= (MOST_BUCKETS + 1) * BUCKETS_S[bucket]:
        raise BadInputError("bucket-limit", most=MOST_BUCKETS)


def bucket_starts(from_s: float, to_s: float, bucket: str, zone: tzinfo) -> list[float]:
    """Give the starts of the buckets that a span touches; the first is cut to the span's start."""
    check_bucket(bucket, from_s, to_s)
    starts: list[float] = []
    start_s = bucket_start(from_s, bucket, zone)
    while start_s < to_s:
        starts.append(max(start_s, from_s))
        start_s = bucket_end(start_s, bucket, zone)
    return starts


def bucket_start(time_s: float, bucket: str, zone: tzinfo) -> int:
    """Give the second with which the bucket that holds a time begins."""
    second = math.floor(time_s)
    size_s = FIXED_BUCKETS_S.get(bucket)
    if size_s is not None:
        return second // size_s * size_s
    return _hour_start(second, zone) if bucket == "1h" else _day_start(second, zone)


def bucket_end(time_s: float, bucket: str, zone: tzinfo) -> int:
    """Give the second with which the bucket after the one that holds a time begins."""
    start_s = bucket_start(time_s, bucket, zone)
    if bucket in FIXED_BUCKETS_S:
        return start_s + FIXED_BUCKETS_S[bucket]
    return _hour_end(start_s, zone) if bucket == "1h" else _day_end(start_s, zone)


def _hour_start(second: int, zone: tzinfo) -> int:
    """Give where an hour of a zone began: at its first minute, or where a change of the clock led into it."""
    local = datetime.fromtimestamp(second, zone)
    return _change_between(second - local.minute * 60 - local.second, second, zone)


def _hour_end(start_s: int, zone: tzinfo) -> int:
    """Give where the hour ends that begins at a moment: with its last minute, or where the clock changes."""
    local = datetime.fromtimestamp(start_s, zone)
    end_s = start_s + HOUR_S - local.minute * 60 - local.second
    change_s = _change_between(start_s, end_s, zone)
    return end_s if change_s == start_s else change_s


def _change_between(start_s: int, end_s: int, zone: tzinfo) -> int:
    """Give the first second that has the offset of the last one: `start_s` itself where no change is."""
    offset = datetime.fromtimestamp(end_s, zone).utcoffset()

    def is_after_change(second: int) -> bool:
        return datetime.fromtimestamp(second, zone).utcoffset() == offset

    if is_after_change(start_s):
        return start_s
    return start_s + bisect_left(range(start_s, end_s), True, key=is_after_change)


def _day_start(second: int, zone: tzinfo) -> int:
    """Give where the day of a zone began.

    A day begins when its date comes for the first time: where the clock is set back over midnight, what
    follows is of the new day, though for a while the date of the old one is shown again.
    """
    day = datetime.fromtimestamp(second, zone).date()
    following_s = _first_moment(day + ONE_DAY, zone)
    return following_s if following_s <= second else _first_moment(day, zone)


def _day_end(start_s: int, zone: tzinfo) -> int:
    """Give where the day ends that begins at a moment: where the next date comes that there is."""
    return _first_moment(datetime.fromtimestamp(start_s, zone).date() + ONE_DAY, zone)


def _first_moment(day: date, zone: tzinfo) -> int:
    """Give the first moment of a date: at midnight, or after it where the clock left midnight out."""
    return math.floor(datetime.combine(day, time(), zone).astimezone(UTC).timestamp())


def whole_minutes(from_s: float, to_s: float) -> tuple[tuple[float, float], list[Span]]:
    """Split a span into its whole minutes and the up to two parts of minutes at its edges."""
    first, last = -(-from_s // 60) * 60, to_s // 60 * 60
    if first >= last:
        return (first, first), [(from_s, to_s)]
    return (first, last), [span for span in ((from_s, first), (last, to_s)) if span[1] > span[0]]
