import math
import random
from collections.abc import Callable

import pytest

from services.core.counting import Unexplained
from services.core.evidence.seconds import BORN_S, CERTAIN, LIMIT_S, CountingChange, EvidenceJudge, Pending
from services.core.types import AnalysedSecond, CameraId, LineId

GATE = CameraId("gate")
MAIN, EXIT = LineId("main"), LineId("exit")
PendingAt = Callable[[float], Pending]


def evidence(times: list[float], pending: PendingAt = lambda _: CERTAIN) -> list[tuple[int, float]]:
    """The seconds that are evidence, each with the time at which it is given."""
    judge = EvidenceJudge(GATE, epoch=3)
    found = [(item, t) for t in times for item in judge.add(t, pending(t))]
    assert {item.epoch for item, _ in found} <= {3}
    return [(item.second, t) for item, t in found]


def seconds(times: list[float], pending: PendingAt = lambda _: CERTAIN) -> list[int]:
    return [second for second, _ in evidence(times, pending)]


def even(first_s: float, last_s: float, fps: float = 10) -> list[float]:
    return [first_s + i / fps for i in range(round((last_s - first_s) * fps))]


@pytest.mark.parametrize(
    ("sent_fps", "counts"),
    [(30, True), (10, True), (5, True), (4, True), (3.9, True), (3, False), (1, False)],
)
def test_a_second_counts_at_whatever_rate_the_camera_sends_as_long_as_that_can_be_counted(
    sent_fps: float, counts: bool
) -> None:
    chance = random.Random(4)
    tremble_s = 0.1 / sent_fps
    times = [time_s + chance.uniform(-tremble_s, tremble_s) for time_s in even(100.0, 130.0, sent_fps)]
    found = seconds(times)
    assert (set(found) >= set(range(102, 129))) if counts else not found


@pytest.mark.parametrize(("frames", "counts"), [(10, True), (5, True), (3, True), (2, False)])
def test_overload_may_lower_the_rate_for_a_second(frames: int, counts: bool) -> None:
    times = [*even(97.1, 103, 10), *even(103, 104, frames), *even(104, 106, 10)]
    assert (103 in seconds(times)) == counts


def test_a_picture_that_was_due_and_not_analysed_takes_its_seconds() -> None:
    judge = EvidenceJudge(GATE)
    times = [time_s for time_s in even(100.05, 108.0) if abs(time_s - 103.05) > 0.01]
    found = [item.second for t in times for item in judge.add(t, has_missed=abs(t - 103.15) < 0.01)]
    assert found == [101, 104, 105, 106]


def found_with_damage(
    is_damaged: Callable[[float], bool], pending: PendingAt = lambda _: CERTAIN
) -> list[int]:
    judge, found = EvidenceJudge(GATE), []
    for time_s in even(100.05, 110.0):
        if is_damaged(time_s):
            judge.skip(pending(time_s))
        else:
            found += [item.second for item in judge.add(time_s, pending(time_s))]
    return found


def test_a_damaged_picture_is_no_evidence() -> None:
    assert found_with_damage(lambda _: False) == [101, 102, 103, 104, 105, 106, 107, 108]
    assert found_with_damage(lambda _: True) == []
    assert found_with_damage(lambda t: 103.2 < t < 103.5) == [101, 102, 103, 104, 105, 106, 107, 108]
    assert found_with_damage(lambda t: 103.1 < t < 104.2) == [101, 102, 105, 106, 107, 108]


def test_what_a_damaged_picture_shows_is_not_forgotten() -> None:
    def pending(time_s: float) -> Pending:
        if abs(time_s - 101.45) > 0.01:
            return CERTAIN
        return Pending(unexplained=[Unexplained(100.1, 101.45, MAIN)], has_appeared=True)

    assert 101 in found_with_damage(lambda t: abs(t - 101.45) < 0.01)
    assert 101 not in found_with_damage(lambda t: abs(t - 101.45) < 0.01, pending)


def test_each_second_is_given_once_when_it_is_over() -> None:
    assert evidence(even(99.0, 105.15))[1:] == [(s, pytest.approx(s + 1)) for s in (101, 102, 103, 104)]


@pytest.mark.parametrize(
    ("begin_s", "first"), [(100.0, 101), (100.4, 101), (100.45, 101), (100.55, 102), (100.9, 102)]
)
def test_the_beginning_is_no_evidence_until_the_tracker_knows_what_is_there(
    begin_s: float, first: int
) -> None:
    assert seconds(even(begin_s, begin_s + 5))[0] == first


@pytest.mark.parametrize("end_s", [104.15, 104.5, 104.95])
def test_the_second_in_which_the_frames_end_is_no_evidence(end_s: float) -> None:
    assert seconds(even(100.0, end_s))[-1] == 103


@pytest.mark.parametrize(
    ("hole", "missing"),
    [
        ((104.3, 104.7), []),
        ((103.8, 104.2), []),
        ((104.2, 104.75), [104, 105]),
        ((103.5, 104.05), [103, 104]),
        ((104.1, 107.1), [104, 105, 106, 107]),
    ],
)
def test_a_hole_is_an_end_and_a_beginning(hole: tuple[float, float], missing: list[int]) -> None:
    times = [*even(100.0, hole[0] + 0.05), *even(hole[1], 111.0)]
    assert seconds(times) == [second for second in range(101, 110) if second not in missing]


def test_what_appears_soon_after_the_beginning_may_have_been_hidden_there() -> None:
    def appears(at_s: float) -> PendingAt:
        return lambda time_s: Pending(has_appeared=abs(time_s - at_s) < 0.01)

    assert seconds(even(100.45, 105), pending=appears(101.25))[0] == 102
    assert seconds(even(100.45, 105), pending=appears(102.05))[0] == 103
    assert seconds(even(100.45, 105), pending=appears(100.45 + BORN_S + 0.1))[0] == 101


def test_a_meeting_of_what_began_on_the_line_costs_its_second_alone() -> None:
    def meets(time_s: float) -> Pending:
        met = abs(time_s - 103.05) < 0.01
        known, late = Unexplained(100.3, 102.98, MAIN), Unexplained(109.0, 103.0, MAIN)
        return Pending(unexplained=[known, late] if met else ())

    assert seconds(even(100.05, 107), pending=meets) == [101, 103, 104, 105]


def test_a_meeting_withholds_its_second_until_it_is_decided() -> None:
    def meets(time_s: float) -> Pending:
        return Pending(undecided_s=[102.5] if 102.5 <= time_s < 105.45 else [])

    given = dict(evidence(even(100.0, 108.0), pending=meets))
    assert given[102] == pytest.approx(105.5)
    assert given[103] == pytest.approx(104.0), "later seconds do not wait"


def test_a_second_whose_meeting_is_never_decided_is_given_at_last() -> None:
    given = dict(evidence(even(100.0, 180.0), pending=lambda _: Pending(undecided_s=[102.5])))
    assert given[102] == pytest.approx(102.5 + LIMIT_S, abs=0.2)
    ended = evidence(even(100.0, 120.0), pending=lambda _: Pending(undecided_s=[102.5]))
    assert 102 not in dict(ended), "an end decides nothing"


def test_what_is_unseen_may_come_back_beyond_a_line() -> None:
    def hidden(time_s: float) -> Pending:
        return Pending(unseen_since_s=102.95 if 102.95 <= time_s < 104.15 else math.inf)

    given = dict(evidence(even(100.0, 108.0), pending=hidden))
    assert given[101] == pytest.approx(102.0)
    assert given[102] == given[103] == pytest.approx(104.2)


def test_a_clock_that_goes_back_begins_anew() -> None:
    assert seconds([*even(100.0, 103.5), *even(90.0, 93.5)]) == [101, 102, 91, 92]


def changed(
    at_s: float, change: CountingChange, pending: PendingAt = lambda _: CERTAIN, end_s: float = 109.0
) -> dict[int, AnalysedSecond]:
    """The evidence of an analysis that counts under another setup from a time on."""
    judge = EvidenceJudge(GATE, revision="old")
    found: list[AnalysedSecond] = []
    for time_s in even(100.05, end_s):
        if abs(time_s - at_s) < 0.01:
            judge.count_under("new", change)
        found += judge.add(time_s, pending(time_s))
    assert len({item.second for item in found}) == len(found)
    return {item.second: item for item in found}


def test_a_second_names_the_revision_that_it_was_counted_under() -> None:
    found = changed(104.05, CountingChange())
    assert {s: item.revision for s, item in found.items()} == dict.fromkeys((101, 102, 103), "old") | (
        dict.fromkeys((104, 105, 106, 107), "new")
    )
    assert changed(104.35, CountingChange())[104].revision == "new"
    assert not [item for item in found.values() if item.lacking], "a new name takes nothing"


def test_a_line_that_begins_is_no_evidence_until_it_knows_what_is_there() -> None:
    found = changed(103.05, CountingChange(begun=frozenset({EXIT})))
    assert {s: item.lacking for s, item in found.items() if item.lacking} == {103: (EXIT,), 104: (EXIT,)}


def test_what_was_in_flight_is_no_evidence_for_a_line_that_is_cut() -> None:
    def pending(time_s: float) -> Pending:
        return Pending(undecided_s=[101.5] if 101.5 <= time_s < 103.35 else [])

    found = changed(103.35, CountingChange(cut=frozenset({MAIN})), pending)
    assert {s: item.lacking for s, item in found.items() if item.lacking} == {101: (MAIN,), 103: (MAIN,)}
    assert found[101].revision == "old"


def test_what_lay_on_a_line_when_it_began_takes_a_second_from_that_line_alone() -> None:
    def pending(time_s: float) -> Pending:
        met = abs(time_s - 106.55) < 0.01
        meetings = [Unexplained(103.1, 106.5, line) for line in (EXIT, MAIN)]
        return Pending(unexplained=meetings if met else ())

    found = changed(103.05, CountingChange(begun=frozenset({EXIT})), pending)
    assert found[106].lacking == (EXIT,)
    assert not found[105].lacking
