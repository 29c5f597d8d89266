"""Coverage: arithmetic on the seconds that are evidence (by minute, bit n for second n). Pure."""

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate

SETTLE_S = 8.0
"""Younger seconds count neither for nor against: their evidence may still come. It waits for what is hidden
or on a line, for the way to the database, and for little else."""

WHOLE_MINUTE = (1 << 60) - 1

Span = tuple[float, float]
Seconds = tuple[int, int]
"""A span of whole seconds, without its end."""


class AnalysedSeconds:
    """The seconds of a camera that were analysed."""

    def __init__(self, minutes: Iterable[tuple[int, int]]) -> None:
        """Take minutes since 1970 with their seconds, bit n for second n, in the order of time.

        A minute may come several times.
        """
        self._minutes, self._masks = array("q"), array("Q")
        for minute, seconds in minutes:
            if self._minutes and self._minutes[-1] == minute:
                self._masks[-1] |= seconds
            else:
                self._minutes.append(minute)
                self._masks.append(seconds)
        self._before = array("q", accumulate((mask.bit_count() for mask in self._masks), initial=0))

    def count(self, from_s: int, to_s: int) -> int:
        """Count the analysed seconds from one whole second to before another."""
        return self._count_before(to_s) - self._count_before(from_s)

    def _count_before(self, second: int) -> int:
        minute, rest = divmod(second, 60)
        place = bisect_left(self._minutes, minute)
        number = self._before[place]
        if rest and place < len(self._minutes) and self._minutes[place] == minute:
            number += (self._masks[place] & (1 << rest) - 1).bit_count()
        return number

    def runs(self, from_s: int, to_s: int) -> Iterator[Seconds]:
        """Give the spans within a span of which each second was analysed, those of whole minutes merged."""
        begun: int | None = None
        for place in range(bisect_left(self._minutes, from_s // 60), len(self._minutes)):
            start, mask = self._minutes[place] * 60, self._masks[place]
            if start >= to_s:
                break
            if begun is not None and (mask != WHOLE_MINUTE or self._minutes[place - 1] * 60 + 60 != start):
                yield max(begun, from_s), min(self._minutes[place - 1] * 60 + 60, to_s)
                begun = None
            if mask == WHOLE_MINUTE:
                begun = start if begun is None else begun
            else:
                yield from _runs_of(mask, start, from_s, to_s)
        if begun is not None:
            last = self._minutes[bisect_left(self._minutes, -(-to_s // 60)) - 1]
            yield max(begun, from_s), min(last * 60 + 60, to_s)


def _runs_of(mask: int, start: int, from_s: int, to_s: int) -> Iterator[Seconds]:
    """Give the runs of a minute's analysed seconds that lie in a span."""
    begun: int | None = None
    for second in range(max(start, from_s), min(start + 60, to_s)):
        is_analysed = mask >> second - start & 1
        if is_analysed and begun is None:
            begun = second
        elif not is_analysed and begun is not None:
            yield begun, second
            begun = None
    if begun is not None:
        yield begun, min(start + 60, to_s)


def coverage_of(analysed: AnalysedSeconds, from_s: float, to_s: float, now_s: float) -> float | None:
    """Give the analysed share of a span up to now, by whole seconds; None when it holds none yet."""
    first, last = math.ceil(from_s), math.floor(min(to_s, now_s - SETTLE_S))
    return analysed.count(first, last) / (last - first) if last > first else None


def missing_spans(analysed: AnalysedSeconds, from_s: int, to_s: int) -> Iterator[Seconds]:
    """Give the spans of whole seconds that were not analysed, neighbours merged."""
    begun = from_s
    for start, end in analysed.runs(from_s, to_s):
        if start > begun:
            yield begun, start
        begun = end
    if begun < to_s:
        yield begun, to_s
