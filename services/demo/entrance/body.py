"""The body of a visitor in one phase of a step; pure.

The origin lies at the neck's base, metres: x ahead, y to the left, z up.
"""

import functools
import math

import numpy as np

from services.demo.entrance.cloud import Cloud, Colour
from services.demo.entrance.looks import VisitorLook
from services.demo.entrance.parts import Point, ellipsoid, limb
from services.demo.geometry import Floats

STEP_M, TORSO_STEP_M = 0.0075, 0.004
"""Distance of neighbouring points, of limbs and of the torso with its pattern."""
NECK_M = 1.49
"""Height of the neck's base of somebody 1.75 m tall, by which all heights here are given."""
CYCLE_M = 1.4
"""Way of two steps."""
SHOE: Colour = (34.0, 32.0, 32.0)

_LEVELS = np.array([0.8, 0.92, 1.0, 1.1, 1.25, 1.36, 1.41, 1.44, 1.465, 1.485, 1.5])
_WIDTHS = np.array([0.15, 0.172, 0.165, 0.16, 0.178, 0.192, 0.186, 0.15, 0.1, 0.068, 0.06])
_DEPTHS = np.array([0.095, 0.108, 0.108, 0.112, 0.122, 0.112, 0.095, 0.08, 0.068, 0.062, 0.06])


def body_cloud(look: VisitorLook, phase: float) -> Cloud:
    """Torso, arms and legs; `phase` 0 to 1 through a cycle of two steps, negative for somebody who stands."""
    size = look.height_m / 1.75
    walks = phase >= 0
    swing = math.sin(2 * math.pi * phase) * 0.3 if walks else 0.0
    parts = [_torso(look)]
    for side in (1.0, -1.0):
        lift = 0.05 * max(0.0, math.cos(2 * math.pi * phase) * side) if walks else 0.0
        parts += _leg(look, side, swing * side, lift)
        parts += _arm(look, side, -swing * side)
    if look.bag is not None:
        parts.append(ellipsoid((-0.19, 0.0, 1.2), (0.1, 0.14, 0.2), look.bag, STEP_M))
    whole = Cloud.joined(parts)
    points = (whole.points - np.array((0.0, 0.0, NECK_M), np.float32)) * np.float32(size)
    return Cloud(points, whole.normals, whole.colours, whole.face)


@functools.lru_cache(maxsize=8)
def _torso(look: VisitorLook) -> Cloud:
    levels = np.linspace(_LEVELS[-1], _LEVELS[0], int(0.72 / TORSO_STEP_M))
    around = np.linspace(-np.pi, np.pi, int(1.2 / TORSO_STEP_M))
    angles, z_m = np.meshgrid(around, levels)
    ahead, aside = np.cos(angles), np.sin(angles)
    width, depth = np.interp(z_m, _LEVELS, _WIDTHS), np.interp(z_m, _LEVELS, _DEPTHS)
    x_m = depth * np.sign(ahead) * np.abs(ahead) ** 0.8 - 0.02
    y_m = width * np.sign(aside) * np.abs(aside) ** 0.85
    wrinkle = 0.004 * np.sin(z_m * 55 + look.seed) * np.sin(angles * 4 + z_m * 21)
    return Cloud.of_surface(np.stack([x_m + wrinkle, y_m, z_m], axis=-1), _cloth(look, ahead, y_m, z_m))


def _cloth(look: VisitorLook, ahead: Floats, y_m: Floats, z_m: Floats) -> Floats:
    """Jacket over shirt, or a jumper; a collar, a strap, stripes."""
    colours = np.broadcast_to(np.array(look.top, float), (*z_m.shape, 3)).copy()
    front, side = ahead > 0, np.abs(y_m)
    if look.is_jacket:
        opening = side < 0.012 + np.clip(z_m - 1.2, 0, 1) * 0.28
        colours[front & opening] = look.under
        colours[front & (np.abs(side - 0.018 - np.clip(z_m - 1.2, 0, 1) * 0.28) < 0.008)] *= 0.7
        colours[(z_m > 1.455) & ~(front & opening)] *= 0.82
    elif look.seed % 4 == 0:
        colours[np.mod(z_m, 0.09) < 0.04] = look.under
    neckline = 1.492 - np.clip(0.06 - side, 0, 1) * 0.7 * front
    colours[(z_m > neckline) & (z_m > 1.45)] = np.array(look.skin) * 0.78
    if look.bag is not None:
        colours[front & (np.abs(side - 0.1) < 0.02) & (z_m > 1.1)] = np.array(look.bag) * 0.8
    colours[z_m < 0.9] = look.trousers
    return colours


def _arm(look: VisitorLook, side: float, swing: float) -> list[Cloud]:
    shoulder, hand = (0.0 - 0.02, 0.185 * side, 1.385), (swing * 0.7 + 0.04, 0.235 * side, 0.87)
    elbow = _between(shoulder, hand, -0.03)
    sleeve = _times(look.top, 0.93)
    return [
        limb(shoulder, elbow, (0.058, 0.046), sleeve, STEP_M),
        limb(elbow, hand, (0.046, 0.034), sleeve, STEP_M),
        ellipsoid((hand[0], hand[1], hand[2] - 0.06), (0.03, 0.022, 0.07), _times(look.skin, 0.95), STEP_M),
    ]


def _leg(look: VisitorLook, side: float, swing: float, lift_m: float) -> list[Cloud]:
    hip, foot = (-0.02, 0.085 * side, 0.88), (swing, 0.09 * side, 0.09 + lift_m)
    knee = _between(hip, foot, 0.05 + lift_m)
    return [
        limb(hip, knee, (0.09, 0.062), look.trousers, STEP_M),
        limb(knee, foot, (0.062, 0.048), look.trousers, STEP_M),
        ellipsoid((foot[0] + 0.06, foot[1], 0.045 + lift_m), (0.13, 0.048, 0.045), SHOE, STEP_M),
    ]


def _between(start: Point, end: Point, ahead_m: float) -> Point:
    return (start[0] + end[0]) / 2 + ahead_m, (start[1] + end[1]) / 2, (start[2] + end[2]) / 2


def _times(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor
