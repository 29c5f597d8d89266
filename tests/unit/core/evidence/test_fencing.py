"""The rule of who may still report: pure."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from services.core.evidence.fencing import CLOCK_ERROR_S, admitted, believed, in_force, limit_ms
from services.core.times import milliseconds
from services.core.types import (
    CameraStatus,
    Crossing,
    Event,
    Ownership,
    RepeatedSpan,
    StatusChange,
    Trajectory,
)
from tests.makers import GATE, crossing, seconds, trajectory

epochs = st.integers(1, 6)
times = st.integers(1000, 1060).map(float) | st.floats(1000, 1060)
owners = st.dictionaries(epochs, times, max_size=5).map(
    lambda found: [Ownership(GATE, epoch, from_s) for epoch, from_s in found.items()]
)


def rule(event: Event, known: list[Ownership]) -> Event | None:
    return admitted(event, {GATE: known})


@given(owners, epochs, times)
def test_a_crossing_counts_unless_a_newer_owner_had_begun(
    known: list[Ownership], epoch: int, time_s: float
) -> None:
    event = crossing(1, time_s, epoch=epoch)
    fenced = any(o.epoch > epoch and round(o.from_s * 1000) <= round(time_s * 1000) for o in known)
    assert rule(event, known) == (None if fenced else event)


@given(owners, epochs, times)
def test_a_second_is_evidence_only_as_a_whole(known: list[Ownership], epoch: int, time_s: float) -> None:
    (event,) = seconds(time_s, 1, epoch)
    fenced = any(o.epoch > epoch and round(o.from_s * 1000) < (event.second + 1) * 1000 for o in known)
    assert rule(event, known) == (None if fenced else event)


@given(owners, epochs, times)
def test_a_trajectory_is_cut_where_the_newer_owner_began(
    known: list[Ownership], epoch: int, time_s: float
) -> None:
    event = trajectory(1, time_s, epoch=epoch)
    rest = rule(event, known)
    left = tuple(p for p in event.points if rule(crossing(1, p.time_s, epoch=epoch), known))
    assert rest == (replace(event, points=left) if left else None)
    if rest is not None:
        assert rule(rest, known) is rest


@given(st.lists(st.tuples(epochs, times), max_size=20), st.lists(st.tuples(epochs, times), max_size=5))
def test_nothing_that_a_newer_owner_may_count_is_left_to_an_older_one(
    reported: list[tuple[int, float]], announced: list[tuple[int, float]]
) -> None:
    """Whatever arrives in whatever order: what counts at the end does not depend on it."""
    known = [Ownership(GATE, epoch, from_s) for epoch, from_s in announced]
    events = [crossing(n, time_s, epoch=epoch) for n, (epoch, time_s) in enumerate(reported)]
    at_once = [event for event in events if rule(event, known)]
    kept: list[Crossing] = list(events)
    for count in range(len(known) + 1):
        kept = [event for event in kept if rule(event, known[:count])]
    assert kept == at_once


def test_epoch_0_and_what_has_no_epoch_are_never_fenced() -> None:
    known = [Ownership(GATE, 5, 0.0)]
    change = StatusChange(GATE, 1000.0, CameraStatus.LIVE)
    for event in (crossing(1, 1000.0, epoch=0), *seconds(1000, 1), change, *known):
        assert rule(event, known) is event
    assert rule(crossing(1, 1000.0, epoch=4), []) is not None
    assert rule(crossing(1, 1000.0, epoch=4), known) is None


@given(owners, st.floats(1000, 1060), epochs, st.floats(0, 60))
@example([Ownership(GATE, 1, 1000.0), Ownership(GATE, 2, 1000.765625)], 1000.765625, 0, 0.0)
def test_forgotten_ownerships_are_missed_by_no_event_since(
    known: list[Ownership], since_s: float, epoch: int, later_s: float
) -> None:
    useful = in_force(known, since_s)
    assert {o.epoch for o in useful} >= {max((o.epoch for o in known), default=0)} - {0}
    time_ms = milliseconds(since_s + later_s)
    assert (limit_ms(useful, epoch) <= time_ms) == (limit_ms(known, epoch) <= time_ms)


def test_a_trajectory_type_stays() -> None:
    rest = rule(trajectory(1, 1000.0), [Ownership(GATE, 2, 1000.95)])
    assert isinstance(rest, Trajectory)
    assert len(rest.points) == 10


def test_a_clock_that_was_set_back_erases_nothing() -> None:
    taken_s = 1_700_000_000.0
    epoch = round(taken_s * 1000)
    for from_s in (taken_s - 100, taken_s + 5, taken_s + 9000):
        good = Ownership(GATE, epoch, from_s)
        assert believed(good) is good
    assert believed(Ownership(GATE, epoch, 5.0)).from_s == taken_s - CLOCK_ERROR_S


@given(owners, epochs, times, epochs)
def test_of_a_time_that_comes_twice_the_first_pass_counts(
    known: list[Ownership], epoch: int, time_s: float, first: int
) -> None:
    """Later epochs report nothing of it, and their ownerships forbid nothing of the first pass."""
    span = RepeatedSpan(GATE, 1020.0, 1040.0, first, 1020.0, "set back")
    event = crossing(1, time_s, epoch=epoch)
    is_in = milliseconds(span.from_s) <= milliseconds(time_s) < milliseconds(span.to_s)
    if not is_in:
        expected = rule(event, known)
    elif epoch > first:
        expected = None
    else:
        expected = rule(event, [owner for owner in known if owner.epoch <= first])
    assert admitted(event, {GATE: known}, {GATE: [span]}) == expected
    assert admitted(event, {GATE: known}, {GATE: [replace(span, epoch=0)]}) == rule(event, known)


def test_a_second_or_a_track_that_reaches_into_such_a_time_is_cut_there() -> None:
    repeats = {GATE: [RepeatedSpan(GATE, 1000.5, 1005.5, 1, 1000.5, "set back")]}
    kept = [e.second for e in seconds(999, 9, 2) if admitted(e, {}, repeats)]
    assert kept == [999, 1006, 1007]
    assert [e.second for e in seconds(999, 9, 1) if admitted(e, {}, repeats)] == list(range(999, 1008))
    rest = admitted(trajectory(1, 1004.95, epoch=2), {}, repeats)
    assert isinstance(rest, Trajectory)
    assert rest.points[0].time_s > 1005.5
    assert admitted(trajectory(1, 1002.0, epoch=2), {}, repeats) is None
    assert admitted(crossing(1, 1002.0, epoch=0), {}, repeats) is not None
