"""A lamp post's camera and where things stand in its picture; pure.

World: metres, x along the road (to the right), y away from the camera, z up; the camera stands at (0, 0).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]
"""(height, width, 3), BGR."""

WIDTH_PX, HEIGHT_PX = 640, 360
NEAREST_M = 0.5
"""Points nearer than this are projected as if they were this far, so that nothing flips over."""


@dataclass(frozen=True)
class Viewpoint:
    """A pinhole camera: `yaw` turns it to the right, `pitch` down (radians)."""

    height_m: float
    yaw: float
    pitch: float
    focal_px: float

    @cached_property
    def rotation(self) -> Floats:
        """Rows: the picture's right, down and into-the-picture, in world coordinates."""
        sin_y, cos_y = np.sin(self.yaw), np.cos(self.yaw)
        sin_p, cos_p = np.sin(self.pitch), np.cos(self.pitch)
        return np.array(
            [
                [cos_y, -sin_y, 0.0],
                [-sin_p * sin_y, -sin_p * cos_y, -cos_p],
                [cos_p * sin_y, cos_p * cos_y, -sin_p],
            ]
        )

    def project(self, points_m: Floats) -> tuple[Floats, Floats]:
        """Pixels (…, 2) and depths (…) of world points (…, 3)."""
        seen = (points_m - np.array([0.0, 0.0, self.height_m])) @ self.rotation.T
        depth_m = np.maximum(seen[..., 2], NEAREST_M)
        centre = np.array([WIDTH_PX / 2, HEIGHT_PX / 2])
        return seen[..., :2] * (self.focal_px / depth_m)[..., None] + centre, seen[..., 2]

    def normalised(self, point_m: tuple[float, float, float]) -> tuple[float, float]:
        """A world point as a point of the picture, 0..1."""
        pixel, _ = self.project(np.array(point_m))
        return float(pixel[0]) / WIDTH_PX, float(pixel[1]) / HEIGHT_PX

    def x_at(self, u: float, y_m: float) -> float:
        """The world x at which column `u` (0..1) of the picture meets the lateral distance `y_m`."""
        low, high = -200.0, 200.0
        for _ in range(50):
            middle = (low + high) / 2
            pixel, depth = self.project(np.array([middle, y_m, 0.8]))
            right = pixel[0] >= u * WIDTH_PX if depth > NEAREST_M else middle > y_m * np.tan(self.yaw)
            low, high = (low, middle) if right else (middle, high)
        return (low + high) / 2


@dataclass(frozen=True, slots=True)
class Pose:
    """Where an object stands at one moment; `heading` counter-clockwise from +x, `travelled_m` moves legs."""

    x_m: float
    y_m: float
    heading: float
    travelled_m: float = 0.0
    moving: bool = True

    def place(self, points_m: Floats) -> Floats:
        """Object coordinates (x ahead, y to its left, z up) as world coordinates."""
        cos_h, sin_h = np.cos(self.heading), np.sin(self.heading)
        turn = np.array([[cos_h, sin_h, 0.0], [-sin_h, cos_h, 0.0], [0.0, 0.0, 1.0]])
        placed: Floats = points_m @ turn + np.array([self.x_m, self.y_m, 0.0])
        return placed
