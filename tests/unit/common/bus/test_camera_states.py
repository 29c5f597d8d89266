from dataclasses import replace

import pytest

from services.common.bus.camera_states import COST_SILENCE_S, NOBODY_REPORTS, SILENCE_S, CameraStates
from services.common.bus.messages import (
    CameraUpdate,
    CostReport,
    RateReport,
    StateReport,
    decode_update,
    encode_update,
)
from services.core.types import CameraId, CameraState, CameraStatus, StatusChange
from tests.makers import GATE, analysis_cost

LIVE = CameraState(CameraStatus.LIVE, 90.0, resolution=(640, 480))
GONE = CameraState(CameraStatus.DEGRADED, 95.0, last_error="gone")


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def board() -> tuple[CameraStates, Clock]:
    clock = Clock()
    return CameraStates("me", clock, clock), clock


def update(process: str, reported_s: float, state: CameraState, fps: float | None = None) -> CameraUpdate:
    rates = {GATE: RateReport(reported_s, fps)} if fps is not None else {}
    return CameraUpdate(process, {GATE: StateReport(reported_s, state)}, rates)


def test_the_newest_change_wins_whoever_is_heard_last():
    states, _ = board()
    states.receive(update("new", 50.0, LIVE, 9.0))
    states.receive(update("old", 40.0, GONE, 0.0))
    assert states.state(GATE) == replace(LIVE, fps=9.0)
    states.publish_state(GATE, GONE)
    assert states.state(GATE) == GONE


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_a_clock_that_is_set_does_not_change_the_order_of_update(step_s: float):
    """Two processes of a machine, one board that only listens: the newest change wins before and after."""
    clock, steady = Clock(), Clock()
    old, new = CameraStates("old", clock, steady), CameraStates("new", clock, steady)
    old.publish_state(GATE, GONE)
    old.publish_rate(GATE, 1.0)
    clock.s, steady.s = clock.s + step_s + 1, steady.s + 1
    new.publish_state(GATE, LIVE)
    new.publish_rate(GATE, 9.0)
    listening = CameraStates("me", clock, steady)
    for update in (new.own_update(), old.own_update(), new.own_update(), old.changes()):
        listening.receive(decode_update(encode_update(update)))
        steady.s += 0.5
    assert listening.state(GATE) == replace(LIVE, fps=9.0)


def test_clocks_of_two_machines_may_differ():
    clock, steady = Clock(), Clock()
    ahead, right = CameraStates("ahead", lambda: clock.s + 900, steady), CameraStates("right", clock, steady)
    ahead.publish_state(GATE, GONE)
    steady.s, clock.s = steady.s + 1, clock.s + 1
    right.publish_state(GATE, LIVE)
    listening = CameraStates("me", clock, steady)
    for update in (right.own_update(), ahead.own_update()):
        listening.receive(update)
    assert listening.state(GATE) == LIVE


def test_update_that_is_not_repeated_is_out_of_date():
    states, clock = board()
    states.receive(update("other", 50.0, LIVE, 9.0))
    clock.s += SILENCE_S
    assert states.state(GATE).status is CameraStatus.LIVE
    clock.s += 0.1
    silent = CameraState(CameraStatus.DEGRADED, 100.0, 0.0, (640, 480)).with_error(NOBODY_REPORTS)
    assert states.state(GATE) == silent
    states.receive(update("other", 50.0, LIVE, 9.0))
    assert states.state(GATE) == replace(LIVE, fps=9.0)


def test_a_rate_that_is_not_repeated_is_none():
    states, clock = board()
    states.publish_state(GATE, LIVE)
    states.receive(CameraUpdate("other", {}, {GATE: RateReport(50.0, 9.0)}))
    assert states.state(GATE).fps == 9.0
    clock.s += SILENCE_S + 0.1
    assert states.state(GATE) == LIVE


def test_own_update_lasts_until_it_is_forgotten():
    states, clock = board()
    states.publish_state(GATE, LIVE)
    states.publish_rate(GATE, 9.0)
    clock.s += 1000
    assert states.state(GATE) == replace(LIVE, fps=9.0)
    assert states.own_update() == update("me", 100.0, LIVE, 9.0)
    states.withdraw_state(GATE)
    states.withdraw_rate(GATE)
    assert states.own_update() == CameraUpdate("me")
    assert states.state(GATE).error == NOBODY_REPORTS


def test_changes_are_given_once_even_when_they_are_forgotten_at_once():
    states, _ = board()
    states.publish_state(GATE, LIVE)
    states.withdraw_state(GATE)
    assert states.changes() == update("me", 100.0, LIVE)
    assert states.changes() == CameraUpdate("me")


def test_own_messages_that_come_back_change_nothing():
    states, _ = board()
    states.receive(update("me", 200.0, LIVE))
    assert states.state(GATE) is None


