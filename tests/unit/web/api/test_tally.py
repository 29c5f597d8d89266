"""Counts in buckets: arithmetic alone."""

import json
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.core.errors import BadInputError
from services.core.evidence.coverage import AnalysedSeconds
from services.core.types import CameraId, LineId, MinuteCount
from services.web.api.counts_text import counts_json, counts_rows
from services.web.api.spans import bucket_starts, whole_minutes
from services.web.api.tally import Buckets, BucketTallies, Counts, Coverage, LineSeries, Series, Tally

FULL = (1 << 60) - 1
BASE = 1_000_000 * 60
M = BASE // 60
LATER = BASE + 10_000.0


def _utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_days_follow_the_clock_changes_of_their_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    starts = bucket_starts(_utc("2026-03-27T23:00"), _utc("2026-03-31T22:00"), "1d", berlin)
    assert [(b - a) / 3600 for a, b in pairwise(starts)] == [24, 23, 24]
    starts = bucket_starts(_utc("2026-10-23T22:00"), _utc("2026-10-27T23:00"), "1d", berlin)
    assert [(b - a) / 3600 for a, b in pairwise(starts)] == [24, 25, 24]


def test_hours_follow_zones_with_half_hours_and_clock_changes() -> None:
    kolkata = bucket_starts(
        _utc("2026-01-01T00:00"), _utc("2026-01-01T02:00"), "1h", ZoneInfo("Asia/Kolkata")
    )
    assert [start % 3600 for start in kolkata] == [0, 1800, 1800]
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    starts = bucket_starts(_utc("2026-04-04T12:00"), _utc("2026-04-04T20:00"), "1h", lord_howe)
    assert all(b > a for a, b in pairwise(starts))
    berlin = bucket_starts(
        _utc("2026-10-25T00:00"), _utc("2026-10-25T04:00"), "1h", ZoneInfo("Europe/Berlin")
    )
    assert len(berlin) == 4


@pytest.mark.parametrize(("bucket", "number"), [("1m", 60), ("5m", 12), ("15m", 4), ("1h", 1)])
def test_empty_buckets_are_listed(bucket: str, number: int) -> None:
    assert (
        len(bucket_starts(BASE // 3600 * 3600, BASE // 3600 * 3600 + 3600, bucket, ZoneInfo("UTC"))) == number
    )


def test_bad_buckets_are_refused() -> None:
    utc = ZoneInfo("UTC")
    for span, bucket in (((0, 10), "2m"), ((10, 10), "1h"), ((0, 1e8), "1m")):
        with pytest.raises(BadInputError):
            bucket_starts(*span, bucket, utc)


def test_whole_minutes_and_edges() -> None:
    assert whole_minutes(BASE, BASE + 120) == ((BASE, BASE + 120), [])
    assert whole_minutes(BASE + 1, BASE + 119) == ((BASE + 60, BASE + 60), [(BASE + 1, BASE + 119)])
    assert whole_minutes(BASE + 1, BASE + 121) == (
        (BASE + 60, BASE + 120),
        [(BASE + 1, BASE + 60), (BASE + 120, BASE + 121)],
    )


def test_counts_are_put_into_their_buckets() -> None:
    minute = MinuteCount(CameraId("gate"), LineId("main"), M + 1, {"car": 2}, {"bus": 1})
    starts = bucket_starts(BASE, BASE + 180, "1m", ZoneInfo("UTC"))
    buckets = Buckets(BASE, BASE + 180, "1m", starts, LATER)
    tallies = BucketTallies(starts)
    tallies.add_minutes([minute])
    analysed = AnalysedSeconds([(M + 1, FULL)])
    counts = Counts(buckets, Series(tallies.sums(), buckets.coverage(analysed)))
    body = json.loads(counts_json(counts))
    assert body["total"] == {"forward": {"car": 2}, "backward": {"bus": 1}}
    assert [b["forward"] for b in body["buckets"]] == [{}, {"car": 2}, {}]
    assert [b["coverage"] for b in body["buckets"]] == [0.0, 1.0, 0.0]
    assert body["coverage"] == pytest.approx(1 / 3, abs=1e-4)
    assert "lines" not in body


def _tallies(is_by_line: bool = False, **filters: list[str]) -> BucketTallies:
    minutes = [
        MinuteCount(CameraId("gate"), LineId("in"), M, {"car": 2, "bus": 1}, {"car": 3}),
        MinuteCount(CameraId("gate"), LineId("out"), M, {"car": 5}),
        MinuteCount(CameraId("gate"), LineId("out"), M + 2, {}, {"bus": 7}),
    ]
    tallies = BucketTallies([BASE, BASE + 60, BASE + 120], is_by_line, **filters)
    tallies.add_minutes(minutes)
    return tallies


def test_lines_are_counted_apart_and_together() -> None:
    apart, together = _tallies(True), _tallies()
    assert apart.sums() == together.sums()
    assert apart.sums()[0] == Tally({"car": 7, "bus": 1}, {"car": 3})
    assert apart.of_line("out") == {0: Tally({"car": 5}), 2: Tally({}, {"bus": 7})}
    assert apart.of_line("none") == {}


def test_only_what_is_asked_for_is_counted() -> None:
    assert _tallies(classes=["bus"]).sums() == {0: Tally({"bus": 1}), 2: Tally({}, {"bus": 7})}
    forward = _tallies(directions=["forward"]).sums()
    assert forward[0] == Tally({"car": 7, "bus": 1}) and forward[2] == Tally()


def test_rows_have_a_column_for_each_class_and_direction() -> None:
    buckets = Buckets(BASE, BASE + 180, "1m", [BASE, BASE + 60, BASE + 120], LATER)
    tallies = _tallies(True)
    coverage = Coverage(0.5, [1.0, 0.5, None])
    lines = [LineSeries("in", "=In", Series(tallies.of_line("in"), coverage))]
    counts = Counts(buckets, Series(tallies.sums(), coverage), lines)
    names, *rows = counts_rows(counts, ZoneInfo("Asia/Kolkata"))
    assert names[2:6] == ["line", "name", "forward_name", "backward_name"]
    assert names[6:] == [
        *("coverage", "forward", "backward", "compliance_rate", "compliance_counted"),
        *("forward_bus", "backward_bus", "forward_car", "backward_car"),
    ]
    assert [row[6:] for row in rows] == [
        [1.0, 3, 3, None, 0, 1, 0, 2, 3],
        [0.5, 0, 0, None, 0, 0, 0, 0, 0],
        [None, 0, 0, None, 0, 0, 0, 0, 0],
    ]
    assert list(rows[0][:4]) == ["1971-11-26T10:40:00.000Z", "1971-11-26 16:10:00", "in", "=In"]
    assert len(next(counts_rows(Counts(buckets, counts.sums), ZoneInfo("UTC"), ["car"]))) == 9
