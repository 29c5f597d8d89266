"""People, bicycles and motorbikes with their riders, as limbs that move with the way travelled; pure."""

import math
import random
from dataclasses import dataclass

from services.demo.shapes import Colour, Shape

SKINS: tuple[Colour, ...] = ((150, 180, 225), (125, 160, 210), (90, 125, 175), (60, 85, 125), (45, 60, 90))
HAIRS: tuple[Colour, ...] = ((25, 28, 32), (40, 55, 80), (60, 110, 160), (120, 125, 130), (20, 20, 22))
CLOTHES: tuple[Colour, ...] = (
    (60, 50, 45),
    (40, 40, 170),
    (150, 90, 40),
    (215, 215, 215),
    (70, 120, 70),
    (60, 170, 215),
    (110, 60, 110),
    (35, 35, 38),
    (170, 150, 120),
    (90, 90, 95),
    (60, 90, 150),
)
TROUSERS: tuple[Colour, ...] = (
    (90, 60, 40),
    (45, 42, 40),
    (30, 30, 32),
    (120, 130, 140),
    (80, 75, 70),
    (130, 90, 60),
)
DARK: Colour = (28, 28, 28)
METAL: Colour = (165, 168, 170)


@dataclass(frozen=True)
class Look:
    """One person's size and clothes."""

    height_m: float
    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    long_hair: bool
    bag: Colour | None
    skirt: bool

    @classmethod
    def draw(cls, rng: random.Random) -> "Look":
        """A random person."""
        return cls(
            rng.uniform(1.6, 1.9),
            rng.choice(SKINS),
            rng.choice(HAIRS),
            rng.choice(CLOTHES),
            rng.choice(TROUSERS),
            rng.random() < 0.4,
            rng.choice(CLOTHES) if rng.random() < 0.35 else None,
            rng.random() < 0.15,
        )


