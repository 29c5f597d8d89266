"""Lines that are renamed, moved, drawn and removed while objects are in flight."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest

from services.core.evidence.lines import revision_of
from services.core.evidence.seconds import CERTAIN, CountingChange, EvidenceJudge, Pending
from services.core.types import AnalysedSecond, Crossing, Line, LineId
from services.detector.analyser import Analyser
from tests.crashes import CAMERA, FPS, LANES, START, Walker, make_walkers, time_of

MAIN = Line(LineId("main"), "Main", ((0.0, 0.5), (1.0, 0.5)))
FRAMES = range(240)
NEAR_S = 0.3


@dataclass
class Counted:
    """What one analysis published, and what each revision counted."""

    crossings: list[Crossing] = field(default_factory=list)
    seconds: list[AnalysedSecond] = field(default_factory=list)
    setups: dict[str, Sequence[Line]] = field(default_factory=dict)


def count(
    walkers: list[Walker], setups: dict[int, Sequence[Line]], judge: EvidenceJudge | None = None
) -> Counted:
    """Analyse a scene; from each frame that is named on, the lines are these."""
    lines = setups.get(0, ())
    analyser, counted = Analyser(CAMERA, 16 / 9, lines), Counted()
    judge = judge or EvidenceJudge(CAMERA, revision=revision_of(lines))
    for frame in FRAMES:
        if frame in setups and frame > 0:
            judge.count_under(revision_of(setups[frame]), analyser.set_lines(setups[frame]))
        found = (walker.detection(time_of(frame)) for walker in walkers)
        analysis = analyser.update(frame, time_of(frame), [item for item in found if item is not None])
        counted.crossings += analysis.crossings
        counted.seconds += judge.add(time_of(frame), analyser.pending())
    counted.setups = {revision_of(setup): setup for setup in (lines, *setups.values())}
    return counted


def next_of(line: Line, **changes: object) -> Line:
    return replace(line, version=line.version + 1, **changes)


def at(y: float) -> tuple[tuple[float, float], ...]:
    return ((0.0, y), (1.0, y))


WALKER = Walker(2, START + 4.05, 0.2, False)
"""Goes over the line in the middle of the second 6."""


@pytest.mark.parametrize(
    "changes", [{"name": "Other"}, {"color": "#000000"}, {"forward_name": "in"}, {"classes": ("car",)}]
)
def test_a_line_that_lies_where_it_lay_keeps_what_is_in_flight(changes: dict[str, object]) -> None:
    """The change comes while the object is within the line's band."""
    whole = count([WALKER], {0: [MAIN]})
    (crossing,) = whole.crossings
    frame = round((crossing.time_s - START) * FPS) + 1
    changed = count([WALKER], {0: [MAIN], frame: [next_of(MAIN, **changes)]})
    assert [(item.time_s, item.line_version) for item in changed.crossings] == [(crossing.time_s, 2)]
    assert [item.second for item in changed.seconds] == [item.second for item in whole.seconds]
    lacking = [item.second - START for item in changed.seconds if item.lacking]
    assert lacking == ([6] if "classes" in changes else [])


@pytest.mark.parametrize("changes", [{"points": at(0.505)}, {"anchor": "foot"}])
def test_where_a_line_moves_what_was_in_flight_is_no_evidence_for_it(changes: dict[str, object]) -> None:
    other = replace(MAIN, id=LineId("other"))
    (crossing, _) = count([WALKER], {0: [MAIN, other]}).crossings
    frame = round((crossing.time_s - START) * FPS) + 1
    changed = count([WALKER], {0: [MAIN, other], frame: [next_of(MAIN, **changes), other]})
    assert [item.line for item in changed.crossings] == ["other"], "it was lost with the old line"
    lacking = {item.second - START: item.lacking for item in changed.seconds if item.lacking}
    assert lacking == {6: (MAIN.id,), 7: (MAIN.id,)}


def lies(walkers: list[Walker], counted: Counted) -> list[str]:
    """Each crossing that is missing though its second covers its line."""
    found = []
    for item in counted.seconds:
        for line in counted.setups[item.revision]:
            if line.id in item.lacking:
                continue
            for lane, time_s in _passings(walkers, line.points[0][1], item.second):
                near = [
                    other
                    for other in counted.crossings
                    if other.line == line.id
                    and abs(other.time_s - time_s) < NEAR_S
                    and int(other.along * LANES) == lane
                ]
                if not near:
                    found.append(f"{line.id} at {time_s - START:.2f} s in lane {lane}")
    return found


def _passings(walkers: list[Walker], line_y: float, second: int) -> list[tuple[int, float]]:
    """Where the ways of walkers, straight between the frames, go over a line within a second."""
    found = []
    frames = range(round((second - START) * FPS) - 1, round((second + 1 - START) * FPS) + 2)
    for walker in walkers:
        seen = [(time_of(f), y) for f in frames if (y := walker.y(time_of(f))) is not None]
        for (a_s, a), (b_s, b) in pairwise(seen):
            if (a > line_y) != (b > line_y):
                time_s = a_s + (line_y - a) / (b - a) * (b_s - a_s)
                if second <= time_s < second + 1:
                    found.append((walker.lane, time_s))
    return found


def scene(seed: int) -> tuple[list[Walker], dict[int, Sequence[Line]]]:
    """A busy scene in which somebody draws and moves lines."""
    chance = random.Random(seed)
    setups: dict[int, Sequence[Line]] = {0: [MAIN]}
    moving: list[Line] = []
    for version, frame in enumerate(sorted(chance.sample(range(25, 200), 6)), 1):
        y = chance.choice([0.5, 0.45, 0.55, moving[0].points[0][1] if moving else 0.5])
        moving = (
            [] if chance.random() < 0.15 else [Line(LineId("moving"), str(frame), at(y), version=version)]
        )
        setups[frame] = [MAIN, *moving]
    return make_walkers(chance), setups


def test_no_second_covers_a_line_whose_crossings_are_not_known() -> None:
    missing, covered = [], 0
    for seed in range(20):
        walkers, setups = scene(seed)
        counted = count(walkers, setups)
        missing += [(seed, lie) for lie in lies(walkers, counted)]
        covered += sum(
            any(line.id == "moving" for line in counted.setups[item.revision])
            and "moving" not in item.lacking
            for item in counted.seconds
        )
    assert missing == []
    assert covered > 20 * 3, "there is evidence for the line all the same"


class NoChange(EvidenceJudge):
    """A line is taken to be counted at once, wherever it lies."""

    def count_under(self, revision: str, change: CountingChange) -> None:
        super().count_under(revision, CountingChange())


class NoUnexplained(EvidenceJudge):
    """What lay on a line when it began is taken to have crossed nothing."""

    def add(
        self, time_s: float, pending: Pending = CERTAIN, has_missed: bool = False
    ) -> list[AnalysedSecond]:
        return super().add(time_s, replace(pending, unexplained=()), has_missed)


@pytest.mark.parametrize("judge", [NoChange, NoUnexplained])
def test_each_rule_of_changes_is_needed(judge: type[EvidenceJudge]) -> None:
    def is_lying(seed: int) -> bool:
        walkers, setups = scene(seed)
        return bool(lies(walkers, count(walkers, setups, judge(CAMERA, revision=revision_of(setups[0])))))

    assert any(is_lying(seed) for seed in range(60))
