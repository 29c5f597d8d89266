"""Coverage, gaps and buckets: arithmetic alone."""

from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from services.core.errors import BadInputError
from services.core.types import CameraId, CameraStatus, LineId, MinuteCount, StatusChange
from services.web.counts import Evidence, counts_object, valid_spans
from services.web.coverage import (
    NOT_RUNNING,
    TOO_FEW,
    AnalysedSeconds,
    coverage_of,
    find_gaps,
    missing_spans,
)
from services.web.spans import bucket_starts, whole_minutes

FULL = (1 << 60) - 1
BASE = 1_000_000 * 60
M = BASE // 60
LATER = BASE + 10_000.0


def seconds(minutes: dict[int, int]) -> AnalysedSeconds:
    return AnalysedSeconds(minutes.items())


def status(at_s: float, status: str, cause: str = "") -> StatusChange:
    return StatusChange(CameraId("gate"), at_s, CameraStatus(status), cause)


def test_analysed_seconds_are_counted_within_their_span() -> None:
    analysed = seconds({M: FULL, M + 1: 0b1011})
    assert analysed.count(BASE, BASE + 120) == 63
    assert analysed.count(BASE + 59, BASE + 62) == 3
    assert analysed.count(BASE + 61, BASE + 64) == 2
    assert analysed.count(BASE - 500, BASE + 5000) == 63
    assert seconds({}).count(BASE, BASE + 120) == 0
    assert AnalysedSeconds([(M, 0b1), (M, 0b110)]).count(BASE, BASE + 60) == 3


def test_coverage_leaves_the_future_out() -> None:
    assert coverage_of(seconds({M: FULL}), BASE, BASE + 60, LATER) == 1.0
    assert coverage_of(seconds({M: FULL}), BASE, BASE + 120, LATER) == 0.5
    assert coverage_of(seconds({M: FULL}), BASE, BASE + 3600, BASE + 65) == 1.0
    assert coverage_of(seconds({M: FULL}), BASE + 3600, BASE + 7200, BASE + 65) is None


def test_a_line_is_covered_only_while_it_is_there() -> None:
    there = seconds({M: FULL, M + 1: FULL}).within([(BASE + 1.5, BASE + 3.9), (BASE + 45, float("inf"))])
    assert coverage_of(there, BASE, BASE + 60, LATER) == 16 / 60
    assert coverage_of(there, BASE, BASE + 120, LATER) == 76 / 120
    assert valid_spans([(1, False), (2, False), (5, True), (9, False)]) == [(1, 5), (9, float("inf"))]
    assert valid_spans([(1, False), (2, True)]) == [(1, 2)]


def test_missing_spans_are_merged_over_minutes() -> None:
    minutes = seconds({M: FULL ^ (1 << 59), M + 2: FULL ^ 1})
    assert list(missing_spans(minutes, BASE, BASE + 180)) == [(BASE + 59, BASE + 121)]
    assert list(missing_spans(seconds({M: FULL}), BASE, BASE + 60)) == []


def test_missing_spans_are_those_that_a_look_at_each_second_finds() -> None:
    random = Random(5)
    kinds = (FULL, FULL, 0, FULL ^ 1 << 30, FULL << 20 & FULL, FULL >> 20, random.getrandbits(60))
    for _ in range(100):
        minutes = {M + n: random.choice(kinds) for n in range(12) if random.random() < 0.8}
        start, end = BASE + random.randrange(0, 200), BASE + random.randrange(300, 800)
        missing = [n for n in range(start, end) if not minutes.get(n // 60, 0) >> n % 60 & 1]
        spans = list(missing_spans(seconds(minutes), start, end))
        assert [n for span in spans for n in range(*span)] == missing
        assert all(before[1] < after[0] for before, after in pairwise(spans))


def test_more_gaps_than_one_answer_holds_are_refused() -> None:
    flapping = seconds({M + n: 0b10 for n in range(30)})
    assert len(find_gaps(flapping, [], BASE, BASE + 1800, LATER, most=31)) == 31
    with pytest.raises(BadInputError, match="more than 30 gaps: ask for a shorter span"):
        find_gaps(flapping, [], BASE, BASE + 1800, LATER, most=30)


@pytest.mark.parametrize(
    ("statuses", "cause"),
    [
        ([], NOT_RUNNING),
        ([status(BASE - 99, "live")], TOO_FEW),
        (
            [status(BASE - 99, "live"), status(BASE + 2, "degraded", "connection refused")],
            "connection refused",
        ),
        ([status(BASE - 99, "live"), status(BASE + 20, "degraded", "no picture")], "no picture"),
        ([status(BASE - 99, "live"), status(BASE + 50, "connecting")], NOT_RUNNING),
        ([status(BASE - 99, "degraded", "wrong password")], "wrong password"),
        ([status(BASE - 99, "disabled")], "switched off"),
        ([status(BASE, "connecting")], "connecting"),
    ],
)
def test_a_gap_names_its_cause(statuses: list[StatusChange], cause: str) -> None:
    (gap,) = find_gaps(seconds({}), statuses, BASE, BASE + 60, LATER)
    assert (gap.from_s, gap.to_s, gap.cause) == (BASE, BASE + 60, cause)


def test_the_newest_seconds_are_no_gap_yet() -> None:
    assert find_gaps(seconds({M: FULL}), [], BASE, BASE + 3600, BASE + 64) == []


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
        BASE, BASE + 180, "1m", starts, Evidence([minute], [], seconds({M + 1: FULL}), None), LATER
    )
    assert body["total"] == {"forward": {"car": 2}, "backward": {"bus": 1}}
    assert [b["forward"] for b in body["buckets"]] == [{}, {"car": 2}, {}]
    assert [b["coverage"] for b in body["buckets"]] == [0.0, 1.0, 0.0]
    assert body["coverage"] == pytest.approx(1 / 3, abs=1e-4)
