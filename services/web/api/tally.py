"""Counts in buckets of time, of several lines at once: pure."""

import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.core.evidence.coverage import AnalysedSeconds, coverage_of
from services.core.model_classes import MaskCompliance
from services.core.types import MASK_CLASSES, Crossing, Direction, MinuteCount

ALL_LINES = ""
"""Stands for the sum of all lines that are asked for; no line has this id."""


@dataclass(slots=True)
class Tally:
    """Counts by direction and class."""

    forward: dict[str, int] = field(default_factory=dict)
    backward: dict[str, int] = field(default_factory=dict)

    def add(self, direction: Direction, class_name: str, number: int = 1) -> None:
        """Add some crossings."""
        counts = self.forward if direction == "forward" else self.backward
        counts[class_name] = counts.get(class_name, 0) + number

    def add_all(self, other: "Tally") -> None:
        """Add what another has counted."""
        _add(self.forward, other.forward)
        _add(self.backward, other.backward)

    def compliance(self, has_rate: bool) -> dict[str, Any]:
        """Give the share of mask states that comply, of both directions together and of each."""
        return {
            **_compliance(MaskCompliance.of(self.forward, self.backward), has_rate),
            "forward": _compliance(MaskCompliance.of(self.forward), has_rate),
            "backward": _compliance(MaskCompliance.of(self.backward), has_rate),
        }

    def has_masks(self) -> bool:
        """Return whether a mask state was counted."""
        return any(name in self.forward or name in self.backward for name in MASK_CLASSES)

    def as_object(self) -> dict[str, dict[str, int]]:
        """Give both directions, classes in the order of their names."""
        return {
            "forward": dict(sorted(self.forward.items())),
            "backward": dict(sorted(self.backward.items())),
        }


def _add(counts: dict[str, int], others: Mapping[str, int]) -> None:
    for name, number in others.items():
        counts[name] = counts.get(name, 0) + number


def _compliance(found: MaskCompliance, has_rate: bool) -> dict[str, Any]:
    rate = found.rate if has_rate else None
    return {"rate": None if rate is None else round(rate, 4), "counted": found.counted}


class BucketTallies:
    """Counts by line and bucket, of some classes and directions or of all."""

    def __init__(
        self,
        starts: Sequence[float],
        is_by_line: bool = False,
        classes: Collection[str] = (),
        directions: Collection[str] = (),
    ) -> None:
        """Take the starts of the buckets; without `is_by_line` all is counted as `ALL_LINES`."""
        self._starts, self._is_by_line = starts, is_by_line
        self._classes = frozenset(classes)
        self._has_forward = not directions or "forward" in directions
        self._has_backward = not directions or "backward" in directions
        self._tallies: dict[str, dict[int, Tally]] = {}
        self.begin_s = math.inf
        """By when the first of what was counted had happened: of a minute, its last second."""

    def add_minutes(self, minutes: Iterable[MinuteCount]) -> None:
        """Add counted minutes, none of which reaches over the end of its bucket."""
        place, first_s, end_s = -1, 0.0, 0.0
        starts, edges = self._starts, [*self._starts, float("inf")]
        has_forward, has_backward, tally_of = self._has_forward, self._has_backward, self._tally
        for minute in minutes:
            time_s = minute.minute * 60.0
            self.begin_s = min(self.begin_s, time_s + 59.0)
            if not first_s <= time_s < end_s:
                place = bisect_right(starts, time_s) - 1
                first_s, end_s = edges[place], edges[place + 1]
            tally = tally_of(minute.line, place)
            if has_forward and minute.forward:
                _add(tally.forward, self._wanted(minute.forward) if self._classes else minute.forward)
            if has_backward and minute.backward:
                _add(tally.backward, self._wanted(minute.backward) if self._classes else minute.backward)

    def add_crossings(self, crossings: Iterable[Crossing]) -> None:
        """Add single crossings, already of the classes and directions that are wanted."""
        for crossing in crossings:
            self.begin_s = min(self.begin_s, crossing.time_s)
            place = bisect_right(self._starts, crossing.time_s) - 1
            self._tally(crossing.line, place).add(crossing.direction, crossing.class_name)

    def lines(self) -> list[str]:
        """Give the lines that have counts, of whatever class."""
        return list(self._tallies)

    def of_line(self, line: str) -> dict[int, Tally]:
        """Give the counts of a line by bucket; buckets without any are left out."""
        return self._tallies.get(line, {})

    def sums(self) -> dict[int, Tally]:
        """Give the counts of all lines together by bucket; buckets without any are left out."""
        if not self._is_by_line:
            return self.of_line(ALL_LINES)
        sums: dict[int, Tally] = {}
        for by_bucket in self._tallies.values():
            for place, tally in by_bucket.items():
                if place not in sums:
                    sums[place] = Tally()
                sums[place].add_all(tally)
        return sums

    def _wanted(self, counts: Mapping[str, int]) -> Mapping[str, int]:
        return {name: number for name, number in counts.items() if name in self._classes}

    def _tally(self, line: str, place: int) -> Tally:
        key = line if self._is_by_line else ALL_LINES
        by_bucket = self._tallies.get(key)
        if by_bucket is None:
            by_bucket = self._tallies[key] = {}
        tally = by_bucket.get(place)
        if tally is None:
            tally = by_bucket[place] = Tally()
        return tally


@dataclass(frozen=True, slots=True)
class Buckets:
    """The span of an answer and the buckets that it is cut into."""

    from_s: float
    to_s: float
    name: str
    starts: Sequence[float]
    now_s: float
    begin_s: float = -math.inf
    """Since when the camera has been there, or has records: nothing was to be analysed before."""
    end_s: float = math.inf
    """When it was deleted: nothing was to be analysed from then on."""

    def coverage(self, analysed: AnalysedSeconds) -> "Coverage":
        """Give the share of the time that was analysed."""
        ends = [*self.starts[1:], self.to_s]
        shares = [self._share(analysed, *span) for span in zip(self.starts, ends, strict=True)]
        return Coverage(self._share(analysed, self.from_s, self.to_s), shares)

    def _share(self, analysed: AnalysedSeconds, start_s: float, end_s: float) -> float | None:
        share = coverage_of(analysed, max(start_s, self.begin_s), min(end_s, self.end_s), self.now_s)
        return None if share is None else round(share, 4)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The analysed share of a span, and of each of its buckets; None where none of it has passed."""

    whole: float | None
    buckets: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """Counts of a line, or of all that are asked for together."""

    tallies: Mapping[int, Tally]
    """By bucket; none of an empty one."""
    coverage: Coverage
    has_rate: bool = True
    """Whether all mask states were counted and are asked for, so that their shares say something."""
    forward_name: str | None = None
    backward_name: str | None = None
    """What people call the directions; None where nobody has named them, or they are of several lines."""

    def total(self) -> Tally:
        """Give the counts of all buckets together."""
        total = Tally()
        for tally in self.tallies.values():
            total.add_all(tally)
        return total


@dataclass(frozen=True, slots=True)
class LineSeries:
    """Counts of one line, with what it is called."""

    line: str
    name: str
    series: Series


@dataclass(frozen=True, slots=True)
class Counts:
    """What is answered: sums, and where that is asked for each line beside them."""

    buckets: Buckets
    sums: Series
    lines: Sequence[LineSeries] | None = None
