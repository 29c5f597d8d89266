import time
from dataclasses import replace

import pytest

from services.common.bus.event_buffer import EventBuffer
from services.core.evidence.ranks import LOST_KEPT_S, LOST_LIMIT
from services.core.types import (
    AnalysedSecond,
    CameraId,
    CameraStatus,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    StatusChange,
    Trajectory,
    TrajectoryPoint,
)
from tests.makers import GATE, crossing

BOX = (0.1, 0.1, 0.2, 0.2)


def filled(limit: int, *events: Event) -> EventBuffer[Event]:
    buffer = EventBuffer[Event](limit)
    for event in events:
        buffer.add(event, event)
    return buffer


def held(buffer: EventBuffer[Event]) -> list[Event]:
    return [waiting.item for waiting in buffer.first(1000)]


def evidence(second: int, epoch: int = 0, camera: str = GATE) -> AnalysedSecond:
    return AnalysedSecond(CameraId(camera), second, epoch)


def piece(*times_s: float, number: int = 1) -> Trajectory:
    points = tuple(TrajectoryPoint(time_s, BOX) for time_s in times_s)
    return Trajectory("t", GATE, 1, 1, "car", 0.9, points, number)


def word(*seconds: int) -> PositionSeconds:
    return PositionSeconds(GATE, seconds, 1)


@pytest.mark.parametrize(
    ("lost", "withheld"),
    [
        (crossing(3, 103.9), [103]),
        (piece(102.0, 102.5, 104.0), []),
        (StatusChange(GATE, 103.0, CameraStatus.LIVE), []),
        (evidence(103), []),
    ],
    ids=["crossing", "trajectory", "status", "evidence"],
)
def test_what_does_not_fit_takes_its_evidence_with_it(lost, withheld):
    buffer = filled(1, crossing(1, 100.0), lost)
    buffer.remove({1})
    assert buffer.dropped == 1
    for second in range(100, 106):
        for epoch in (1, 2):
            buffer.add(evidence(second, epoch), evidence(second, epoch))
            is_kept = bool(held(buffer))
            assert is_kept is (second not in withheld)
            buffer.remove({buffer.newest})


def test_the_word_of_positions_goes_with_a_piece_that_does_not_fit_and_evidence_stays():
    buffer = filled(3, crossing(1, 100.0), crossing(2, 101.0), crossing(3, 102.0), piece(102.0, 104.0))
    buffer.remove({1, 2, 3})
    for event in (evidence(102), word(100, 101, 102), word(105, 106)):
        buffer.add(event, event)
    assert held(buffer) == [evidence(102), word(105, 106)]
    assert buffer.dropped == 1


def test_pieces_make_room_for_everything_else_and_take_their_word_with_them():
    waiting = [piece(100.0, 104.9), word(*range(100, 105)), piece(105.0, 109.9), word(*range(105, 110))]
    buffer = filled(4, *waiting, crossing(1, 109.0), evidence(109), evidence(110), Ownership(GATE, 2, 110.0))
    assert held(buffer) == [crossing(1, 109.0), evidence(109), evidence(110), Ownership(GATE, 2, 110.0)]
    buffer.remove({5, 6, 7, 8})
    buffer.add(word(*range(105, 110)), word(*range(105, 110)))
    assert not held(buffer)


def test_half_of_the_pieces_stay_and_so_does_what_is_said_of_them():
    waiting = [piece(100.0, 104.9), word(*range(100, 105)), piece(105.0, 109.9), word(*range(105, 110))]
    assert held(filled(4, *waiting, crossing(1, 109.0))) == [*waiting[:2], crossing(1, 109.0)]


def test_a_piece_finds_no_room_where_others_wait():
    buffer = filled(2, crossing(1, 100.0), evidence(100), piece(100.0, 104.9), word(*range(100, 105)))
    assert held(buffer) == [crossing(1, 100.0), evidence(100)]


def test_a_track_at_rest_withholds_the_word_of_its_newest_cell_alone():
    buffer = filled(1, crossing(1, 100.0), piece(90.0, 109.9))
    buffer.remove({1})
    buffer.add(word(*range(100, 105)), word(*range(100, 105)))
    buffer.add(word(*range(105, 110)), word(*range(105, 110)))
    assert held(buffer) == [word(*range(100, 105))]


def test_a_piece_that_turns_out_not_to_be_sendable_takes_its_word_with_it():
    buffer = filled(10, piece(100.0, 104.9), evidence(100), word(*range(100, 105)), word(105))
    buffer.drop(buffer.first(1)[0])
    assert held(buffer) == [evidence(100), word(105)]


