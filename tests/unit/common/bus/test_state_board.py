from dataclasses import replace

import pytest

from services.common.bus.messages import CameraNews, ToldRate, ToldState, decode_news, encode_news
from services.common.bus.state_board import NOBODY_TELLS, SILENCE_S, StateBoard
from services.core.types import CameraState, CameraStatus
from tests.makers import GATE

LIVE = CameraState(CameraStatus.LIVE, 90.0, resolution=(640, 480))
GONE = CameraState(CameraStatus.DEGRADED, 95.0, last_error="gone")


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def board() -> tuple[StateBoard, Clock]:
    clock = Clock()
    return StateBoard("me", clock, clock), clock


def told(process: str, told_s: float, state: CameraState, fps: float | None = None) -> CameraNews:
    rates = {GATE: ToldRate(told_s, fps)} if fps is not None else {}
    return CameraNews(process, {GATE: ToldState(told_s, state)}, rates)


def test_the_newest_change_wins_whoever_is_heard_last():
    states, _ = board()
    states.hear(told("new", 50.0, LIVE, 9.0))
    states.hear(told("old", 40.0, GONE, 0.0))
    assert states.state(GATE) == replace(LIVE, fps=9.0)
    states.tell_state(GATE, GONE)
    assert states.state(GATE) == GONE


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_clock_that_is_set_does_not_change_the_order_of_news(step_s: float):
    """Two processes of a machine, one board that only listens: the newest change wins before and after."""
    clock, steady = Clock(), Clock()
    old, new = StateBoard("old", clock, steady), StateBoard("new", clock, steady)
    old.tell_state(GATE, GONE)
    old.tell_rate(GATE, 1.0)
    clock.s, steady.s = clock.s + step_s + 1, steady.s + 1
    new.tell_state(GATE, LIVE)
    new.tell_rate(GATE, 9.0)
    listening = StateBoard("me", clock, steady)
    for news in (new.own_news(), old.own_news(), new.own_news(), old.changes()):
        listening.hear(decode_news(encode_news(news)))
        steady.s += 0.5
    assert listening.state(GATE) == replace(LIVE, fps=9.0)


def test_clocks_of_two_machines_may_differ():
    clock, steady = Clock(), Clock()
    ahead, right = StateBoard("ahead", lambda: clock.s + 900, steady), StateBoard("right", clock, steady)
    ahead.tell_state(GATE, GONE)
    steady.s, clock.s = steady.s + 1, clock.s + 1
    right.tell_state(GATE, LIVE)
    listening = StateBoard("me", clock, steady)
    for news in (right.own_news(), ahead.own_news()):
        listening.hear(news)
    assert listening.state(GATE) == LIVE


def test_news_that_is_not_repeated_is_out_of_date():
    states, clock = board()
    states.hear(told("other", 50.0, LIVE, 9.0))
    clock.s += SILENCE_S
    assert states.state(GATE).status is CameraStatus.LIVE
    clock.s += 0.1
    silent = CameraState(CameraStatus.DEGRADED, 100.0, 0.0, (640, 480), NOBODY_TELLS)
    assert states.state(GATE) == silent
    states.hear(told("other", 50.0, LIVE, 9.0))
    assert states.state(GATE) == replace(LIVE, fps=9.0)


def test_a_rate_that_is_not_repeated_is_none():
    states, clock = board()
    states.tell_state(GATE, LIVE)
    states.hear(CameraNews("other", {}, {GATE: ToldRate(50.0, 9.0)}))
    assert states.state(GATE).fps == 9.0
    clock.s += SILENCE_S + 0.1
    assert states.state(GATE) == LIVE


def test_own_news_lasts_until_it_is_forgotten():
    states, clock = board()
    states.tell_state(GATE, LIVE)
    states.tell_rate(GATE, 9.0)
    clock.s += 1000
    assert states.state(GATE) == replace(LIVE, fps=9.0)
    assert states.own_news() == told("me", 100.0, LIVE, 9.0)
    states.forget(GATE)
    assert states.own_news() == CameraNews("me")
    assert states.state(GATE).last_error == NOBODY_TELLS


def test_changes_are_given_once_even_when_they_are_forgotten_at_once():
    states, _ = board()
    states.tell_rate(GATE, 0.0)
    states.forget(GATE)
    assert states.changes() == CameraNews("me", {}, {GATE: ToldRate(100.0, 0.0)})
    assert states.changes() == CameraNews("me")


def test_own_messages_that_come_back_change_nothing():
    states, _ = board()
    states.hear(told("me", 200.0, LIVE))
    assert states.state(GATE) is None
