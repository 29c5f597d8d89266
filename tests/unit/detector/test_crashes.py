"""Evidence tells the truth whatever happens to the owners of a camera."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from services.core.evidence.seconds import CERTAIN, EvidenceJudge, Pending
from services.core.types import AnalysedSecond, Crossing, Event
from tests.crashes import (
    CAMERA,
    FPS,
    START,
    Owner,
    Round,
    Walker,
    analyse,
    play,
    time_of,
    true_passings,
)

ROUNDS = 80
GAP_S = 5.0
"""How much longer than nobody analysed a gap may be, for each owner."""


@pytest.fixture(scope="module")
def rounds() -> list[Round]:
    return [play(seed) for seed in range(ROUNDS)]


def test_no_second_is_covered_whose_crossings_are_not_known(rounds: list[Round]) -> None:
    assert [found.lies for found in rounds if found.lies] == []


def test_gaps_are_hardly_longer_than_the_outages(rounds: list[Round]) -> None:
    for found in rounds:
        assert found.uncovered <= found.outage_s + GAP_S * found.takeovers
    mean_s = sum(found.uncovered - found.outage_s for found in rounds) / sum(r.takeovers for r in rounds)
    print(f"a gap is {mean_s:.1f} s longer than its outage")
    assert mean_s < GAP_S * 0.7


Judged = list[AnalysedSecond]


class SomeFrames(EvidenceJudge):
    """A second counts as soon as it holds half of its frames, and nothing is ever pending."""

    _frames_of_second = 0

    def add(self, time_s: float, pending: Pending = CERTAIN, has_missed: bool = False) -> Judged:
        second, over = int(time_s), self._second
        is_enough = second != over and self._frames_of_second >= FPS / 2
        self._frames_of_second = 1 if second != over else self._frames_of_second + 1
        self._second = second
        return [AnalysedSecond(CAMERA, over)] if is_enough else []


class NoHoles(EvidenceJudge):
    """Time without frames is no end and no beginning."""

    def add(self, time_s: float, pending: Pending = CERTAIN, has_missed: bool = False) -> Judged:
        if self._last_s > -math.inf:
            self._last_s = time_s - 1 / FPS
        return super().add(time_s, pending, has_missed)


class NoSettling(EvidenceJudge):
    """The tracker is taken to know everything at once."""

    def _is_settling(self, time_s: float, pending: Pending) -> bool:
        return time_s == self._begun_s


def without(**changes: object) -> Callable[[], EvidenceJudge]:
    class Certain(EvidenceJudge):
        def add(self, time_s: float, pending: Pending = CERTAIN, has_missed: bool = False) -> Judged:
            return super().add(time_s, replace(pending, **changes), has_missed)

    return lambda: Certain(CAMERA)


@pytest.mark.parametrize(
    "judge",
    [
        pytest.param(lambda: SomeFrames(CAMERA), id="half of the frames"),
        pytest.param(lambda: NoHoles(CAMERA), id="no holes"),
        pytest.param(lambda: NoSettling(CAMERA), id="no settling"),
        pytest.param(without(unexplained=()), id="nothing pending about what began on the line"),
        pytest.param(without(undecided_s=()), id="nothing pending about meetings"),
        pytest.param(without(unseen_since_s=math.inf), id="nothing pending about hidden objects"),
    ],
)
def test_each_rule_is_needed(judge: Callable[[], EvidenceJudge]) -> None:
    assert any(play(seed, judge).lies for seed in range(120))


@pytest.mark.parametrize(("judge", "is_covered"), [(without(), False), (without(has_appeared=False), True)])
def test_what_is_hidden_on_the_line_at_the_beginning_is_missed_in_no_covered_second(
    judge: Callable[[], EvidenceJudge], is_covered: bool
) -> None:
    begin = 23
    walker = Walker(2, START + 0.55, 0.15, False, hidden=(time_of(begin) + 0.15, time_of(begin) + 1.2))
    owner = Owner(1, begin)
    analyse([walker], owner, range(begin, begin + 60), judge)
    seconds = {event.second for event in owner.published if isinstance(event, AnalysedSecond)}
    (missed,) = true_passings([walker])
    assert not [event for event in owner.published if isinstance(event, Crossing)]
    assert (int(missed[1]) in seconds) == is_covered


def test_fencing_is_needed() -> None:
    def everything(event: Event, _: object) -> Event:
        return event

    assert any(play(seed, rule=everything).lies for seed in range(40))
