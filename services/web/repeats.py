"""Gaps where a clock was set back: a time that comes twice is a gap of its own, told with that cause."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from services.core.types import RepeatedSpan
from services.web.coverage import MOST_GAPS, Gap, too_many_gaps

BORDER_S = 5
"""A gap of up to this before or after a time that comes twice belongs to it: tracks end and begin there."""

FindGaps = Callable[[float, float], Sequence[Gap]]
"""Gives the gaps of a span, by what was analysed once."""


def gaps_with_repeats(
    find: FindGaps, repeats: Sequence[RepeatedSpan], from_s: float, to_s: float, most: int = MOST_GAPS
) -> list[Gap]:
    """Give the gaps of a span; those where time comes twice say so.

    BadInputError where there are more than `most` of all the parts together.
    """
    if not repeats:
        return list(find(from_s, to_s))
    told: list[tuple[Gap, bool]] = []
    for start_s, end_s, cause in _parts(repeats, from_s, to_s):
        for gap in find(start_s, end_s):
            _tell(told, replace(gap, cause=cause) if cause else gap, bool(cause))
        if len(told) > most:
            raise too_many_gaps(most)
    return [gap for gap, _ in told]


def _tell(told: list[tuple[Gap, bool]], gap: Gap, is_repeat: bool) -> None:
    """Add a gap; what touches a repeat and is short, or goes on with its cause, is one with it."""
    if not told or told[-1][0].to_s < gap.from_s:
        told.append((gap, is_repeat))
        return
    before, was_repeat = told[-1]
    is_same = before.cause == gap.cause
    if is_same or (was_repeat and gap.to_s - gap.from_s <= BORDER_S):
        told[-1] = replace(before, to_s=gap.to_s), was_repeat
    elif is_repeat and before.to_s - before.from_s <= BORDER_S:
        told[-1] = replace(gap, from_s=before.from_s), True
    else:
        told.append((gap, is_repeat))


def _parts(repeats: Sequence[RepeatedSpan], from_s: float, to_s: float) -> Iterator[tuple[float, float, str]]:
    """Cut a span at whole seconds where a time that comes twice begins and ends; elsewhere without cause."""
    start_s = from_s
    for repeat in sorted(repeats, key=lambda item: item.from_s):
        begin_s = max(start_s, float(math.floor(repeat.from_s)))
        end_s = min(to_s, float(math.ceil(repeat.to_s)))
        if end_s <= begin_s:
            continue
        if begin_s > start_s:
            yield start_s, begin_s, ""
        yield begin_s, end_s, repeat.cause
        start_s = end_s
    if start_s < to_s:
        yield start_s, to_s, ""
