"""Event-by-event comparison of counted crossings with true ones."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Event:
    """A crossing, true or counted."""

    time_s: float
    direction: str
    class_name: str


@dataclass
class Score:
    """What one line came to."""

    title: str
    matched: list[tuple[Event, Event]] = field(default_factory=list)
    missed: list[Event] = field(default_factory=list)
    extra: list[Event] = field(default_factory=list)

    @property
    def precision(self) -> float:
        counted = len(self.matched) + len(self.extra)
        return len(self.matched) / counted if counted else 1.0

    @property
    def recall(self) -> float:
        true = len(self.matched) + len(self.missed)
        return len(self.matched) / true if true else 1.0

    @property
    def is_exact(self) -> bool:
        """Whether the totals by direction and class are those of the truth."""
        true = [pair[0] for pair in self.matched] + self.missed
        counted = [pair[1] for pair in self.matched] + self.extra
        return _totals(true) == _totals(counted)

    @property
    def wrong_classes(self) -> int:
        return sum(a.class_name != b.class_name for a, b in self.matched)

    def __str__(self) -> str:
        true, counted = len(self.matched) + len(self.missed), len(self.matched) + len(self.extra)
        text = (
            f"{self.title}: true {true}, counted {counted}, precision {self.precision:.2f}, "
            f"recall {self.recall:.2f}, wrong class {self.wrong_classes}"
        )
        for name, events in (("missed", self.missed), ("extra", self.extra)):
            for event in events:
                text += f"\n    {name} {event.class_name} {event.direction} at {event.time_s:.2f} s"
        return text


def _totals(events: Iterable[Event]) -> Counter[tuple[str, str]]:
    return Counter((event.direction, event.class_name) for event in events)


def score(title: str, true: Iterable[Event], counted: Iterable[Event], tolerance_s: float = 0.5) -> Score:
    """Pair each counted event with the nearest true one of its direction within the tolerance."""
    left = sorted(true)
    result = Score(title)
    for event in sorted(counted):
        near = [
            t for t in left if t.direction == event.direction and abs(t.time_s - event.time_s) <= tolerance_s
        ]
        if not near:
            result.extra.append(event)
            continue
        best = min(near, key=lambda t: (abs(t.time_s - event.time_s), t.class_name != event.class_name))
        left.remove(best)
        result.matched.append((best, event))
    result.missed = left
    return result


def f1(scores: Iterable[Score]) -> float:
    """The F1 of all events of several lines together."""
    scores = list(scores)
    matched = sum(len(s.matched) for s in scores)
    wrong = sum(len(s.missed) + len(s.extra) for s in scores)
    return 2 * matched / (2 * matched + wrong) if matched else 0.0
