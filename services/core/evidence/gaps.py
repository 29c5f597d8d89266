"""Gaps: what was not analysed, and why. Pure.

A time that comes twice, because a clock was set back, is a gap of its own with that cause.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from services.core.errors import BadInputError
from services.core.evidence.coverage import SETTLE_S, AnalysedSeconds, missing_spans
from services.core.sentences.sentence import Sentence, sentence
from services.core.types import CameraStatus, RepeatedSpan, StatusChange

NOT_RUNNING = sentence("not-running")
TOO_FEW = sentence("too-few-frames")
PRELUDE_S = 3.0
"""A status of this soon after a gap's start belongs to its start."""

OVERLOAD_S = 60.0
"""Pictures of a camera that is live for so long and of which none counts come too fast for the analysis."""

BORDER_S = 5
"""A gap of up to this before or after a time that comes twice belongs to it: tracks end and begin there."""

MOST_GAPS = 20_000
"""Gaps in one answer."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A span in which a camera was not analysed, and why."""

    from_s: float
    to_s: float
    cause: Sentence


_SAID = {
    CameraStatus.DISABLED: sentence("switched-off"),
    CameraStatus.CONNECTING: sentence("camera-connecting"),
    CameraStatus.DEGRADED: sentence("camera-degraded"),
}
"""What a status says that has no cause."""

FindGaps = Callable[[float, float], Sequence[Gap]]
"""Gives the gaps of a span, by what was analysed once."""


def find_gaps(
    analysed: AnalysedSeconds,
    statuses: Sequence[StatusChange],
    from_s: float,
    to_s: float,
    now_s: float,
    most: int = MOST_GAPS,
) -> list[Gap]:
    """Give all gaps of a span with their causes; `statuses` begins with what was in force at its start.

    BadInputError where there are more than `most`.
    """
    first, last = math.floor(from_s), math.floor(min(to_s, now_s - SETTLE_S))
    spans = list(islice(missing_spans(analysed, first, last), most + 1))
    if len(spans) > most:
        raise too_many_gaps(most)
    times = [change.time_s for change in statuses]
    return [
        Gap(max(float(start), from_s), float(end), _cause(statuses, times, start, end))
        for start, end in spans
    ]


def too_many_gaps(most: int) -> BadInputError:
    """Give the error of a question whose answer holds more than so many."""
    return BadInputError("gap-limit", most=most)


def _cause(statuses: Sequence[StatusChange], times: Sequence[float], start: int, end: int) -> Sentence:
    """Say why nothing was analysed.

    What was in force at the start or came soon after it decides, then what came first within the gap, and
    then what was said of a camera that was live. A camera that connects anew in the middle of a gap without
    having been lost was restarted. One that was live for most of a gap in which it first connected was
    analysed too slowly.
    """
    known = bisect_right(times, start + PRELUDE_S)
    in_force = statuses[known - 1] if known else None
    later = statuses[known : bisect_right(times, end + 1)]
    if in_force is not None and in_force.status is not CameraStatus.LIVE:
        is_over = in_force.status is CameraStatus.CONNECTING and not in_force.cause
        if not (is_over and _lived(later, start, end)):
            return _words(in_force)
    notice = in_force.reason if in_force is not None else None
    for change in later:
        if change.status is CameraStatus.CONNECTING and not change.cause:
            return NOT_RUNNING
        if change.status is not CameraStatus.LIVE:
            return _words(change)
        notice = notice or change.reason
    if notice is not None:
        return notice
    return TOO_FEW if in_force is not None else NOT_RUNNING


def _lived(later: Sequence[StatusChange], start: int, end: int) -> bool:
    """Return whether a camera connected and was live for most of a gap, as in an overload."""
    if not later or any(change.status is not CameraStatus.LIVE for change in later):
        return False
    live_s = end - later[0].time_s
    return live_s >= OVERLOAD_S and live_s > later[0].time_s - start


def _words(change: StatusChange) -> Sentence:
    if change.reason is not None:
        return change.reason
    return _SAID[change.status]


def gaps_with_repeats(
    find: FindGaps, repeats: Sequence[RepeatedSpan], from_s: float, to_s: float, most: int = MOST_GAPS
) -> list[Gap]:
    """Give the gaps of a span; those where time comes twice say so.

    BadInputError where there are more than `most` of all the parts together.
    """
    if not repeats:
        return list(find(from_s, to_s))
    found: list[tuple[Gap, bool]] = []
    for start_s, end_s, cause in _parts(repeats, from_s, to_s):
        for gap in find(start_s, end_s):
            _add(found, replace(gap, cause=cause) if cause else gap, bool(cause))
        if len(found) > most:
            raise too_many_gaps(most)
    return [gap for gap, _ in found]


def _add(found: list[tuple[Gap, bool]], gap: Gap, is_repeat: bool) -> None:
    """Add a gap; what touches a repeat and is short, or goes on with its cause, is one with it."""
    if not found or found[-1][0].to_s < gap.from_s:
        found.append((gap, is_repeat))
        return
    before, was_repeat = found[-1]
    is_same = before.cause == gap.cause
    if is_same or (was_repeat and gap.to_s - gap.from_s <= BORDER_S):
        found[-1] = replace(before, to_s=gap.to_s), was_repeat
    elif is_repeat and before.to_s - before.from_s <= BORDER_S:
        found[-1] = replace(gap, from_s=before.from_s), True
    else:
        found.append((gap, is_repeat))


def _parts(
    repeats: Sequence[RepeatedSpan], from_s: float, to_s: float
) -> Iterator[tuple[float, float, Sentence | None]]:
    """Cut a span at whole seconds where a time that comes twice begins and ends; elsewhere without cause."""
    start_s = from_s
    for repeat in sorted(repeats, key=lambda item: item.from_s):
        begin_s = max(start_s, float(math.floor(repeat.from_s)))
        end_s = min(to_s, float(math.ceil(repeat.to_s)))
        if end_s <= begin_s:
            continue
        if begin_s > start_s:
            yield start_s, begin_s, None
        yield begin_s, end_s, repeat.reason
        start_s = end_s
    if start_s < to_s:
        yield start_s, to_s, None
