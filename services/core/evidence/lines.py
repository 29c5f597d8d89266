"""Which seconds are evidence for which line: pure.

A setup's revision names the versions of its lines. A second covers a line where it was counted under a
revision that holds the version of the line which was in force then, one that counts the same, or a newer one.
So a line is covered only from when it was being counted, whenever it was drawn. A second without a revision
is of an older release: it covers every line that was there.
"""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from services.core.types import Line, LineId, LineVersion

Versions = Mapping[str, int]
"""The versions of the lines of a revision, by line."""

FOREVER = 1 << 40


@dataclass(frozen=True, slots=True)
class MinuteEvidence:
    """What is known of one minute since 1970, of one revision; bit n stands for second n."""

    minute: int
    seconds: int
    revision: str = ""
    lacking: Mapping[str, int] = field(default_factory=dict)
    """The seconds of which a line's crossings may be missing, by line."""

    @property
    def begin_s(self) -> float:
        """The time of its first second; of a minute without any, its own."""
        return self.minute * 60.0 + max(0, (self.seconds & -self.seconds).bit_length() - 1)


@dataclass(frozen=True, slots=True)
class _Span:
    """Whole seconds in which one version of a line was in force."""

    first: int
    end: int
    line: LineId
    least: int
    """The oldest version that counts what this one does."""

    def is_counted(self, versions: Versions) -> bool:
        return versions.get(self.line, 0) >= self.least


def revision_of(lines: Iterable[Line]) -> str:
    """Name the versions of a camera's lines: the same for the same ones, whoever asks."""
    text = " ".join(sorted(f"{line.id}.{line.version}" for line in lines))
    return hashlib.blake2s(text.encode(), digest_size=8).hexdigest()


class LineEvidence:
    """Takes from evidence the seconds in which lines of a camera were counted.

    Of some lines: the seconds in which each of them was there and counted. Of all: those in which no line
    that was there was left out.
    """

    def __init__(
        self,
        versions: Sequence[LineVersion],
        versions_of: Callable[[str], Versions | None],
        lines: Collection[str] | None = None,
    ) -> None:
        """Take all versions of the camera's lines, the oldest first, and what gives the lines of a revision.

        A revision that nobody knows counted no line. `lines` are those asked for; None: all.
        """
        self._versions_of, self._lines = versions_of, None if lines is None else frozenset(lines)
        asked = [one for one in _by_line(versions) if lines is None or one[0].line.id in lines]
        self._spans = [spans for one in asked if (spans := list(_spans(one)))]
        """The spans of each line, in the order of time."""
        self._cuts = sorted(
            {cut for spans in self._spans for span in spans for cut in (span.first, span.end)}
        )
        self._known: dict[str, Versions] = {}
        self._covered: dict[tuple[str, int], bool] = {}

    def minutes(self, evidence: Iterable[MinuteEvidence]) -> Iterator[tuple[int, int]]:
        """Give minutes since 1970 with their seconds in which what is asked for was counted."""
        for minute in evidence:
            yield minute.minute, self.counted(minute)

    def counted(self, minute: MinuteEvidence) -> int:
        """Give the seconds of a minute in which what is asked for was counted."""
        return self._covered_seconds(minute) & ~self._lacking(minute)

    def stretch(self, second: int) -> tuple[float, float]:
        """Give the span around a second in which no line that is asked for changed, without its end."""
        place = bisect_right(self._cuts, second)
        first = self._cuts[place - 1] if place else -math.inf
        return first, self._cuts[place] if place < len(self._cuts) else math.inf

    def covers(self, revision: str, second: int) -> bool:
        """Whether a second that was analysed under a revision covers what is asked for."""
        return self._is_covered(revision, bisect_right(self._cuts, second))

    def _lacking(self, minute: MinuteEvidence) -> int:
        if not minute.lacking:
            return 0
        lacking = 0
        for line, seconds in minute.lacking.items():
            if self._lines is None or line in self._lines:
                lacking |= seconds
        return lacking

    def _covered_seconds(self, minute: MinuteEvidence) -> int:
        start = first = minute.minute * 60
        place, mask = bisect_right(self._cuts, start), 0
        while first < start + 60:
            end = min(self._cuts[place] if place < len(self._cuts) else FOREVER, start + 60)
            if self._is_covered(minute.revision, place):
                mask |= (1 << end - start) - 1 & -1 << first - start
            first, place = end, place + 1
        return minute.seconds & mask

    def _is_covered(self, revision: str, place: int) -> bool:
        """Tell whether seconds of a revision cover what is asked for between two cuts."""
        key = revision, place
        if key not in self._covered:
            in_force = [] if place == 0 else list(self._in_force(self._cuts[place - 1]))
            versions = self._versions(revision) if revision else None
            is_asked = self._lines is None or len(in_force) == len(self._lines)
            self._covered[key] = is_asked and all(
                versions is None or s.is_counted(versions) for s in in_force
            )
        return self._covered[key]

    def _in_force(self, second: int) -> Iterator[_Span]:
        for spans in self._spans:
            place = bisect_right(spans, second, key=lambda span: span.first)
            if place and second < spans[place - 1].end:
                yield spans[place - 1]

    def _versions(self, revision: str) -> Versions:
        if revision not in self._known:
            self._known[revision] = self._versions_of(revision) or {}
        return self._known[revision]


def _by_line(versions: Sequence[LineVersion]) -> Iterator[list[LineVersion]]:
    by_line: dict[LineId, list[LineVersion]] = {}
    for version in versions:
        by_line.setdefault(version.line.id, []).append(version)
    yield from by_line.values()


def _spans(versions: Sequence[LineVersion]) -> Iterator[_Span]:
    """Give when each version of one line was in force; the second of a change is the newer one's.

    A newer version ends all older ones, also those that a clock which was ahead has dated after it.
    """
    numbered = sorted(versions, key=lambda version: version.line.version)
    ends_s = [*accumulate((version.valid_from_s for version in numbered[:0:-1]), min)][::-1]
    before: LineVersion | None = None
    begun_s, least = 0.0, 0
    for place, version in enumerate(numbered):
        is_new = before is None or before.is_deleted
        if not version.is_deleted:
            if is_new:
                begun_s = version.valid_from_s
            if is_new or before is None or _counted_by(before.line) != _counted_by(version.line):
                least = version.line.version
            first = math.floor(version.valid_from_s)
            if begun_s <= version.valid_from_s:
                first = max(first, math.ceil(begun_s))
            end = math.floor(ends_s[place]) if place < len(ends_s) else FOREVER
            if end > first:
                yield _Span(first, end, version.line.id, least)
        before = version


def _counted_by(line: Line) -> object:
    """Give what of a line decides what it counts."""
    return line.points, line.anchor, None if line.classes is None else frozenset(line.classes)
