from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.sentences.sentence import plain
from services.core.times import whole
from services.core.types import CameraState, CameraStatus
from services.ingest.clock import CaptureClock
from services.ingest.reconnect import ConnectionState


def test_waits_double_up_to_thirty_seconds():
    machine = ConnectionState.begin(0)
    waits = [machine.on_failure(float(i), plain("connection refused"))[1] for i in range(8)]
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_stable_connection_starts_the_waits_anew():
    machine = ConnectionState.begin(0)
    for i in range(4):
        machine.on_failure(float(i), plain("refused"))
    machine.on_picture(10, (640, 360))
    assert machine.on_failure(30, plain("ended")) == (True, 1)


def test_a_connection_that_flaps_goes_on_waiting_longer():
    machine = ConnectionState.begin(0)
    for i in range(3):
        machine.on_failure(float(i), plain("refused"))
    machine.on_picture(10, (640, 360))
    assert machine.on_failure(11, plain("ended"))[1] == 8


def test_degraded_keeps_since_and_tells_a_new_cause_once():
    machine = ConnectionState.begin(0)
    assert machine.state.status is CameraStatus.CONNECTING
    assert machine.on_failure(5, plain("refused"))[0]
    assert not machine.on_failure(6, plain("refused"))[0]
    assert machine.on_failure(8, plain("wrong password"))[0]
    assert (machine.state.since_s, machine.state.last_error) == (5, "wrong password")
    assert machine.on_picture(9, (640, 360))
    assert machine.state.status is CameraStatus.LIVE
    assert machine.state.last_error is None
    assert not machine.on_picture(10, (640, 360))


def test_a_camera_that_is_taken_over_is_degraded_only_when_it_stays_away():
    live = CameraState(CameraStatus.LIVE, 5.0, 9.5, (640, 360))
    machine = ConnectionState.begin(100.0, live)
    assert machine.on_failure(100.5, plain("one session only")) == (False, 1)
    assert machine.state == CameraState(CameraStatus.LIVE, 5.0, 0.0, (640, 360))
    assert machine.on_failure(102.5, plain("refused")) == (True, 1)
    assert (machine.state.status, machine.state.since_s) == (CameraStatus.DEGRADED, 102.5)


def test_a_camera_that_was_taken_over_breaks_off_as_any_other():
    machine = ConnectionState.begin(100.0, CameraState(CameraStatus.LIVE, 5.0, 9.5, (640, 360)))
    assert not machine.on_picture(100.2, (640, 360))
    assert machine.on_failure(100.4, plain("ended"))[0]


def test_a_camera_that_is_taken_over_with_another_size_tells_it():
    machine = ConnectionState.begin(100.0, CameraState(CameraStatus.LIVE, 5.0, 9.5, None))
    assert machine.on_picture(100.2, (640, 360))
    assert machine.state.resolution == (640, 360)


def test_a_camera_that_was_degraded_elsewhere_is_connected_as_a_new_one():
    machine = ConnectionState.begin(100.0, CameraState(CameraStatus.DEGRADED, 5.0, last_error="refused"))
    assert machine.state == CameraState(CameraStatus.CONNECTING, 100.0)


def test_a_burst_keeps_the_streams_own_distances():
    now = [1000.0]
    clock = CaptureClock(lambda: now[0])
    times = []
    for i in range(20):
        now[0] = 1000.0 if i == 0 else 1001.5
        times.append(clock.time_s(i / 10))
    assert [round(b - a, 6) for a, b in pairwise(times)] == [0.1] * 19


def test_a_jump_of_the_stream_clock_is_anchored_anew_and_time_only_grows():
    now = [1000.0]
    clock = CaptureClock(lambda: now[0])
    first = clock.time_s(5.0)
    now[0] += 0.1
    assert abs(clock.time_s(90000.0) - 1000.1) < 1e-6
    now[0] += 0.1
    assert first < clock.time_s(0.0)


def test_without_a_stream_clock_arrival_counts():
    now = [1000.0]
    clock = CaptureClock(lambda: now[0])
    assert clock.time_s(None) == 1000.0
    now[0] = 999.0
    assert clock.time_s(None) > 1000.0


def test_pictures_that_come_out_of_order_keep_their_own_times():
    clock = CaptureClock(lambda: 1000.0)
    times = [clock.time_s(stream_s) for stream_s in (0.0, 0.12, 0.04, 0.08, 0.24)]
    assert [round(t - times[0], 6) for t in times] == [0.0, 0.12, 0.04, 0.08, 0.24]


@pytest.mark.parametrize(
    ("after_s", "times_s"),
    [
        (999.0, [1000.0, 1000.04]),
        (1000.005, [1000.006, 1000.046]),
        (2000.0, [1000.0, 1000.04]),
    ],
    ids=["long ago", "a moment ahead", "the machine's clock was set back"],
)
def test_a_connection_comes_after_the_one_before(after_s: float, times_s: list[float]):
    now = iter([1000.0, 1000.04])
    clock = CaptureClock(lambda: next(now), after_s)
    assert [clock.time_s(stream_s) for stream_s in (7.0, 7.04)] == pytest.approx(times_s)


@given(
    st.floats(1e9, 4e9, allow_nan=False),
    st.lists(st.one_of(st.none(), st.floats(0, 1e6, allow_nan=False)), min_size=2, max_size=40),
)
def test_capture_times_are_whole_milliseconds_and_never_the_same_twice_in_a_row(began_s, streams):
    clock, after = CaptureClock(lambda: began_s, began_s - 0.5), []
    for stream_s in streams:
        after.append(clock.time_s(stream_s))
    assert all(time_s == whole(time_s) for time_s in (*after, clock.newest_s))
    assert all(a != b for a, b in pairwise(after))


def test_a_stream_that_tells_no_time_goes_on_also_where_pictures_come_at_once():
    clock = CaptureClock(lambda: 1765033920.0385962)
    assert [clock.time_s(None) for _ in range(3)] == [1765033920.039, 1765033920.04, 1765033920.041]
