"""The shape of a head and the features of its face; pure.

Metres: x ahead, y to the left, z up, the origin between the ears at the height of the eyes.
"""

from dataclasses import dataclass

import numpy as np

from services.demo.geometry import Floats

TOP_M, CHIN_M = 0.118, -0.118
HAIRLINE_M = 0.068
FACE_ANGLE = np.radians(90)
"""The face reaches this far around to both sides."""

_LEVELS = np.array([-0.118, -0.112, -0.1, -0.08, -0.05, -0.02, 0.0, 0.03, 0.06, 0.085, 0.105, 0.118])
_WIDTHS = np.array([0.004, 0.026, 0.042, 0.055, 0.065, 0.071, 0.073, 0.0755, 0.073, 0.062, 0.043, 0.004])
_FRONTS = np.array([0.03, 0.066, 0.08, 0.086, 0.089, 0.09, 0.09, 0.094, 0.086, 0.069, 0.046, 0.004])
_BACKS = np.array([0.01, 0.03, 0.05, 0.066, 0.078, 0.09, 0.097, 0.102, 0.099, 0.083, 0.055, 0.004])

_BUMPS = (
    ((0.033, 0.001), (0.014, 0.0095), -0.012),
    ((0.033, -0.001), (0.01, 0.007), 0.006),
    ((0.028, 0.018), (0.024, 0.006), 0.004),
    ((0.04, -0.032), (0.018, 0.016), 0.005),
    ((0.0, -0.0685), (0.02, 0.0016), -0.0035),
    ((0.0, -0.085), (0.016, 0.005), -0.003),
    ((0.0, -0.102), (0.017, 0.01), 0.006),
)
"""Sockets, eyeballs, brows, cheeks, mouth, the hollow, chin: place and spread (y, z), height; metres."""


def _smooth(levels: Floats, values: Floats, z_m: Floats) -> Floats:
    """Between given levels, without corners."""
    spread = np.linspace(-0.008, 0.008, 7)
    smooth: Floats = np.mean([np.interp(z_m + shift, levels, values) for shift in spread], axis=0)
    return smooth


@dataclass(frozen=True)
class HeadShape:
    """How one head differs from the mean: factors near 1."""

    width: float = 1.0
    jaw: float = 1.0
    nose: float = 1.0
    nose_width: float = 1.0
    lips: float = 1.0
    eyes: float = 1.0
    brows: float = 1.0

    def surface(self, angles: Floats, z_m: Floats, features: float = 1.0) -> Floats:
        """Points at angles about the vertical axis (0 ahead, to the left) and heights; with features or none.

        `features` under 1 spans what stands out, as cloth does.
        """
        jaw = 1.0 + (self.jaw - 1.0) * np.clip((-0.01 - z_m) / 0.06, 0.0, 1.0)
        width = _smooth(_LEVELS, _WIDTHS, z_m) * self.width * jaw
        ahead, aside = np.cos(angles), np.sin(angles)
        front, back = _smooth(_LEVELS, _FRONTS, z_m), _smooth(_LEVELS, _BACKS, z_m)
        x_m = np.where(ahead > 0, front, back) * np.sign(ahead) * np.abs(ahead) ** 0.88
        y_m = width * np.sign(aside) * np.abs(aside) ** 0.94
        fade = np.clip(ahead * 2.2, 0.0, 1.0)
        return np.stack([x_m + self._relief(y_m, z_m, features) * fade, y_m, z_m + 0.0 * y_m], axis=-1)

    def _relief(self, y_m: Floats, z_m: Floats, features: float) -> Floats:
        """How far nose, brows, cheeks, lips and chin stand out, and the eyes lie back."""
        if features < 1.0:
            return self._spanned(y_m, z_m)
        ridge = np.clip((0.006 - z_m) / 0.046, 0.0, 1.0) * np.exp(
            -((np.minimum(z_m + 0.048, 0) / 0.003) ** 2)
        )
        narrow = (0.0062 + 0.0045 * np.clip(-z_m / 0.045, 0, 1)) * self.nose_width
        relief: Floats = (0.003 + 0.019 * self.nose) * ridge * np.exp(-((y_m / narrow) ** 2) / 1.6)
        relief = relief + _bump(y_m, z_m, (0.0125 * self.nose_width, -0.043), (0.0055, 0.0055)) * 0.008
        for place, spread, height_m in _BUMPS:
            relief = relief + _bump(y_m, z_m, place, spread) * height_m
        for z_lip_m, spread in ((-0.064, (0.018, 0.0042)), (-0.0745, (0.015, 0.0045))):
            relief = relief + _bump(y_m, z_m, (0.0, z_lip_m), spread) * 0.0042 * self.lips
        return relief

    def _spanned(self, y_m: Floats, z_m: Floats) -> Floats:
        """What a cloth over nose and chin looks like from outside: a tent."""
        tent = np.clip(1.0 - np.abs(z_m + 0.042) / np.where(z_m > -0.042, 0.05, 0.085), 0.0, 1.0)
        return (0.008 + 0.017 * self.nose) * tent * np.exp(-((y_m / 0.024) ** 2)) + 0.003


def _bump(y_m: Floats, z_m: Floats, place: tuple[float, float], spread: tuple[float, float]) -> Floats:
    """1 at a place of both halves of the face (or its middle), fading around it."""
    aside, up = (np.abs(y_m) - place[0]) / spread[0], (z_m - place[1]) / spread[1]
    bump: Floats = np.exp(-(aside**2) - up**2)
    return bump


def face_patch(shape: HeadShape) -> tuple[Floats, Floats]:
    """Points of the face from hairline to chin and their normals: what its box in the picture spans."""
    angles = np.linspace(-FACE_ANGLE, FACE_ANGLE, 19)
    levels = np.linspace(HAIRLINE_M, CHIN_M + 0.004, 15)
    surface = shape.surface(angles[None, :] + 0 * levels[:, None], levels[:, None] + 0 * angles[None, :])
    normals = np.cross(np.gradient(surface, axis=0), np.gradient(surface, axis=1))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return surface.reshape(-1, 3), normals.reshape(-1, 3)
