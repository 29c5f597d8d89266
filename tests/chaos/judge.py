"""What the chaos test judges by: scripted crossings against counted ones, outside the gaps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

Span = tuple[float, float]

TOLERANCE_S = 1.0
"""A crossing is the scripted one if it is counted within this time of it, on its line in its direction."""

BORDER_S = 0.5
"""A scripted crossing this near to a gap may be counted or not: time stamps jitter by the network."""


@dataclass(frozen=True, slots=True)
class Happening:
    """A crossing, scripted or counted."""

    time_s: float
    line: str
    direction: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What does not agree."""

    missed: tuple[Happening, ...]
    """Scripted outside the gaps, not counted."""
    surplus: tuple[Happening, ...]
    """Counted, and no scripted one is left for them: counted twice, or never there."""
    expected: int
    """Scripted crossings outside the gaps."""
    excused: int
    """Scripted crossings in a gap that were not counted."""


def judge(scripted: Sequence[Happening], counted: Sequence[Happening], gaps: Sequence[Span]) -> Verdict:
    """Match each counted crossing with the scripted one that is nearest in time, each once."""
    left = sorted(counted, key=lambda item: item.time_s)
    missed, expected, excused = [], 0, 0
    for item in sorted(scripted, key=lambda item: item.time_s):
        is_excused = any(start - BORDER_S <= item.time_s <= end + BORDER_S for start, end in gaps)
        expected += not is_excused
        found = _nearest(item, left)
        if found is not None:
            left.remove(found)
        elif is_excused:
            excused += 1
        else:
            missed.append(item)
    return Verdict(tuple(missed), tuple(left), expected, excused)


def edges(span: Span) -> tuple[Span, Span]:
    """The times around a span's ends, as gaps: what happens on one side may be counted on the other."""
    inside_s = TOLERANCE_S - BORDER_S
    start, end = span
    return (start - TOLERANCE_S, start + inside_s), (end - inside_s, end + TOLERANCE_S)


def _nearest(item: Happening, candidates: Sequence[Happening]) -> Happening | None:
    near = [
        other
        for other in candidates
        if (other.line, other.direction) == (item.line, item.direction)
        and abs(other.time_s - item.time_s) <= TOLERANCE_S
    ]
    return min(near, key=lambda other: abs(other.time_s - item.time_s), default=None)


def overlap_s(one: Span, other: Span) -> float:
    """Seconds that two spans share."""
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
