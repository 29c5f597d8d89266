"""Coverage and gaps: pure arithmetic on analysed seconds (by minute, bit n for second n)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.core.types import CameraStatus, StatusChange

SETTLE_S = 8.0
"""Younger seconds count neither for nor against: their evidence may still come. It waits for what is hidden
or on a line, for the way to the database, and for little else."""

NOT_RUNNING = "service not running"
TOO_FEW = "too few frames analysed"
PRELUDE_S = 3.0
"""A status told this soon after a gap's start belongs to its start."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Gap:
    """A span in which a camera was not analysed, and why."""

    from_s: float
    to_s: float
    cause: str


def analysed_count(minutes: Mapping[int, int], from_s: int, to_s: int) -> int:
    """Count the analysed seconds from one whole second to before another."""
    total = 0
    for minute in range(from_s // 60, (to_s - 1) // 60 + 1):
        mask = minutes.get(minute, 0)
        if mask:
            first, last = max(from_s - minute * 60, 0), min(to_s - minute * 60, 60)
            total += (mask >> first & (1 << last - first) - 1).bit_count()
    return total


def coverage_of(
    minutes: Mapping[int, int], from_s: float, to_s: float, now_s: float, valid: Sequence[Span] | None = None
) -> float | None:
    """Give the analysed share of a span up to now, by whole seconds; None when it holds none yet.

    With `valid`, seconds outside these spans count as not analysed: a line cannot have counted
    before it was there.
    """
    first, last = math.ceil(from_s), math.floor(min(to_s, now_s - SETTLE_S))
    if last <= first:
        return None
    spans = [(first, last)] if valid is None else list(_clipped(valid, first, last))
    analysed = sum(analysed_count(minutes, start, end) for start, end in spans)
    return analysed / (last - first)


def _clipped(spans: Sequence[Span], first: int, last: int) -> Iterator[tuple[int, int]]:
    for from_s, to_s in spans:
        start, end = max(first, math.ceil(from_s)), min(last, math.floor(min(to_s, last)))
        if end > start:
            yield start, end


def missing_spans(minutes: Mapping[int, int], from_s: int, to_s: int) -> list[tuple[int, int]]:
    """Give the spans of whole seconds that were not analysed, neighbours merged."""
    spans: list[tuple[int, int]] = []
    second = from_s
    while second < to_s:
        end = min(second // 60 * 60 + 60, to_s)
        mask = minutes.get(second // 60, 0)
        if mask == 0:
            _extend(spans, second, end)
        else:
            for missing in range(second, end):
                if not mask >> missing % 60 & 1:
                    _extend(spans, missing, missing + 1)
        second = end
    return spans


def _extend(spans: list[tuple[int, int]], start: int, end: int) -> None:
    if spans and spans[-1][1] == start:
        spans[-1] = (spans[-1][0], end)
    else:
        spans.append((start, end))


def find_gaps(
    minutes: Mapping[int, int], statuses: Sequence[StatusChange], from_s: float, to_s: float, now_s: float
) -> list[Gap]:
    """Give all gaps of a span with their causes; `statuses` begins with what held at its start."""
    first, last = math.floor(from_s), math.floor(min(to_s, now_s - SETTLE_S))
    return [
        Gap(max(float(start), from_s), float(end), _cause(statuses, start, end))
        for start, end in missing_spans(minutes, first, last)
    ]


def _cause(statuses: Sequence[StatusChange], start: int, end: int) -> str:
    """Say why nothing was analysed.

    What held at the start or came soon after it decides, then what was told first within the gap. A
    camera that connects anew in the middle of a gap without having been lost tells of a restart.
    """
    before = [change for change in statuses if change.time_s <= start + PRELUDE_S]
    within = [change for change in statuses if start + PRELUDE_S < change.time_s <= end + 1]
    held = before[-1] if before else None
    if held is not None and held.status is not CameraStatus.LIVE:
        return _words(held)
    for change in within:
        if change.status is CameraStatus.CONNECTING and not change.cause:
            return NOT_RUNNING
        if change.status is not CameraStatus.LIVE:
            return _words(change)
    return TOO_FEW if held is not None else NOT_RUNNING


def _words(change: StatusChange) -> str:
    if change.cause:
        return change.cause
    return "switched off" if change.status is CameraStatus.DISABLED else change.status.value
