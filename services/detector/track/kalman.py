"""A constant-velocity Kalman filter over many boxes at once.

State of a box: centre x, centre y, width, height in height units, and their velocities a second. The
noise grows with the box's height, as in SORT and ByteTrack (Zhang et al., ECCV 2022), but with the time
between frames, so that a camera analysed at 5 or 30 frames a second is followed alike.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POSITION_NOISE = 0.05
"""Standard deviation of a measured or a predicted position, in heights of the box."""

ACCELERATION_NOISE = 0.5
"""Standard deviation by which a velocity changes in one second, in heights of the box a second."""

FIRST_SPEED = 2.0
"""Standard deviation of the unknown velocity of a new box, in heights of the box a second."""

SIZE_DAMPING_S = 0.5
"""A size's velocity fades with this time constant while the box is not seen."""


def _diagonal(values: Floats) -> Floats:
    out = np.zeros((*values.shape, values.shape[1]))
    index = np.arange(values.shape[1])
    out[:, index, index] = values
    return out


class BoxFilter:
    """The filters of all tracks of one camera, one row a track."""

    def __init__(self) -> None:
        self.mean: Floats = np.zeros((0, 8))
        self.covariance: Floats = np.zeros((0, 8, 8))

    def predict(self, step_s: float) -> None:
        """Move all boxes on by step_s seconds."""
        if not len(self.mean) or step_s <= 0:
            return
        motion = np.eye(8) + np.eye(8, k=4) * step_s
        fade = np.exp(-step_s / SIZE_DAMPING_S)
        motion[6, 6] = motion[7, 7] = fade
        height = self.mean[:, 3:4]
        ones = np.ones((len(height), 4))
        position = (POSITION_NOISE * height * ones) ** 2 * min(step_s * 30, 4.0)
        speed = (ACCELERATION_NOISE * height * ones) ** 2 * step_s
        self.mean = self.mean @ motion.T
        self.mean[:, 2:4] = np.maximum(self.mean[:, 2:4], 1e-4)
        self.covariance = motion @ self.covariance @ motion.T + _diagonal(np.hstack([position, speed]))

    def correct(self, rows: NDArray[np.intp], measured: Floats) -> None:
        """Take measured boxes (n, 4: centre x, centre y, width, height) for the given rows."""
        if not len(rows):
            return
        covariance = self.covariance[rows]
        noise = (POSITION_NOISE * np.repeat(measured[:, 3:4], 4, axis=1)) ** 2
        innovation = covariance[:, :4, :4] + _diagonal(noise)
        gain = np.linalg.solve(innovation, covariance[:, :4, :]).transpose(0, 2, 1)
        residual = measured - self.mean[rows, :4]
        self.mean[rows] += np.einsum("nij,nj->ni", gain, residual)
        self.covariance[rows] = covariance - gain @ covariance[:, :4, :]

    def add(self, measured: Floats) -> None:
        """Append new boxes (n, 4) with unknown velocity."""
        height = np.repeat(measured[:, 3:4], 4, axis=1)
        spread = np.hstack([2 * POSITION_NOISE * height, FIRST_SPEED * height]) ** 2
        self.mean = np.vstack([self.mean, np.hstack([measured, np.zeros_like(measured)])])
        self.covariance = np.concatenate([self.covariance, _diagonal(spread)])

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop the rows that are False in mask."""
        self.mean, self.covariance = self.mean[mask], self.covariance[mask]