def _shade(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _head(shape: Shape, look: Look, x_m: float, z_m: float, size: float) -> None:
    """Neck, face and hair; the face looks ahead (+x)."""
    shape.limb((x_m, 0, z_m - 0.2 * size), (x_m, 0, z_m), 0.055 * size, _shade(look.skin, 0.85))
    if look.long_hair:
        shape.limb((x_m - 0.05, 0, z_m - 0.16), (x_m - 0.04, 0, z_m), 0.095 * size, look.hair)
    shape.limb((x_m + 0.01, 0, z_m - 0.03), (x_m + 0.01, 0, z_m + 0.03), 0.095 * size, look.skin)
    shape.limb((x_m - 0.035, 0, z_m + 0.01), (x_m - 0.02, 0, z_m + 0.05), 0.1 * size, look.hair)


def _bend(
    start: tuple[float, float, float], end: tuple[float, float, float], forward_m: float
) -> tuple[float, float, float]:
    """A knee or an elbow between two joints."""
    return (start[0] + end[0]) / 2 + forward_m, (start[1] + end[1]) / 2, (start[2] + end[2]) / 2


def pedestrian(look: Look, travelled_m: float, moving: bool) -> Shape:
    """A person who walks: one step cycle each 1.4 m."""
    shape, size = Shape(), look.height_m / 1.75
    swing = math.sin(2 * math.pi * travelled_m / 1.4) * (0.3 if moving else 0.05) * size
    hip, shoulder = 0.92 * size, 1.42 * size
    for side in (1.0, -1.0):
        reach = swing * side
        lift = 0.05 * max(0.0, math.cos(2 * math.pi * travelled_m / 1.4) * side) * moving
        y_m = 0.09 * side * size
        foot = (reach, y_m, 0.07 + lift)
        knee = _bend((0, y_m, hip), foot, 0.05 + lift)
        colour = _shade(look.trousers, 1.0 if side < 0 else 0.85)
        shape.limb((0, y_m, hip), knee, 0.085 * size, colour)
        shape.limb(knee, foot, 0.06 * size, colour)
        shape.limb((foot[0] - 0.03, y_m, 0.05 + lift), (foot[0] + 0.14, y_m, 0.045 + lift), 0.045, DARK)
    if look.skirt:
        shape.limb((0, 0, 0.6 * size), (0, 0, hip), 0.17 * size, _shade(look.top, 0.8))
    _arm(shape, look, size, -swing, 1.0)
    if look.bag is not None:
        shape.limb((-0.19, 0, 1.08 * size), (-0.19, 0, 1.3 * size), 0.13 * size, look.bag)
    for y_m, shade in ((0.09, 0.85), (0.0, 0.95), (-0.08, 1.0)):
        shape.limb(
            (0, y_m * size, hip),
            (0.01, y_m * size * 1.25, shoulder - 0.08),
            0.115 * size,
            _shade(look.top, shade),
        )
    _arm(shape, look, size, swing, -1.0)
    _head(shape, look, 0.03, 1.63 * size, size)
    return shape


def _arm(shape: Shape, look: Look, size: float, swing: float, side: float) -> None:
    """An arm that swings against the leg of its side."""
    shoulder = (0.0, 0.2 * side * size, 1.38 * size)
    hand = (swing * 0.8 + 0.05, 0.25 * side * size, 0.86 * size)
    elbow = _bend(shoulder, hand, -0.03)
    shape.limb(shoulder, elbow, 0.055 * size, _shade(look.top, 0.9))
    shape.limb(elbow, hand, 0.045 * size, _shade(look.top, 0.9))
    shape.limb(hand, hand, 0.05 * size, look.skin)


def _ring(shape: Shape, x_m: float, radius_m: float, tube_m: float, colour: Colour) -> None:
    """A wheel as a ring of short limbs, with a hub and two spokes."""
    count = 14
    ring = [
        (x_m + radius_m * math.cos(a), 0.0, radius_m + tube_m + radius_m * math.sin(a))
        for a in (2 * math.pi * i / count for i in range(count))
    ]
    for start, end in zip(ring, [*ring[1:], ring[0]], strict=True):
        shape.limb(start, end, tube_m, colour)
    for i in (0, 3, 5):
        shape.limb(ring[i], ring[i + 7], 0.008, METAL)


def bicycle(paint: Colour, travelled_m: float) -> Shape:
    """Wheels, diamond frame, handlebar and saddle."""
    shape = Shape()
    for x_m in (-0.52, 0.52):
        _ring(shape, x_m, 0.315, 0.028, DARK)
    crank, seat, head, rear, front = (
        (-0.06, 0, 0.3),
        (-0.2, 0, 0.86),
        (0.33, 0, 0.82),
        (-0.52, 0, 0.34),
        (0.52, 0, 0.34),
    )
    for start, end in (
        (crank, seat),
        (crank, head),
        (seat, head),
        (crank, rear),
        (seat, rear),
        (head, front),
    ):
        shape.limb(start, end, 0.026, paint)
    shape.limb((-0.32, 0, 0.93), (-0.1, 0, 0.93), 0.05, DARK)
    shape.limb((0.3, -0.26, 1.0), (0.3, 0.26, 1.0), 0.025, DARK)
    shape.limb(head, (0.3, 0, 1.0), 0.022, METAL)
    turn = travelled_m / 0.8
    shape.limb(crank, (-0.06 + 0.15 * math.cos(turn), -0.1, 0.3 - 0.15 * math.sin(turn)), 0.02, METAL)
    return shape


def motorbike(paint: Colour, travelled_m: float) -> Shape:
    """Wheels, engine, tank, seat and fork."""
    shape = Shape()
    for x_m in (-0.68, 0.68):
        _ring(shape, x_m, 0.26, 0.06, DARK)
    shape.limb((-0.3, 0, 0.4), (0.15, 0, 0.4), 0.17, (70, 70, 72))
    shape.limb((-0.65, 0, 0.3), (-0.1, 0, 0.28), 0.06, METAL)
    shape.limb((-0.75, 0, 0.78), (-0.1, 0, 0.72), 0.1, DARK)
    shape.limb((0.0, 0, 0.8), (0.32, 0, 0.82), 0.15, paint)
    shape.limb((0.4, 0, 0.62), (0.55, 0, 0.85), 0.13, paint)
    shape.limb((0.68, 0, 0.34), (0.42, 0, 1.0), 0.04, METAL)
    shape.limb((0.38, -0.33, 1.02), (0.38, 0.33, 1.02), 0.03, DARK)
    shape.limb((-0.78, 0, 0.72), (-0.74, 0, 0.72), 0.05, (30, 30, 200))
    return shape


def rider(look: Look, travelled_m: float, motor: bool) -> Shape:
    """The person on a bicycle (legs turn) or a motorbike (legs rest, a helmet on the head)."""
    shape, turn = Shape(), travelled_m / 0.8
    hip = (-0.2, 0.0, 0.98) if not motor else (-0.3, 0.0, 0.92)
    shoulder = (0.1, 0.0, 1.46) if not motor else (-0.05, 0.0, 1.4)
    bar = (0.3, 1.02) if not motor else (0.36, 1.05)
    for side in (1.0, -1.0):
        angle = turn + (math.pi if side > 0 else 0.0)
        foot = (-0.06 + 0.15 * math.cos(angle), 0.12 * side, 0.32 - 0.15 * math.sin(angle))
        if motor:
            foot = (-0.1, 0.2 * side, 0.3)
        knee = _bend((hip[0], 0.1 * side, hip[2]), foot, 0.2)
        colour = _shade(look.trousers, 1.0 if side < 0 else 0.85)
        shape.limb((hip[0], 0.1 * side, hip[2]), knee, 0.085, colour)
        shape.limb(knee, foot, 0.06, colour)
        shape.limb(foot, (foot[0] + 0.12, foot[1], foot[2]), 0.045, DARK)
    for y_m, shade in ((0.09, 0.85), (0.0, 0.95), (-0.08, 1.0)):
        shape.limb(
            (hip[0], y_m, hip[2]), (shoulder[0], y_m * 1.3, shoulder[2] - 0.06), 0.12, _shade(look.top, shade)
        )
    for side in (1.0, -1.0):
        joint, hand = (shoulder[0], 0.19 * side, shoulder[2] - 0.03), (bar[0], 0.25 * side, bar[1])
        elbow = _bend(joint, hand, -0.04)
        shape.limb(joint, elbow, 0.058, _shade(look.top, 0.92))
        shape.limb(elbow, hand, 0.045, _shade(look.top, 0.92))
        shape.limb(hand, hand, 0.05, look.skin)
    head_x, head_z = shoulder[0] + 0.1, shoulder[2] + 0.2
    _head(shape, look, head_x, head_z, 1.0)
    if motor:
        shape.limb((head_x, 0, head_z), (head_x, 0, head_z + 0.02), 0.14, look.top)
        shape.limb((head_x + 0.07, 0, head_z), (head_x + 0.09, 0, head_z), 0.07, DARK)
    return shape
