"""Times that come twice: clocks are passed in, an hour takes no time."""

from itertools import pairwise

import pytest

from services.core.evidence.passes import Passes, least_step_back, step_sentence
from services.core.types import RepeatedSpan
from tests.makers import GATE

NOON_S = 1_790_000_000.0
HOUR_S = 3600.0


class Camera:
    """A camera that gives a picture each second, stamped by a clock that may be set."""

    def __init__(self) -> None:
        self.passes = Passes(GATE, 7)
        self.now_s, self.steady_s = NOON_S, 50.0
        self.counted: list[float] = []
        self.told: dict[tuple[float, float], RepeatedSpan] = {}

    def wait(self, time_s: float) -> None:
        self.now_s, self.steady_s = self.now_s + time_s, self.steady_s + time_s

    def run(self, time_s: float) -> None:
        for _ in range(round(time_s)):
            self.picture()
            self.wait(1.0)

    def picture(self) -> None:
        for news in self.passes.see(self.now_s, self.steady_s):
            self.told[news.since_s, news.from_s] = news
        if self.passes.repeat_at(self.now_s) is None:
            self.passes.use(self.now_s)
            self.counted.append(self.now_s)

    @property
    def repeated(self) -> list[tuple[float, float]]:
        """What is told to come twice, from noon, in whole seconds."""
        spans = [(round(t.from_s - NOON_S), round(t.to_s - NOON_S)) for t in self.told.values()]
        return sorted(span for span in spans if span[1] > span[0])


def test_a_steady_clock_repeats_nothing() -> None:
    camera = Camera()
    camera.run(100)
    camera.wait(500)
    camera.run(100)
    assert (len(camera.counted), camera.repeated) == (200, [])


@pytest.mark.parametrize("step_s", [60.0, HOUR_S])
def test_an_hour_that_comes_twice_is_counted_once_and_told_as_a_whole(step_s: float) -> None:
    camera = Camera()
    camera.run(2 * HOUR_S)
    camera.now_s -= step_s
    camera.run(1)
    assert camera.repeated == [(2 * HOUR_S - step_s, 2 * HOUR_S - 1)], "at once"
    camera.run(step_s + 100)
    assert len(set(camera.counted)) == len(camera.counted)
    assert max(b - a for a, b in pairwise(camera.counted)) <= 2.0
    assert len(camera.counted) == pytest.approx(2 * HOUR_S + 100, abs=2)
    (told,) = camera.told.values()
    words = "1 h" if step_s == HOUR_S else "1 min"
    assert (told.cause, told.epoch) == (f"the clock of this machine was set back by {words}", 7)


def test_a_step_forward_repeats_nothing() -> None:
    camera = Camera()
    camera.run(100)
    camera.now_s += HOUR_S
    camera.run(100)
    assert (len(camera.counted), camera.repeated) == (200, [])


def test_a_false_future_hinders_nothing_until_it_comes() -> None:
    camera = Camera()
    camera.run(600)
    camera.now_s += HOUR_S
    camera.run(600)
    camera.now_s -= HOUR_S
    camera.run(HOUR_S - 600)
    assert camera.repeated == [], "what lies between is new"
    assert len(camera.counted) == 600 + HOUR_S
    camera.run(1200)
    future = 600 + HOUR_S
    assert camera.repeated == [(future, future + 599)]
    assert len(set(camera.counted)) == len(camera.counted)
    assert camera.counted[-1] == camera.now_s - 1, "and goes on after it"
    assert next(iter(camera.told.values())).cause.endswith("set back by 1 h")


def test_a_step_back_that_is_mended_soon_repeats_only_what_came_twice() -> None:
    camera = Camera()
    camera.run(2 * HOUR_S)
    camera.now_s -= HOUR_S
    camera.run(300)
    camera.now_s += HOUR_S
    camera.run(100)
    assert camera.repeated == [(HOUR_S, HOUR_S + 300)]
    assert camera.counted[-1] == camera.now_s - 1