def test_a_full_buffer_costs_little_with_each_event():
    """What looks at all that waits happens rarely: a full bus must not cost a core."""
    buffer = EventBuffer[Event](20_000)
    for n in range(20_000):
        event = piece(100.0 + n, 100.5 + n, number=n + 1)
        buffer.add(event, event)
    begun_s = time.process_time()
    for n in range(25_000):
        event = crossing(n, 100.0 + n)
        buffer.add(event, event)
    assert time.process_time() - begun_s < 3
    assert len(buffer) == 20_000
    assert all(isinstance(event, Crossing) for event in held(buffer))


def test_the_evidence_of_other_cameras_stays():
    buffer = filled(1, crossing(1, 100.0), crossing(2, 101.0))
    buffer.remove({1})
    buffer.add(evidence(101, camera="other"), evidence(101, camera="other"))
    assert held(buffer) == [evidence(101, camera="other")]


def test_an_announcement_takes_the_place_of_the_newest_other_event():
    buffer = filled(2, crossing(1, 100.0), crossing(2, 101.0), Ownership(GATE, 2, 101.5))
    assert held(buffer) == [crossing(1, 100.0), Ownership(GATE, 2, 101.5)]
    assert buffer.dropped == 1
    buffer.remove({1})
    buffer.add(evidence(101), evidence(101))
    assert held(buffer) == [Ownership(GATE, 2, 101.5)]


def test_announcements_alone_all_stay():
    announced = [Ownership(GATE, epoch, 100.0) for epoch in range(5)]
    assert held(filled(2, *announced)) == announced


def test_what_cannot_be_sent_is_lost_like_what_does_not_fit():
    buffer = EventBuffer[Event](10)
    buffer.add(crossing(1, 100.0), None)
    buffer.add(evidence(100), evidence(100))
    assert (held(buffer), buffer.dropped) == ([], 1)


def test_what_turns_out_not_to_be_sendable_takes_waiting_evidence_with_it():
    buffer = filled(10, crossing(1, 100.0), evidence(100), crossing(2, 101.0), evidence(101))
    buffer.drop(buffer.first(1)[0])
    assert held(buffer) == [crossing(2, 101.0), evidence(101)]
    assert buffer.dropped == 1


def test_removing_some_keeps_the_order_of_the_others():
    buffer = filled(10, *(crossing(i, 100.0 + i) for i in range(6)))
    buffer.remove({1, 3, 4})
    assert [waiting.sequence for waiting in buffer.first(10)] == [2, 5, 6]
    assert buffer.oldest == 2
    buffer.remove_through(5)
    assert (buffer.oldest, buffer.newest, len(buffer)) == (6, 6, 1)
    buffer.remove({6})
    assert buffer.oldest is None


def test_losses_are_forgotten_when_their_evidence_can_no_longer_come():
    now_s = [50.0]
    buffer = EventBuffer[Event](0, lambda: now_s[0])
    for i in range(3000):
        buffer.add(crossing(i, 100.0 + i), crossing(i, 100.0 + i))
        now_s[0] += 1
    assert len(buffer._lost._lost[GATE, "evidence"]) == LOST_KEPT_S + 1
    now_s[0] += LOST_KEPT_S + 1
    buffer.add(evidence(3100), evidence(3100))
    assert not buffer._lost._lost


def test_losses_of_cameras_that_are_gone_are_forgotten_too():
    now_s = [50.0]
    buffer = EventBuffer[Event](0, lambda: now_s[0])
    for number in range(100):
        lost = replace(crossing(1, 100.0), camera=CameraId(f"camera-{number}"))
        buffer.add(lost, lost)
    now_s[0] += LOST_KEPT_S + 1
    buffer.add(evidence(3100), evidence(3100))
    assert not buffer._lost._lost


def test_losses_are_remembered_within_a_bound():
    buffer = filled(0, *(crossing(i, 100.0 + i) for i in range(LOST_LIMIT + 500)))
    assert len(buffer._lost._lost[GATE, "evidence"]) == LOST_LIMIT


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_a_clock_that_is_set_between_two_losses_changes_nothing(step_s):
    """What was lost in a false future, or before a step, takes its evidence with it all the same."""
    buffer = filled(1, crossing(1, 100.0), crossing(2, 10_000.0), crossing(3, 10_000.0 + step_s))
    buffer.remove({1})
    for second in (10_000, 10_000 + step_s):
        buffer.add(evidence(second), evidence(second))
        assert held(buffer) == []


def test_an_announcement_of_a_time_that_comes_twice_is_never_dropped():
    announced = RepeatedSpan(GATE, 100.0, 200.0, 1, 100.0, "set back")
    assert held(filled(1, crossing(1, 100.0), announced)) == [announced]
