"""Coverage: arithmetic alone."""

from itertools import pairwise
from random import Random

from services.core.evidence.coverage import AnalysedSeconds, coverage_of, missing_spans

FULL = (1 << 60) - 1
BASE = 1_000_000 * 60
M = BASE // 60
LATER = BASE + 10_000.0


def seconds(minutes: dict[int, int]) -> AnalysedSeconds:
    return AnalysedSeconds(minutes.items())


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
