"""The spans of time that requests mean, and the buckets that they are cut into: pure.

A span's ends are whole milliseconds, the starts of buckets whole seconds. Hours and days are those of a
zone: a day in which its clocks change has 23 or 25 hours, an hour may have half an hour or one and a half.
"""

import math
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
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

LONGEST_DAY_S = 26 * HOUR_S

UNKNOWN_ZONE = "Etc/Unknown"
"""What a browser calls its zone where the machine under it names none; the zone of that is UTC."""


def zone_of(name: str) -> ZoneInfo:
    """Find a time zone; BadInputError when there is none of that name."""
    try:
        return ZoneInfo("UTC" if name == UNKNOWN_ZONE else name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInputError("zone-unknown", zone=name[:40]) from None


def requested_span(
    from_text: str | None, to_text: str | None, now_s: float, zone: ZoneInfo, bucket: str | None = None
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


def _day_before(time_s: float, zone: ZoneInfo) -> float:
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


def bucket_starts(from_s: float, to_s: float, bucket: str, zone: ZoneInfo) -> list[float]:
    """Give the starts of the buckets that a span touches; the first is cut to the span's start."""
    check_bucket(bucket, from_s, to_s)
    starts: list[float] = []
    start_s = bucket_start(from_s, bucket, zone)
    while start_s < to_s:
        starts.append(max(start_s, from_s))
        start_s = bucket_end(start_s, bucket, zone)
    return starts


def bucket_start(time_s: float, bucket: str, zone: ZoneInfo) -> int:
    """Give the second with which the bucket that holds a time begins."""
    second = math.floor(time_s)
    size_s = FIXED_BUCKETS_S.get(bucket)
    if size_s is not None:
        return second // size_s * size_s
    return _hour_start(second, zone) if bucket == "1h" else _day_start(second, zone)


def bucket_end(time_s: float, bucket: str, zone: ZoneInfo) -> int:
    """Give the second with which the bucket after the one that holds a time begins."""
    start_s = bucket_start(time_s, bucket, zone)
    if bucket in FIXED_BUCKETS_S:
        return start_s + FIXED_BUCKETS_S[bucket]
    if bucket == "1h":
        return _next_start(start_s, HOUR_S, _hour_start, zone)
    return _next_start(start_s, LONGEST_DAY_S, _day_start, zone)


def _next_start(
    start_s: int, longest_s: int, start_of: Callable[[int, ZoneInfo], int], zone: ZoneInfo
) -> int:
    """Find the first start after another; a change of the clock may put one within the usual length."""
    following_s = start_of(start_s + longest_s, zone)
    if following_s - start_s not in (HOUR_S, DAY_S):
        while (between_s := start_of(following_s - 1, zone)) > start_s:
            following_s = between_s
    return following_s


def _hour_start(second: int, zone: ZoneInfo) -> int:
    """Give where an hour of a zone began: at its first minute, or where a change of the clock led into it."""
    local = datetime.fromtimestamp(second, zone)
    start_s = second - local.minute * 60 - local.second
    offset = local.utcoffset()

    def is_after_change(other: int) -> bool:
        return datetime.fromtimestamp(other, zone).utcoffset() == offset

    if is_after_change(start_s):
        return start_s
    return start_s + bisect_left(range(start_s, second), True, key=is_after_change)


def _day_start(second: int, zone: ZoneInfo) -> int:
    """Give where the day of a zone began: at midnight, or after it where the clock left midnight out."""
    day = datetime.fromtimestamp(second, zone).date()
    return math.floor(datetime.combine(day, time(), zone).astimezone(UTC).timestamp())


def whole_minutes(from_s: float, to_s: float) -> tuple[tuple[float, float], list[Span]]:
    """Split a span into its whole minutes and the up to two parts of minutes at its edges."""
    first, last = -(-from_s // 60) * 60, to_s // 60 * 60
    if first >= last:
        return (first, first), [(from_s, to_s)]
    return (first, last), [span for span in ((from_s, first), (last, to_s)) if span[1] > span[0]]
