"""Whatever a camera stamps on its pictures, they are told apart as they were taken, and all are counted."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.times import whole
from services.ingest.clock import LARGEST_DRIFT_S, CaptureClock
from tests.fixtures.clock_habits import CLOCK_HABITS, ClockHabit
from tests.odd_clocks import BEGAN_S, DELAY_S, Shown, Tally, count, play

SETTLED_S = 4.0
"""After so long the clock of a camera is known."""

SECONDS = 30.0


def at_speed(speed: float) -> ClockHabit:
    return lambda real_s, number, fps: speed * real_s


SPEEDS = {f"speed {speed:g}": at_speed(speed) for speed in (0.2, 0.5, 0.84, 0.95, 1.05, 1.2, 2, 3, 10, 90)}
HABITS = CLOCK_HABITS | SPEEDS


def spacings(shown: list[Shown], over_s: float = 0.5) -> list[float]:
    """Give told time by true time, over short spans."""
    settled = [picture for picture in shown if picture.real_s >= SETTLED_S]
    step = max(1, round(over_s / (shown[1].real_s - shown[0].real_s)))
    pairs = zip(settled, settled[step:], strict=False)
    return [(b.time_s - a.time_s) / (b.real_s - a.real_s) for a, b in pairs]


def off_s(shown: list[Shown], from_s: float) -> float:
    """Give by how much told times are wrong at most, from then on."""
    return max(abs(p.time_s - p.real_s - DELAY_S) for p in shown if p.real_s >= from_s)


def longest_step_s(shown: list[Shown]) -> float:
    return max(b.time_s - a.time_s for a, b in pairwise(shown) if a.real_s >= SETTLED_S)


@pytest.fixture(scope="module")
def good() -> Tally:
    """What is counted of a good camera."""
    tally = count(play(CLOCK_HABITS["good"], seconds=SECONDS))
    assert (len(tally.crossings), len(tally.seconds)) == (56, 28)
    return tally


@pytest.mark.parametrize("name", HABITS)
def test_a_camera_with_an_odd_clock_is_counted_as_a_good_one(name: str, good: Tally):
    tally = count(play(HABITS[name], seconds=SECONDS))
    for direction in ("forward", "backward"):
        counted, expected = (
            sum(crossing.direction == direction for crossing in other.crossings) for other in (tally, good)
        )
        assert counted == expected
    assert len(tally.seconds) >= len(good.seconds)


@pytest.mark.parametrize("arrival", ["wifi", "busy", "bursts"])
@pytest.mark.parametrize("name", ["good", "forward", "back-often", "unit", "stands", "wraps", "constant"])
def test_it_is_counted_also_where_pictures_arrive_unevenly(name: str, arrival: str):
    tally = count(play(HABITS[name], arrival, SECONDS))
    assert len(tally.crossings) >= (55 if arrival != "bursts" else 50)
    assert len(tally.seconds) >= (27 if arrival != "bursts" else 24)


@pytest.mark.parametrize("arrival", ["even", "wifi", "busy"])
@pytest.mark.parametrize("name", HABITS)
def test_pictures_are_as_far_apart_as_they_were_taken(name: str, arrival: str):
    shown = play(HABITS[name], arrival, 45)
    times_s = [BEGAN_S + picture.time_s for picture in shown]
    assert all(after_s > before_s for before_s, after_s in pairwise(times_s))
    assert times_s == [whole(time_s) for time_s in times_s]
    spaces = spacings(shown)
    assert 0.7 <= min(spaces) <= max(spaces) <= 1.75
    assert longest_step_s(shown) < 0.4, "no hole"
    assert max(picture.ahead_s for picture in shown) <= LARGEST_DRIFT_S + 0.001


@pytest.mark.parametrize(
    "name", ["good", "unit", "forward", "back", "constant", "leaps", "wraps", "backwards", "speed 1.2"]
)
def test_a_clock_that_can_be_followed_or_replaced_tells_the_true_time(name: str):
    assert off_s(play(HABITS[name]), 10) <= 0.2


def test_a_camera_that_sends_in_bursts_keeps_the_distances_of_its_clock():
    """What is made up for is that its first picture came late."""
    spaces = spacings(play(CLOCK_HABITS["good"], "bursts"))
    assert 0.89 <= min(spaces) <= max(spaces) <= 1.01


@pytest.mark.parametrize("fps", [10.0, 25.0, 60.0])
@pytest.mark.parametrize("b_frames", [1, 3])
@pytest.mark.parametrize("name", ["good", "unit", "speed 1.2", "speed 0.84", "speed 2"])
def test_pictures_between_others_keep_their_place(name: str, b_frames: int, fps: float):
    shown = play(HABITS[name], seconds=SECONDS, fps=fps, b_frames=b_frames)
    settled = [picture.time_s for picture in shown if picture.real_s >= 2]
    assert all(after_s > before_s for before_s, after_s in pairwise(settled))
    assert 0.85 <= min(spacings(shown)) <= max(spacings(shown)) <= 1.15


@settings(max_examples=25, deadline=None)
@given(
    speed=st.floats(0.3, 3),
    began_s=st.floats(0, 1e5),
    jumps=st.lists(st.tuples(st.floats(1, 25), st.floats(-1e4, 1e4)), max_size=4),
    fps=st.sampled_from([5.0, 12.5, 15.0, 25.0, 30.0]),
    seed=st.integers(0, 1000),
)
def test_a_clock_of_any_speed_that_jumps_squeezes_nothing(
    speed: float, began_s: float, jumps: list[tuple[float, float]], fps: float, seed: int
):
    def stamped(real_s: float, number: int, fps: float) -> float:
        return began_s + speed * real_s + sum(by_s for at_s, by_s in jumps if real_s >= at_s)

    shown = play(stamped, seconds=SECONDS, fps=fps, seed=seed)
    assert all(b.time_s > a.time_s for a, b in pairwise(shown))
    spaces = spacings(shown, 1.0)
    assert 0.7 <= min(spaces) <= max(spaces) <= 1.5


@pytest.mark.parametrize(
    ("speed", "jump_s"), [(1.0, 3.0), (1.0, 1e6), (1.0, -1e6), (1.2, 1e6), (1.2, -1e6), (0.0, 0.0)]
)
def test_a_pause_of_the_camera_is_a_hole_whatever_its_clock_says(speed: float, jump_s: float):
    """Jumps hide no time in which there were no pictures, and after it all is as before."""
    now_s = 0.0
    clock = CaptureClock(lambda: BEGAN_S + now_s, 0.0, lambda: now_s)
    times_s = []
    for number in range(750):
        now_s = number / 25 + 3.0 * (number >= 250)
        times_s.append(clock.time_s(speed * number / 25 + jump_s * (number >= 250)))
    assert times_s[250] - times_s[249] == pytest.approx(3.04, abs=0.35)
    after = [b - a for a, b in pairwise(times_s[250:])]
    assert 0.034 <= min(after) <= max(after) <= (0.046 if speed else 0.056)


@pytest.mark.parametrize("pause_s", [0.8, 1.5, 2.9])
@pytest.mark.parametrize("speed", [1.0, 1.2, 0.5, 1 / 90])
def test_a_pause_in_which_the_clock_stands_with_the_pictures_is_a_hole(speed: float, pause_s: float):
    """What was not seen is not spread over what was, though the first picture behind it may be a late one."""
    now_s = 0.0
    clock = CaptureClock(lambda: BEGAN_S + now_s, 0.0, lambda: now_s)
    times_s = []
    for number in range(750):
        now_s = number / 25 + pause_s * (number >= 250)
        times_s.append(clock.time_s(speed * number / 25))
    steps = sorted(b - a for a, b in pairwise(times_s[100:]))
    assert steps[-1] == pytest.approx(pause_s + 0.04, abs=0.1)
    assert 0.034 <= steps[0] <= steps[-2] <= 0.046
    assert times_s[-1] == pytest.approx(BEGAN_S + now_s, abs=0.6)


@pytest.mark.parametrize("has_stood", [True, False])
@pytest.mark.parametrize("speed", [1.0, 1.2])
@pytest.mark.parametrize("before", [30, 500])
def test_after_a_sleep_of_the_machine_no_picture_is_dated_before_it(
    has_stood: bool, speed: float, before: int
):
    """The first picture has the time of its arrival, whether the camera's clock stood meanwhile or not."""
    now_s = 0.0
    clock = CaptureClock(lambda: BEGAN_S + now_s, 0.0, lambda: now_s)
    times_s = []
    for number in range(before + 500):
        slept_s = 3600.0 * (number >= before)
        now_s = number / 25 + slept_s
        times_s.append(clock.time_s(speed * (number / 25 + slept_s * (not has_stood))))
        if number == before:
            assert times_s[-1] == BEGAN_S + now_s
    after = [b - a for a, b in pairwise(times_s[before:])]
    assert 0.034 <= min(after) <= max(after) <= 0.05
    assert times_s[-1] == pytest.approx(BEGAN_S + now_s, abs=0.6)


def test_a_machine_whose_clock_is_slewed_is_followed():
    """Capture times stay with it, though the stream is measured by a clock that nobody sets."""
    now_s = 0.0
    clock = CaptureClock(lambda: BEGAN_S + 1.0005 * now_s, 0.0, lambda: now_s)
    for number in range(10 * 600):
        now_s = number / 10
        time_s = clock.time_s(now_s)
    assert time_s == pytest.approx(BEGAN_S + 1.0005 * now_s, abs=0.15)
