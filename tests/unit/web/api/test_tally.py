"""Counts in buckets: arithmetic alone."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from services.core.errors import BadInputError
from services.core.evidence.coverage import AnalysedSeconds
from services.core.types import CameraId, LineId, MinuteCount
from services.web.api.spans import bucket_starts, whole_minutes
from services.web.api.tally import Evidence, counts_object

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
    body = counts_object(
        BASE, BASE + 180, "1m", starts, Evidence([minute], [], AnalysedSeconds([(M + 1, FULL)])), LATER
    )
    assert body["total"] == {"forward": {"car": 2}, "backward": {"bus": 1}}
    assert [b["forward"] for b in body["buckets"]] == [{}, {"car": 2}, {}]
    assert [b["coverage"] for b in body["buckets"]] == [0.0, 1.0, 0.0]
    assert body["coverage"] == pytest.approx(1 / 3, abs=1e-4)
