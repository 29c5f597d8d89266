"""The habits of cameras that are compared with a good one by `make cameras`: one row of its table each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraHabit:
    """How an odd camera behaves, and what is expected of its counts."""

    name: str
    options: tuple[str, ...] = ()
    """As on the command line of `tests/fixtures/odd_camera.py`."""
    least_counted: float = 0.95
    """Share of what is counted of the good camera in the same time."""
    least_coverage: float = 0.95
    """Share of the coverage of the good camera."""
    login: str = ""
    """`user:password` for its address."""


CAMERA_HABITS = (
    CameraHabit("clock 1.05 times real time", ("--stamp", "1.05")),
    CameraHabit("clock 1.2 times real time", ("--stamp", "1.2")),
    CameraHabit("clock 2 times real time", ("--stamp", "2")),
    CameraHabit("clock half real time", ("--stamp", "0.5")),
    CameraHabit("1 kHz told as 90 kHz", ("--clock", "unit")),
    CameraHabit("all stamps equal", ("--constant",)),
    CameraHabit("25 stamped, 21 sent", ("--fps", "21", "--stamp", "0.84")),
    CameraHabit("an hour back, once", ("--clock", "back")),
    CameraHabit("4 s forward, each 7 s", ("--clock", "forward-often")),
    CameraHabit("stamps in leaps of 2 s", ("--clock", "leaps")),
    CameraHabit("stands still 3 of 13 s", ("--clock", "stands")),
    CameraHabit("a speed that drifts", ("--clock", "drifts")),
    CameraHabit("time stamps wrap", ("--clock", "wraps")),
    CameraHabit("stamps run backwards", ("--clock", "backwards")),
    CameraHabit("sends in bursts of 1 s", ("--burst", "1")),
)
