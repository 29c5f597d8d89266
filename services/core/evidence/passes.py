"""Which capture times of a camera have passed before and come again: pure.

The clock of a machine may be set. When it is set back, a span of time comes twice: two different spans of
the world under one name. Its first pass is kept; the second one is not counted, and the span is a
gap, because what is counted in it is only one of the two. A time that passed by mistake, ahead of the true
one, is such a span too as soon as the true time comes there; what lies between is new and is counted.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from services.core.sentences.sentence import Sentence, sentence
from services.core.times import whole
from services.core.types import CameraId, RepeatedSpan

STEP_S = 1.0
"""A clock that goes back by more than this was set back; less is the order of pictures."""

FORWARD_S = 2.0
"""A clock that is ahead of the steady one by so much more than before was set forward."""

SLEW = 0.01
"""Share of the time that passes by which a clock may run slow without having been set."""

PASSES_KEPT = 100
"""Passes remembered; each step of the clock makes one."""

Span = tuple[float, float]


class Passes:
    """What one process has seen of a camera's time; `epoch` is that of its events, 0 for none."""

    def __init__(self, camera: CameraId, epoch: int = 0) -> None:
        self._camera, self._epoch = camera, epoch
        self._run: Span | None = None
        self._passed: list[Span] = []
        """Runs that a step has ended."""
        self.cause = Sentence("", {}, "")
        """The newest step back; it says nothing before the first."""
        self._learned: Sequence[RepeatedSpan] = ()
        self._active: dict[Span, RepeatedSpan] = {}
        self._seen: tuple[float, float] | None = None
        self._ahead_s = -math.inf
        """By how much time was ahead of the steady clock at most: pictures come late, and make up for it."""

    def learn(self, repeats: Sequence[RepeatedSpan]) -> None:
        """Replace what is known from others of times that come again."""
        self._learned = repeats

    def see(self, time_s: float, steady_s: float) -> list[RepeatedSpan]:
        """Follow the clock to `time_s`; `steady_s` is of a clock that nobody sets.

        Gives what has to be published: spans that come again from now on, and those that end earlier
        than was published, because the clock was set within them.
        """
        updates: list[RepeatedSpan] = []
        from_s = time_s
        if self._seen is not None:
            before_s, at_s = self._seen
            expected_s = max(before_s + max(0.0, steady_s - at_s), self._ahead_s + steady_s)
            if time_s < before_s - STEP_S:
                self.cause = step_sentence(time_s - expected_s)
                updates = self._step(expected_s, time_s)
            elif time_s > expected_s + FORWARD_S:
                updates = self._step(expected_s, time_s)
            else:
                from_s = min(before_s, time_s)
                self._ahead_s -= SLEW * max(0.0, time_s - before_s)
        self._seen, self._ahead_s = (time_s, steady_s), max(self._ahead_s, time_s - steady_s)
        updates += self._entered(from_s, time_s)
        self._active = {span: repeat for span, repeat in self._active.items() if time_s <= span[1]}
        return updates

    @property
    def is_repeat(self) -> bool:
        """Whether the time that was seen last came for the second time."""
        return self._seen is not None and self.repeat_at(self._seen[0]) is not None

    def repeat_at(self, time_s: float) -> RepeatedSpan | None:
        """Give the span in which a time comes for the second time; None when it is new."""
        for span, repeat in self._active.items():
            if span[0] <= time_s <= span[1]:
                return repeat
        return next((repeat for repeat in self._learned if repeat.from_s <= time_s < repeat.to_s), None)

    def use(self, time_s: float) -> None:
        """Note that the picture of this time is counted from."""
        start_s, end_s = self._run or (time_s, time_s)
        self._run = start_s, max(end_s, time_s)

    def _step(self, expected_s: float, time_s: float) -> list[RepeatedSpan]:
        """End the run, and what came again where the clock would be, unless it goes on within it."""
        self._ahead_s = -math.inf
        if self._run is not None:
            self._passed = [*self._passed, self._run][-PASSES_KEPT:]
        self._run = None
        left = {
            span: repeat
            for span, repeat in self._active.items()
            if not (span[0] <= time_s <= span[1] and time_s > expected_s)
        }
        self._active = {span: repeat for span, repeat in self._active.items() if span not in left}
        return [
            replace(repeat, to_s=max(repeat.from_s, expected_s))
            for repeat in left.values()
            if repeat.to_s > expected_s
        ]

    def _entered(self, from_s: float, time_s: float) -> list[RepeatedSpan]:
        """Begin the spans that time has come to, or has gone through unseen."""
        entered = {
            span: RepeatedSpan(
                self._camera,
                max(span[0], from_s),
                whole(span[1] + 0.001),
                self._epoch,
                time_s,
                self.cause.text,
                self.cause.code,
                self.cause.params,
            )
            for span in self._passed
            if span not in self._active and from_s <= span[1] and span[0] <= time_s
        }
        self._active |= entered
        return list(entered.values())


def seen_once(minute: int, seconds: int, repeats: Sequence[RepeatedSpan]) -> int:
    """Give those seconds of a minute since 1970, bit n for second n, that do not come twice."""
    for repeat in repeats:
        first = max(math.floor(repeat.from_s) - minute * 60, 0)
        last = min(math.ceil(repeat.to_s) - minute * 60, 60)
        if last > first:
            seconds &= ~((1 << last) - (1 << first))
    return seconds


def step_sentence(step_s: float) -> Sentence:
    """Say that the clock was set, and by how much."""
    if step_s > 0:
        return sentence("clock-set-forward", span=_words(step_s))
    return sentence("clock-set-back", span=_words(step_s))


def least_step_back(step_s: float) -> Sentence:
    """Say that the clock was set back, and by how much at least."""
    return sentence("clock-set-back-least", span=_words(step_s))


def _words(span_s: float) -> str:
    """Give the two largest units of a span, such as `1 h 30 min`."""
    left = max(1, round(abs(span_s)))
    parts = []
    for unit_s, name in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, unit_s)
        if number:
            parts.append(f"{number} {name}")
    return " ".join(parts[:2])