def test_a_rate_ends_with_a_last_one_of_nothing():
    states, _ = board()
    states.publish_rate(GATE, 9.0)
    states.changes()
    states.withdraw_rate(GATE)
    assert states.own_update() == CameraUpdate("me")
    assert states.changes() == CameraUpdate("me", {}, {GATE: RateReport(100.0, 0.0)})
    states.withdraw_rate(GATE)
    assert states.changes() == CameraUpdate("me")


def test_costs_are_repeated_apart_and_end_with_the_rate():
    states, clock = board()
    states.publish_rate(GATE, 9.0)
    states.publish_cost(GATE, analysis_cost())
    assert states.changes().costs == states.own_update().costs == {}, "at most once in some seconds"
    assert states.own_costs() == CameraUpdate("me", costs={GATE: CostReport(100.0, analysis_cost())})
    clock.s += 1000
    assert states.cost(GATE) == analysis_cost()
    states.withdraw_rate(GATE)
    assert (states.cost(GATE), states.own_costs()) == (None, CameraUpdate("me"))


def test_the_newest_cost_counts_until_it_is_not_repeated():
    states, clock = board()
    for process, reported_s, cores in (("new", 90.0, 0.2), ("old", 80.0, 0.1)):
        cost = CostReport(reported_s, analysis_cost(cores))
        states.receive(decode_update(encode_update(CameraUpdate(process, costs={GATE: cost}))))
    assert states.cost(GATE) == analysis_cost(0.2)
    clock.s += COST_SILENCE_S + 0.1
    assert states.cost(GATE) is None


def entries(states: CameraStates) -> int:
    """Count what is kept of all cameras."""
    tables = (states._states._received, states._rates._received, states._costs._received)
    return sum(map(len, (*tables, states._last, states._changed_states, states._changed_rates)))


def report_of(camera: CameraId) -> CameraUpdate:
    """Give what another process reports of a camera."""
    return CameraUpdate("other", {camera: StateReport(50.0, LIVE)}, {camera: RateReport(50.0, 9.0)})


def test_deleted_cameras_are_forgotten_also_when_they_are_still_reported():
    states, _ = board()
    cameras = [CameraId(f"camera-{number}") for number in range(500)]
    for camera in cameras:
        states.publish_state(camera, LIVE)
        states.publish_rate(camera, 9.0)
        states.publish_cost(camera, analysis_cost())
        states.receive(
            CameraUpdate("other", {camera: StateReport(50.0, LIVE)}, {camera: RateReport(50.0, 9.0)})
        )
    states.publish_state(GATE, LIVE)
    states.retain([GATE])
    for camera in cameras:
        states.publish_state(camera, LIVE)
        states.publish_rate(camera, 9.0)
        states.receive(
            CameraUpdate("other", {camera: StateReport(50.0, LIVE)}, {camera: RateReport(50.0, 9.0)})
        )
        states.withdraw_state(camera)
        states.withdraw_rate(camera)
    assert entries(states) == 3
    assert all(states.state(camera) is None for camera in cameras)
    states.retain([GATE, cameras[0]])
    states.publish_state(cameras[0], GONE)
    assert states.state(GATE) == LIVE and states.state(cameras[0]) == GONE


def test_processes_that_are_gone_are_forgotten_though_nobody_asks():
    states, clock = board()
    for number in range(100):
        states.receive(update(f"process-{number}", clock.s, LIVE, 9.0))
        clock.s += SILENCE_S + 0.1
    assert len(states._states._received[GATE]) == len(states._rates._received[GATE]) == 1


def test_reports_are_read_and_written_in_the_form_of_older_releases():
    message = (
        b'sightline 1 news\n[{"process":"me","states":{"gate":{"told_s":100.0,"state":{"status":"live",'
        b'"since_s":90.0,"fps":0.0,"resolution":[640,480],"last_error":null}}},'
        b'"rates":{"gate":{"told_s":100.0,"fps":9.0}}}]'
    )
    assert decode_update(message) == update("me", 100.0, LIVE, 9.0)
    assert b'"told_s":100.0' in encode_update(decode_update(message))


def test_a_live_camera_that_cannot_be_analysed_is_degraded_and_seen() -> None:
    states, clock = board()
    fault = StatusChange(GATE, 95.0, CameraStatus.DEGRADED, "no model", "analysis-no-model")
    states.publish_state(GATE, LIVE)
    states.publish_rate(GATE, 0.0, fault)
    shown = states.state(GATE)
    assert shown is not None
    assert (shown.status, shown.since_s, shown.has_pictures) == (CameraStatus.DEGRADED, 95.0, True)
    assert (shown.last_error, shown.last_error_code) == ("no model", "analysis-no-model")
    listening = CameraStates("other", clock, clock)
    listening.receive(decode_update(encode_update(states.own_update())))
    assert listening.state(GATE) == shown
    states.publish_state(GATE, GONE)
    assert states.state(GATE) == GONE, "what ingest says of a camera without pictures stands"
    states.publish_state(GATE, LIVE)
    states.publish_rate(GATE, 9.0)
    assert states.state(GATE) == replace(LIVE, fps=9.0)
