"""When the clock is believed."""

import pytest

from services.core.evidence.clock_belief import AGREED_S, ClockMark, confirmed, first_mark, judged, now_s
from tests.clocks import SettableClock

NOW_S = 1_790_000_000.0
HOUR_S, DAY_S, YEAR_S = 3600.0, 86_400.0, 365 * 86_400.0


def _begun(clock: SettableClock) -> ClockMark:
    return judged(first_mark(None, clock()), clock())


def _run(mark: ClockMark, clock: SettableClock, seconds: float, look_s: float = 30.0) -> ClockMark:
    for _ in range(round(seconds / look_s)):
        clock.run(look_s)
        mark = judged(mark, clock())
    return mark


@pytest.mark.parametrize("step_s", [HOUR_S, YEAR_S, 61.0, -61.0, -HOUR_S])
def test_a_step_is_doubted_and_the_believed_time_goes_on_by_itself(step_s: float) -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.step(step_s)
    mark = _run(mark, clock, HOUR_S)
    assert mark.doubt is not None
    assert mark.believed_s == pytest.approx(NOW_S + HOUR_S)


def test_a_step_that_is_taken_back_is_forgotten() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.step(YEAR_S)
    mark = _run(mark, clock, HOUR_S)
    clock.step(-YEAR_S)
    mark = judged(mark, clock())
    assert mark.doubt is None
    assert mark.believed_s == pytest.approx(NOW_S + HOUR_S)


def test_a_clock_that_went_ahead_is_believed_after_a_day_and_no_sooner() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.step(YEAR_S)
    mark = _run(mark, clock, DAY_S)
    assert mark.doubt is not None
    mark = _run(mark, clock, 60)
    assert mark.doubt is None
    assert mark.believed_s == pytest.approx(clock.wall_s)


def test_each_further_step_begins_the_day_anew() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    for _ in range(4):
        clock.step(YEAR_S)
        mark = _run(mark, clock, DAY_S - 60)
        assert mark.doubt is not None
    assert mark.believed_s == pytest.approx(NOW_S + 4 * (DAY_S - 60))


def test_a_clock_that_went_back_is_believed_only_if_a_time_service_keeps_it() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.step(-YEAR_S)
    mark = _run(mark, clock, 3 * DAY_S)
    assert mark.doubt is not None
    assert now_s(mark, clock()) == pytest.approx(NOW_S + 3 * DAY_S)
    clock.is_synchronised = True
    mark = _run(mark, clock, DAY_S + 60)
    assert mark.doubt is None


def test_a_restart_within_the_same_run_of_the_machine_hides_no_step() -> None:
    """The database keeps the mark, and the kernel counts on while no process of ours runs."""
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.run(HOUR_S)
    clock.step(DAY_S / 2)
    mark = judged(mark, clock())
    assert mark.doubt is not None
    assert mark.believed_s == pytest.approx(NOW_S + HOUR_S)
    assert now_s(mark, clock()) == pytest.approx(NOW_S + HOUR_S)


@pytest.mark.parametrize("off_s", [0.0, 30.0, HOUR_S, DAY_S])
def test_a_machine_that_was_off_for_a_day_at_most_is_believed_at_once(off_s: float) -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.reboot("second", off_s)
    assert judged(mark, clock()).doubt is None


def test_a_machine_that_was_off_for_weeks_counts_at_once_and_deletes_after_a_day_of_running() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.reboot("second", 21 * DAY_S)
    mark = judged(mark, clock())
    assert mark.doubt is not None
    assert now_s(mark, clock()) == pytest.approx(clock.wall_s)
    for day in range(4):
        mark = _run(mark, clock, 8 * HOUR_S)
        clock.reboot(f"day {day}", 16 * HOUR_S)
        mark = judged(mark, clock())
        assert (mark.doubt is None) == (day >= 2), day
    assert mark.believed_s == pytest.approx(clock.wall_s)


def test_a_boot_in_1970_is_doubted_and_events_are_placed_by_what_was_believed() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.reboot("second", -NOW_S)
    mark = judged(mark, clock())
    assert mark.doubt is not None
    assert now_s(mark, clock()) == pytest.approx(NOW_S)
    clock.step(NOW_S + 40)
    assert judged(mark, clock()).doubt is None


def test_events_are_placed_by_a_stepped_clock_once_a_time_service_has_kept_it_for_ten_minutes() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.step(3 * HOUR_S)
    clock.is_synchronised = True
    mark = _run(mark, clock, 570)
    assert now_s(mark, clock()) == pytest.approx(NOW_S + 570)
    mark = _run(mark, clock, 60)
    assert now_s(mark, clock()) == pytest.approx(clock.wall_s)
    assert mark.doubt is not None, "nothing is deleted all the same"


def test_small_steps_cannot_walk_the_believed_time_away() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    for _ in range(100):
        clock.step(50)
        mark = _run(mark, clock, 30)
    assert mark.doubt is not None
    assert abs(mark.believed_s - NOW_S - 3000) < 90


def test_a_clock_within_the_tolerance_is_followed() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.step(30)
    mark = _run(mark, clock, 2 * HOUR_S)
    assert mark.doubt is None
    assert mark.believed_s == pytest.approx(clock.wall_s)


@pytest.mark.parametrize(("newest_s", "is_believed"), [(-HOUR_S, True), (-2 * DAY_S, False), (YEAR_S, False)])
def test_without_a_mark_the_newest_record_speaks(newest_s: float, is_believed: bool) -> None:
    clock = SettableClock(NOW_S)
    mark = judged(first_mark(NOW_S + newest_s, clock()), clock())
    assert (mark.doubt is None) == is_believed


def test_a_person_ends_the_doubt() -> None:
    clock = SettableClock(NOW_S)
    mark = _begun(clock)
    clock.step(YEAR_S)
    mark = judged(mark, clock())
    assert mark.doubt is not None
    mark = judged(confirmed(clock()), clock())
    assert mark.doubt is None
    assert mark.believed_s == pytest.approx(NOW_S + YEAR_S)
    assert AGREED_S == DAY_S
