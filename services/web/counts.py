"""Counts in buckets of time: pure."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.common.wire import time_text
from services.core.errors import BadInputError
from services.core.evidence.coverage import AnalysedSeconds, Span, coverage_of
from services.core.masks import Compliance
from services.core.types import Crossing, Direction, MinuteCount

FIXED_BUCKETS_S = {"1m": 60, "5m": 300, "15m": 900}
BUCKETS_S = {**FIXED_BUCKETS_S, "1h": 3600, "1d": 86_400}
MOST_BUCKETS = 12_000
"""Buckets in one answer: more than a year of hours or a week of minutes."""

HOUR_S = 3600


@dataclass(slots=True)
class Tally:
    """Counts by direction and class."""

    forward: dict[str, int] = field(default_factory=dict)
    backward: dict[str, int] = field(default_factory=dict)

    def add(self, direction: Direction, class_name: str, number: int = 1) -> None:
        """Add some crossings."""
        counts = self.forward if direction == "forward" else self.backward
        counts[class_name] = counts.get(class_name, 0) + number

    def compliance(self, has_rate: bool) -> dict[str, Any]:
        """Give the share of mask states that comply, of both directions together and of each."""
        return {
            **_compliance(Compliance.of(self.forward, self.backward), has_rate),
            "forward": _compliance(Compliance.of(self.forward), has_rate),
            "backward": _compliance(Compliance.of(self.backward), has_rate),
        }

    def as_object(self) -> dict[str, dict[str, int]]:
        """Give both directions, classes in the order of their names."""
        return {
            "forward": dict(sorted(self.forward.items())),
            "backward": dict(sorted(self.backward.items())),
        }


def _compliance(found: Compliance, has_rate: bool) -> dict[str, Any]:
    rate = found.rate if has_rate else None
    return {"rate": None if rate is None else round(rate, 4), "counted": found.counted}


def zone_of(name: str) -> ZoneInfo:
    """Find a time zone; BadInputError when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInputError(f"tz {name[:40]!r} is not known: give a name like UTC or Europe/Berlin") from None


def bucket_starts(from_s: float, to_s: float, bucket: str, zone: ZoneInfo) -> list[float]:
    """Give the starts of the buckets that a span touches; the first is cut to the span's start.

    Hours and days are those of the zone: a day with a change of the clock has 23 or 25 hours.
    """
    check_bucket(bucket, from_s, to_s)
    starts: list[float] = []
    for start_s in _aligned(from_s, bucket, zone):
        if start_s >= to_s:
            break
        starts.append(max(start_s, from_s))
    return starts


def check_bucket(bucket: str, from_s: float, to_s: float) -> None:
    """Check that a span has no more buckets of a kind than one answer may hold; BadInputError says so."""
    if bucket not in BUCKETS_S:
        raise BadInputError(f"bucket is one of {', '.join(BUCKETS_S)}")
    if to_s <= from_s:
        raise BadInputError("the span is empty: `to` must be later than `from`")
    if to_s - from_s > MOST_BUCKETS * BUCKETS_S[bucket]:
        raise BadInputError(f"more than {MOST_BUCKETS} buckets: ask for a shorter span or a larger bucket")


def _aligned(from_s: float, bucket: str, zone: ZoneInfo) -> Iterator[float]:
    if bucket in FIXED_BUCKETS_S:
        size_s = FIXED_BUCKETS_S[bucket]
        start_s = from_s // size_s * size_s
        while True:
            yield start_s
            start_s += size_s
    floor: Callable[[float, ZoneInfo], float] = _hour_floor if bucket == "1h" else _day_floor
    step_s = HOUR_S if bucket == "1h" else 26 * HOUR_S
    start_s = floor(from_s, zone)
    while True:
        yield start_s
        following_s = floor(start_s + step_s, zone)
        start_s = following_s if following_s > start_s else start_s + step_s


def _hour_floor(time_s: float, zone: ZoneInfo) -> float:
    local = datetime.fromtimestamp(time_s, zone)
    return time_s - (local.minute * 60 + local.second + local.microsecond / 1e6)


def _day_floor(time_s: float, zone: ZoneInfo) -> float:
    day = datetime.fromtimestamp(time_s, zone).date()
    return datetime.combine(day, time(), zone).astimezone(UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the span: counts, and what was analysed."""

    minutes: Iterable[MinuteCount]
    """Counts of the minutes that lie in the span as a whole; read once."""
    edges: Iterable[Crossing]
    """Crossings of the minutes that the span cuts; read once."""
    analysed: AnalysedSeconds
    """The seconds in which the line was counted, or all lines of the camera."""
    tells_all_states: bool = True
    """Whether every line counted all mask states, so that their shares say something."""


def counts_object(
    from_s: float, to_s: float, bucket: str, starts: Sequence[float], evidence: Evidence, now_s: float
) -> dict[str, Any]:
    """Give the counts of all buckets, empty ones too, and their coverage."""
    tallies = [Tally() for _ in starts]
    total = Tally()
    for time_s, direction, class_name, number in _numbers(evidence):
        tallies[bisect_right(starts, time_s) - 1].add(direction, class_name, number)
        total.add(direction, class_name, number)
    ends = [*starts[1:], to_s]

    def coverage(start_s: float, end_s: float) -> float | None:
        share = coverage_of(evidence.analysed, start_s, end_s, now_s)
        return None if share is None else round(share, 4)

    return {
        "from": time_text(from_s),
        "to": time_text(to_s),
        "bucket": bucket,
        "coverage": coverage(from_s, to_s),
        "total": total.as_object(),
        "compliance": total.compliance(evidence.tells_all_states),
        "buckets": [
            {
                "start": time_text(start),
                "coverage": coverage(start, end),
                **tally.as_object(),
                "compliance": tally.compliance(evidence.tells_all_states),
            }
            for start, end, tally in zip(starts, ends, tallies, strict=True)
        ],
    }


def counts_json(counts: Mapping[str, Any]) -> bytes:
    """Write counts as JSON, bucket by bucket: all at once would keep other threads from running meanwhile."""
    head = _text({key: value for key, value in counts.items() if key != "buckets"})
    buckets = ",".join(_text(bucket) for bucket in counts["buckets"])
    return f'{head[:-1]},"buckets":[{buckets}]}}'.encode()


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _numbers(evidence: Evidence) -> Iterator[tuple[float, Direction, str, int]]:
    for minute in evidence.minutes:
        time_s = minute.minute * 60.0
        for class_name, number in minute.forward.items():
            yield time_s, "forward", class_name, number
        for class_name, number in minute.backward.items():
            yield time_s, "backward", class_name, number
    for crossing in evidence.edges:
        yield crossing.time_s, crossing.direction, crossing.class_name, 1


def whole_minutes(from_s: float, to_s: float) -> tuple[tuple[float, float], list[Span]]:
    """Split a span into its whole minutes and the up to two parts of minutes at its edges."""
    first, last = -(-from_s // 60) * 60, to_s // 60 * 60
    if first >= last:
        return (first, first), [(from_s, to_s)]
    return (first, last), [span for span in ((from_s, first), (last, to_s)) if span[1] > span[0]]


def default_span(from_s: float | None, to_s: float | None, now_s: float) -> Span:
    """Fill in what a request leaves open: up to now, and a day long."""
    end_s = now_s if to_s is None else to_s
    return (end_s - timedelta(days=1).total_seconds() if from_s is None else from_s), end_s
