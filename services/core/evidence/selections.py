"""Analysed seconds of several selections of lines at once, from evidence that is read once: pure.

Most lines of a camera are counted in the same seconds. So selections stay together, as one group with one
list of minutes, until a minute covers them differently.
"""

from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from services.core.evidence.coverage import AnalysedSeconds
from services.core.evidence.lines import LineEvidence, MinuteEvidence, Versions
from services.core.types import LineVersion

Lines = Collection[str] | None
"""A selection: some lines, or all of a camera."""


@dataclass(slots=True)
class _Group:
    """Selections that were covered by the same seconds so far."""

    members: list[int]
    covers: bool = False
    """Whether seconds of the stretch at hand cover them."""
    minutes: "array[int]" = field(default_factory=lambda: array("q"))
    masks: "array[int]" = field(default_factory=lambda: array("Q"))

    def add(self, minute: int, seconds: int) -> None:
        self.minutes.append(minute)
        self.masks.append(seconds)


def analysed_of(
    selections: Sequence[Lines],
    versions: Sequence[LineVersion],
    versions_of: Callable[[str], Versions | None],
    evidence: Iterable[MinuteEvidence],
) -> list[AnalysedSeconds]:
    """Give the seconds in which each selection was counted; those that are the same are one object.

    See `LineEvidence` for what it takes.
    """
    known: dict[str, Versions | None] = {}

    def versions_once(revision: str) -> Versions | None:
        if revision not in known:
            known[revision] = versions_of(revision)
        return known[revision]

    counted = [LineEvidence(versions, versions_once, lines) for lines in selections]
    groups = _grouped(counted, LineEvidence(versions, versions_once), evidence)
    found = [AnalysedSeconds(())] * len(selections)
    for group in groups:
        analysed = AnalysedSeconds(zip(group.minutes, group.masks, strict=True))
        for member in group.members:
            found[member] = analysed
    return found


def _grouped(
    counted: Sequence[LineEvidence], whole: LineEvidence, evidence: Iterable[MinuteEvidence]
) -> list[_Group]:
    """Part the selections; within a stretch of one revision in which no line changed they need no look."""
    groups = [_Group([*range(len(counted))])]
    revision, first, end = "", 0.0, -1.0
    for minute in evidence:
        start = minute.minute * 60
        is_same = minute.revision == revision and first <= start and start + 60 <= end
        if is_same and not minute.lacking:
            for group in groups:
                group.add(minute.minute, minute.seconds if group.covers else 0)
            continue
        groups = [part for group in groups for part in _parts(group, counted, minute)]
        revision, (first, end) = minute.revision, whole.stretch(start)
    return groups


def _parts(group: _Group, counted: Sequence[LineEvidence], minute: MinuteEvidence) -> list[_Group]:
    """Part a group by the seconds of a minute that count for its members, and by what goes on after it."""
    members: dict[tuple[int, bool], list[int]] = {}
    for member in group.members:
        one = counted[member]
        key = one.counted(minute), one.covers(minute.revision, minute.minute * 60)
        members.setdefault(key, []).append(member)
    parts = [
        group if len(members) == 1 else replace(group, minutes=group.minutes[:], masks=group.masks[:])
        for _ in members
    ]
    for part, ((seconds, covers), chosen) in zip(parts, members.items(), strict=True):
        part.members, part.covers = chosen, covers
        part.add(minute.minute, seconds)
    return parts
