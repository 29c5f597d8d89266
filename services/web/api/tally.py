"""Counts in buckets of time: pure."""

import json
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.common.wire import time_text
from services.core.evidence.coverage import AnalysedSeconds, coverage_of
from services.core.model_classes import MaskCompliance
from services.core.types import Crossing, Direction, MinuteCount


@dataclass(slots=True)
class Tally:
    """Counts by direction and class."""

    forward: dict[str, int] = field(default_factory=dict)
    backward: dict[str, int] = field(default_factory=dict)

    def add(self, direction: Direction, class_name: str, number: int = 1) -> None:
        """Add some crossings."""
        counts = self.forward if direction == "forward" else self.backward
        counts[class_name] = counts.get(class_name, 0) + number

    def compliance(self, has_rate: bool) -> dict[str, Any]:
        """Give the share of mask states that comply, of both directions together and of each."""
        return {
            **_compliance(MaskCompliance.of(self.forward, self.backward), has_rate),
            "forward": _compliance(MaskCompliance.of(self.forward), has_rate),
            "backward": _compliance(MaskCompliance.of(self.backward), has_rate),
        }

    def as_object(self) -> dict[str, dict[str, int]]:
        """Give both directions, classes in the order of their names."""
        return {
            "forward": dict(sorted(self.forward.items())),
            "backward": dict(sorted(self.backward.items())),
        }


def _compliance(found: MaskCompliance, has_rate: bool) -> dict[str, Any]:
    rate = found.rate if has_rate else None
    return {"rate": None if rate is None else round(rate, 4), "counted": found.counted}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the span: counts, and what was analysed."""

    minutes: Iterable[MinuteCount]
    """Counts of the minutes that lie in the span as a whole; read once."""
    edges: Iterable[Crossing]
    """Crossings of the minutes that the span cuts; read once."""
    analysed: AnalysedSeconds
    """The seconds in which the line was counted, or all lines of the camera."""
    counts_all_states: bool = True
    """Whether every line counted all mask states, so that their shares say something."""
    begin_s: float = -math.inf
    """Since when the camera has been there, or has records: nothing was to be analysed before."""


def counts_object(
    from_s: float, to_s: float, bucket: str, starts: Sequence[float], evidence: Evidence, now_s: float
) -> dict[str, Any]:
    """Give the counts of all buckets, empty ones too, and their coverage."""
    tallies = [Tally() for _ in starts]
    total = Tally()
    begin_s = evidence.begin_s
    for time_s, direction, class_name, number in _numbers(evidence):
        tallies[bisect_right(starts, time_s) - 1].add(direction, class_name, number)
        total.add(direction, class_name, number)
        begin_s = min(begin_s, time_s)
    ends = [*starts[1:], to_s]

    def coverage(start_s: float, end_s: float) -> float | None:
        share = coverage_of(evidence.analysed, max(start_s, begin_s), end_s, now_s)
        return None if share is None else round(share, 4)

    return {
        "from": time_text(from_s),
        "to": time_text(to_s),
        "bucket": bucket,
        "coverage": coverage(from_s, to_s),
        "total": total.as_object(),
        "compliance": total.compliance(evidence.counts_all_states),
        "buckets": [
            {
                "start": time_text(start),
                "coverage": coverage(start, end),
                **tally.as_object(),
                "compliance": tally.compliance(evidence.counts_all_states),
            }
            for start, end, tally in zip(starts, ends, tallies, strict=True)
        ],
    }


def counts_json(counts: Mapping[str, Any]) -> bytes:
    """Write counts as JSON, bucket by bucket: all at once would keep other threads from running meanwhile."""
    head = _text({key: value for key, value in counts.items() if key != "buckets"})
    buckets = ",".join(_text(bucket) for bucket in counts["buckets"])
    return f'{head[:-1]},"buckets":[{buckets}]}}'.encode()


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _numbers(evidence: Evidence) -> Iterator[tuple[float, Direction, str, int]]:
    for minute in evidence.minutes:
        time_s = minute.minute * 60.0
        for class_name, number in minute.forward.items():
            yield time_s, "forward", class_name, number
        for class_name, number in minute.backward.items():
            yield time_s, "backward", class_name, number
    for crossing in evidence.edges:
        yield crossing.time_s, crossing.direction, crossing.class_name, 1
