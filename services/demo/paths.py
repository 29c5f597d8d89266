"""Ways over the ground and the speed along them; pure."""

from dataclasses import dataclass

import numpy as np

from services.demo.geometry import Floats, Pose

STEP_S = 0.04
RAMP_S = 1.6
"""Time to brake to a stop or to start again."""


@dataclass(frozen=True)
class Path:
    """Positions over time, between `times_s[0]` and `times_s[-1]`."""

    times_s: Floats
    xs_m: Floats
    ys_m: Floats
    headings: Floats
    travelled_m: Floats

    def pose(self, time_s: float) -> Pose:
        """Where the object stands at a time."""
        values = [
            float(np.interp(time_s, self.times_s, v))
            for v in (self.xs_m, self.ys_m, self.headings, self.travelled_m)
        ]
        ahead_m = float(np.interp(time_s + 0.05, self.times_s, self.travelled_m))
        return Pose(values[0], values[1], values[2], values[3], ahead_m - values[3] > 0.005)

    def shifted(self, seconds: float) -> "Path":
        """The same path, later."""
        return Path(self.times_s + seconds, self.xs_m, self.ys_m, self.headings, self.travelled_m)


@dataclass(frozen=True)
class Route:
    """A polyline over the ground with the way travelled at each point."""

    points_m: Floats

    @property
    def lengths_m(self) -> Floats:
        """Way travelled at each point."""
        steps = np.linalg.norm(np.diff(self.points_m, axis=0), axis=1)
        return np.concatenate([[0.0], np.cumsum(steps)])

    def drive(
        self, speed_ms: float, time_s: float, at_m: float, stop: tuple[float, float] | None = None
    ) -> Path:
        """At one speed, reaching `at_m` at `time_s`; `stop`: where (metres) and for how long."""
        lengths = self.lengths_m
        length = float(lengths[-1])
        if stop is None:
            marks_s, marks_m = np.array([0.0, length / speed_ms]), np.array([0.0, length])
        else:
            marks_s, marks_m = _with_stop(speed_ms, length, *stop)
        times = np.arange(0.0, float(marks_s[-1]) + STEP_S, STEP_S)
        travelled = np.interp(times, marks_s, marks_m)
        start_s = time_s - float(np.interp(at_m - 1e-3, marks_m, marks_s))
        steps = np.diff(self.points_m, axis=0)
        angles = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        middles = (lengths[:-1] + lengths[1:]) / 2
        return Path(
            times + start_s,
            np.interp(travelled, lengths, self.points_m[:, 0]),
            np.interp(travelled, lengths, self.points_m[:, 1]),
            np.interp(travelled, middles, angles),
            travelled,
        )


def _with_stop(speed_ms: float, length_m: float, stop_m: float, pause_s: float) -> tuple[Floats, Floats]:
    """Times and ways with even braking before and even acceleration after a stop."""
    brake_m = speed_ms * RAMP_S / 2
    ramp = np.linspace(0.0, 1.0, 17)
    start_s = (stop_m - brake_m) / speed_ms
    halt_s = start_s + RAMP_S
    go_s = halt_s + pause_s
    times = [np.array([0.0]), start_s + ramp * RAMP_S, go_s + ramp * RAMP_S]
    ways = [np.array([0.0]), stop_m - brake_m * (1 - ramp) ** 2, stop_m + brake_m * ramp**2]
    end_s = go_s + RAMP_S + (length_m - stop_m - brake_m) / speed_ms
    return np.concatenate([*times, [end_s]]), np.concatenate([*ways, [length_m]])


def straight(start: tuple[float, float], end: tuple[float, float]) -> Route:
    """A route straight on."""
    return Route(np.array([start, end]))


def turning(start_x_m: float, turn_x_m: float, out_y_m: float, back_y_m: float) -> Route:
    """Out along one lane, half a circle, and back along the other."""
    sign = 1.0 if turn_x_m > start_x_m else -1.0
    radius, middle = (back_y_m - out_y_m) / 2, (back_y_m + out_y_m) / 2
    angles = np.linspace(-np.pi / 2, np.pi / 2, 25)
    arc = np.stack([turn_x_m + sign * abs(radius) * np.cos(angles), middle + radius * np.sin(angles)], 1)
    return Route(np.concatenate([[[start_x_m, out_y_m]], arc, [[start_x_m, back_y_m]]]))