def test_a_camera_that_is_away_while_its_time_comes_again_still_has_a_gap() -> None:
    camera = Camera()
    camera.run(2 * HOUR_S)
    camera.now_s -= HOUR_S
    camera.run(10)
    camera.wait(HOUR_S)
    camera.run(10)
    assert camera.repeated == [(HOUR_S, 2 * HOUR_S - 1)]


def test_a_false_future_that_goes_by_unseen_is_told() -> None:
    camera = Camera()
    camera.now_s += HOUR_S
    camera.run(600)
    camera.now_s -= HOUR_S
    camera.run(10)
    camera.wait(2 * HOUR_S)
    camera.picture()
    assert camera.repeated == [(HOUR_S, HOUR_S + 599)]


def test_a_step_within_a_step() -> None:
    camera = Camera()
    camera.run(2 * HOUR_S)
    camera.now_s -= 1000
    camera.run(100)
    camera.now_s -= 1000
    camera.run(2200)
    assert camera.repeated == [(2 * HOUR_S - 1900, 2 * HOUR_S - 1), (2 * HOUR_S - 1000, 2 * HOUR_S - 900)]
    assert len(set(camera.counted)) == len(camera.counted)


@pytest.mark.parametrize("late_s", [3.0, 10.0])
def test_pictures_that_come_late_and_catch_up_shorten_no_repeat(late_s: float) -> None:
    camera = Camera()
    camera.run(600)
    camera.now_s -= 300
    camera.run(293 - late_s)
    told = camera.repeated
    camera.steady_s += late_s + 3
    camera.run(5)
    camera.now_s += late_s + 3
    camera.run(400)
    assert camera.repeated == told == [(300, 599)]
    assert max(b - a for a, b in pairwise(camera.counted)) <= 2.0


def test_a_picture_that_is_late_by_a_sleep_hides_no_part_of_a_false_future() -> None:
    camera = Camera()
    camera.run(600)
    camera.now_s += HOUR_S
    camera.run(60)
    camera.now_s -= HOUR_S
    camera.run(60)
    camera.steady_s += HOUR_S - 60
    camera.run(2)
    camera.now_s += HOUR_S - 60
    camera.run(100)
    assert camera.repeated == [(HOUR_S + 600, HOUR_S + 659)]


def test_a_jump_over_a_false_future_leaves_it_alone() -> None:
    camera = Camera()
    camera.now_s += HOUR_S
    camera.run(600)
    camera.now_s -= HOUR_S
    camera.run(10)
    camera.now_s += 3 * HOUR_S
    camera.run(10)
    assert camera.repeated == []


def test_pictures_out_of_order_and_a_clock_that_is_slewed_are_no_steps() -> None:
    camera = Camera()
    for _ in range(2000):
        camera.picture()
        camera.wait(1.0)
        camera.now_s -= 0.09
    assert camera.repeated == []
    for back_s in (0.4, 0.9):
        camera.now_s -= back_s
        camera.picture()
    assert camera.repeated == []


def test_what_others_know_is_a_repeat_and_not_published_again() -> None:
    camera = Camera()
    known = RepeatedSpan(GATE, NOON_S + 100, NOON_S + 200, 5, NOON_S, "x")
    camera.passes.learn([known])
    camera.run(300)
    assert camera.told == {}
    assert len(camera.counted) == 200
    assert camera.passes.repeat_at(NOON_S + 150) is known


def test_many_steps_are_remembered_within_a_bound() -> None:
    camera = Camera()
    for _ in range(500):
        camera.run(5)
        camera.now_s += 5000
        camera.run(5)
        camera.now_s -= 4000
    assert len(camera.passes._passed) == 100


@pytest.mark.parametrize(
    ("step_s", "words"),
    [
        (-3600.0, "back by 1 h"),
        (-3599.7, "back by 1 h"),
        (60.0, "forward by 1 min"),
        (-5400.0, "back by 1 h 30 min"),
        (-1.2, "back by 1 s"),
        (31_536_000.0 + 7205, "forward by 365 d 2 h"),
    ],
)
def test_steps_in_words(step_s: float, words: str) -> None:
    assert step_sentence(step_s).text == f"the clock of this machine was set {words}"
    assert least_step_back(-60.0).text.endswith("set back by at least 1 min")
