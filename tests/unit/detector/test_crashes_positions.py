"""A second that can be counted again has all of its positions, whatever happens to the owners."""

import random
from collections import defaultdict
from collections.abc import Callable

import pytest

from services.core.evidence.fencing import Ownerships, admitted
from services.core.evidence.seconds import EvidenceJudge
from services.core.types import (
    AnalysedSecond,
    Detection,
    Event,
    Ownership,
    PositionSeconds,
    TrackedFrame,
    Trajectory,
)
from services.detector.analyser import Analyser
from tests.crashes import CAMERA, FPS, LINE, START, Walker, make_walkers, time_of
from tests.positions import position_lies

ASPECT = 16 / 9
LENGTH_S = 40
Rule = Callable[[Event, Ownerships], Event | None]


def owner(walkers: list[Walker], epoch: int, frames: range) -> tuple[list[Event], list[TrackedFrame]]:
    """All that an owner publishes that is never closed, and what it observed."""
    analyser, judge = Analyser(CAMERA, ASPECT, [LINE], epoch, 1), EvidenceJudge(CAMERA, epoch, 1)
    published: list[Event] = [Ownership(CAMERA, epoch, time_of(frames.start), 1)]
    observed = []
    for frame in frames:
        found = [walker.detection(time_of(frame)) for walker in walkers]
        parked = Detection((0.01, 0.01, 0.05, 0.08), "truck", 0.9)
        analysis = analyser.update(frame, time_of(frame), [parked, *(item for item in found if item)])
        published += [*analysis.recorded, *judge.add(time_of(frame), analyser.pending())]
        observed.append(analysis.tracked)
    return published, observed


def play(seed: int, rule: Rule = admitted) -> tuple[list[str], int]:
    """Owners that are killed or wake up late, and a store that gets it all in any order; lies and seconds."""
    chance = random.Random(seed)
    walkers, first, epoch = make_walkers(chance), 0, 100
    arriving: list[Event] = []
    observed: dict[int, list[TrackedFrame]] = {}
    while first < LENGTH_S * FPS:
        last = min(first + chance.randint(30, 200), LENGTH_S * FPS)
        woken = chance.choice([0, 0, chance.randint(1, 90)])
        published, observed[epoch] = owner(walkers, epoch, range(first, last + woken))
        arriving += published[: len(published) - chance.choice([0, chance.randint(0, 6)])]
        first, epoch = last + chance.randint(1, 20), epoch + 1
    arriving += chance.sample(arriving, len(arriving) // 4)
    chance.shuffle(arriving)
    known = {CAMERA: [event for event in arriving if isinstance(event, Ownership)]}
    by_epoch: dict[int, list[Event]] = defaultdict(list)
    for event in arriving:
        if isinstance(rest := rule(event, known), AnalysedSecond | PositionSeconds | Trajectory):
            by_epoch[rest.epoch].append(rest)
    lies, number = [], 0
    for epoch, events in by_epoch.items():
        stored = {s for event in events if isinstance(event, PositionSeconds) for s in event.seconds}
        said = stored & {event.second for event in events if isinstance(event, AnalysedSecond)}
        lies += position_lies(observed[epoch], events, ASPECT, said)
        number += len(said)
    return lies, number


def test_no_second_that_can_be_counted_again_lacks_a_position() -> None:
    rounds = [play(seed) for seed in range(12)]
    assert [lies for lies, _ in rounds if lies] == []
    assert sum(number for _, number in rounds) > 0.4 * 12 * LENGTH_S


@pytest.mark.parametrize("lost", [0.01, 0.2])
def test_a_lost_piece_is_a_lie(lost: float) -> None:
    """The test itself finds what is wrong: a store that loses a piece and keeps the word."""
    chance = random.Random(5)

    def forgetful(event: Event, known: Ownerships) -> Event | None:
        is_lost = isinstance(event, Trajectory) and chance.random() < lost
        return None if is_lost else admitted(event, known)

    assert any(play(seed, forgetful)[0] for seed in range(20))


def test_a_killed_owner_of_one_slow_car_leaves_all_but_the_last_seconds() -> None:
    slow = Walker(2, START - 5.0, 0.01, False)
    published, observed = owner([slow], 7, range(60 * FPS))
    counted = [event.second for event in published if isinstance(event, AnalysedSecond)]
    stored = [s for event in published if isinstance(event, PositionSeconds) for s in event.seconds]
    assert (len(counted), stored) == (58, list(range(START + 1, START + 55)))
    assert position_lies(observed, published, ASPECT) == []
