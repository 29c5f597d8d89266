"""Cars, buses and trucks as bodies with windows, lamps and wheels; pure."""

import random

from services.demo.shapes import Colour, Shape, inset

Corner = tuple[float, float, float]
PAINTS: tuple[Colour, ...] = (
    (228, 230, 232),
    (45, 44, 44),
    (160, 162, 165),
    (105, 104, 102),
    (38, 36, 150),
    (130, 72, 34),
    (60, 62, 70),
    (200, 205, 205),
    (70, 95, 60),
    (95, 130, 165),
    (30, 60, 190),
    (160, 120, 70),
)
GLASS: Colour = (52, 44, 36)
GLARE: Colour = (120, 108, 96)
RIM: Colour = (150, 152, 155)
HEADLAMP: Colour = (225, 240, 245)
TAILLAMP: Colour = (30, 25, 190)


def _walls(
    low: tuple[float, float, float, float], high: tuple[float, float, float, float]
) -> list[list[Corner]]:
    """Right, left, front, rear and top of a block; `low`, `high`: rear x, front x, half width, z."""
    (r0, f0, w0, z0), (r1, f1, w1, z1) = low, high
    return [
        [(r0, -w0, z0), (f0, -w0, z0), (f1, -w1, z1), (r1, -w1, z1)],
        [(f0, w0, z0), (r0, w0, z0), (r1, w1, z1), (f1, w1, z1)],
        [(f0, -w0, z0), (f0, w0, z0), (f1, w1, z1), (f1, -w1, z1)],
        [(r0, w0, z0), (r0, -w0, z0), (r1, -w1, z1), (r1, w1, z1)],
        [(r1, -w1, z1), (f1, -w1, z1), (f1, w1, z1), (r1, w1, z1)],
    ]


def _glass(shape: Shape, wall: list[Corner], area: tuple[float, float, float, float]) -> None:
    """A dark pane with a paler upper part, as the sky is mirrored there."""
    left, right, low, high = area
    shape.face(inset(wall, left, right, low, high), GLASS, flat=True)
    shape.face(inset(wall, left, right, high - (high - low) * 0.3, high), GLARE, flat=True)


def _lamps(shape: Shape, front_x: float, rear_x: float, half_m: float, z_m: float, size_m: float) -> None:
    """Headlamps, tail lamps and number plates."""
    for side in (-1.0, 1.0):
        outer, inner = side * half_m * 0.95, side * (half_m * 0.95 - size_m * 1.7)
        low, high = min(outer, inner), max(outer, inner)
        top = z_m + size_m
        shape.face(
            [(front_x, low, z_m), (front_x, high, z_m), (front_x, high, top), (front_x, low, top)],
            HEADLAMP,
            flat=True,
        )
        shape.face(
            [(rear_x, high, z_m), (rear_x, low, z_m), (rear_x, low, top), (rear_x, high, top)],
            TAILLAMP,
            flat=True,
        )
    for x_m, sign in ((front_x, 1.0), (rear_x, -1.0)):
        y_m, z0 = 0.26 * sign, z_m - 0.22
        shape.face(
            [(x_m, -y_m, z0), (x_m, y_m, z0), (x_m, y_m, z0 + 0.12), (x_m, -y_m, z0 + 0.12)], (215, 222, 225)
        )


def car(rng: random.Random) -> Shape:
    """A saloon, hatchback or estate car."""
    shape = Shape()
    paint = rng.choice(PAINTS)
    kind = rng.choice(("saloon", "hatch", "suv"))
    length = {"saloon": 4.6, "hatch": 4.0, "suv": 4.5}[kind] * rng.uniform(0.97, 1.04)
    roof = {"saloon": 1.45, "hatch": 1.5, "suv": 1.7}[kind]
    belt, half, front, rear = roof * 0.62, 0.9, length / 2, -length / 2
    radius = 0.33 if kind != "suv" else 0.37
    skirt = tuple(channel * 0.45 for channel in paint)
    profile = [
        (rear + 0.04, 0.22),
        (rear, 0.55),
        (rear + 0.1, belt * 0.98),
        (front - 1.15, belt),
        (front - 0.25, belt * 0.8),
        (front, 0.62),
        (front - 0.03, 0.22),
    ]
    shape.extruded(profile, (half,), paint)
    boot = {"saloon": 0.85, "hatch": 0.12, "suv": 0.15}[kind]
    cabin = _walls(
        (rear + boot, front - 1.0, half * 0.96, belt * 0.97),
        (rear + boot + 0.5 * (kind == "saloon") + 0.28, front - 1.75, half * 0.72, roof),
    )
    for wall in cabin:
        shape.face(wall, paint)
    for wall in cabin[:2]:
        _glass(shape, wall, (0.06, 0.5, 0.12, 0.88))
        _glass(shape, wall, (0.54, 0.94, 0.12, 0.88))
    for wall in cabin[2:4]:
        _glass(shape, wall, (0.06, 0.94, 0.08, 0.92))
    sides = _walls(
        (rear + 0.06, front - 0.06, half + 0.005, 0.22), (rear + 0.04, front - 0.04, half + 0.005, 0.38)
    )
    for wall in sides[:2]:
        shape.face(wall, (skirt[0], skirt[1], skirt[2]))
    door = _walls((-0.6, 0.75, half + 0.006, 0.4), (-0.6, 0.75, half + 0.006, belt * 0.95))
    for wall in door[:2]:
        shape.face(inset(wall, 0.49, 0.51, 0, 1), (skirt[0], skirt[1], skirt[2]))
        shape.face(inset(wall, 0.60, 0.70, 0.8, 0.88), (skirt[0], skirt[1], skirt[2]))
    nose = _walls((rear, front + 0.005, 0.5, 0.34), (rear, front + 0.005, 0.5, 0.6))[2]
    shape.face(nose, (40, 40, 40))
    _lamps(shape, front + 0.01, rear - 0.01, half, 0.58, 0.16)
    for x_m in (front - 0.82, rear + 0.8):
        shape.wheel(x_m, half + 0.01, radius, RIM)
    return shape


def bus(rng: random.Random) -> Shape:
    """A city bus with a band of windows."""
    shape = Shape()
    paint = rng.choice(((40, 40, 190), (235, 235, 235), (60, 150, 225), (165, 105, 30), (90, 150, 60)))
    lower = rng.choice((paint, (225, 225, 225), (90, 60, 40)))
    length, half, roof = rng.uniform(8.0, 9.5), 1.2, rng.uniform(2.85, 3.05)
    front, rear = length / 2, -length / 2
    for wall in _walls((rear, front, half, 0.3), (rear, front, half, 1.1))[:4]:
        shape.face(wall, lower)
    upper = _walls((rear, front, half, 1.1), (rear + 0.12, front - 0.15, half * 0.95, roof))
    for wall in upper:
        shape.face(wall, paint)
    panes = 6
    for number, wall in enumerate(upper[:2]):
        for pane in range(panes):
            start = 0.02 + 0.96 * pane / panes
            _glass(shape, wall, (start + 0.006, start + 0.96 / panes - 0.006, 0.1, 0.74))
        if number == 0:
            for start in (0.1, 0.52, 0.86):
                door = _walls((rear, front, half + 0.005, 0.4), (rear, front, half + 0.005, 2.3))[0]
                _glass(shape, inset(door, start, start + 0.11, 0, 1), (0.05, 0.48, 0.05, 0.97))
                _glass(shape, inset(door, start, start + 0.11, 0, 1), (0.52, 0.95, 0.05, 0.97))
    _glass(shape, upper[2], (0.04, 0.96, 0.0, 0.78))
    shape.face(inset(upper[2], 0.15, 0.85, 0.83, 0.97), (20, 25, 30), flat=True)
    shape.face(inset(upper[2], 0.3, 0.7, 0.86, 0.94), (60, 190, 240), flat=True)
    _glass(shape, upper[3], (0.12, 0.88, 0.25, 0.75))
    _lamps(shape, front + 0.01, rear - 0.01, half, 0.62, 0.2)
    for x_m in (front - 2.0, rear + 2.1):
        shape.wheel(x_m, half + 0.01, 0.47, RIM)
    return shape


def truck(rng: random.Random) -> Shape:
    """A lorry: a cab in front, a box or an open bed behind."""
    shape = Shape()
    paint = rng.choice(PAINTS)
    load = rng.choice(((235, 235, 235), (200, 190, 175), (150, 110, 60), (60, 60, 170), (110, 120, 125)))
    length, half, roof = rng.uniform(6.2, 7.4), 1.12, rng.uniform(2.2, 2.4)
    front, rear, split = length / 2, -length / 2, length / 2 - 1.85
    top = rng.uniform(2.75, 3.1)
    for wall in _walls(
        (rear + 0.1, front - 0.2, half * 0.8, 0.45), (rear + 0.1, front - 0.2, half * 0.8, 0.85)
    ):
        shape.face(wall, (48, 48, 48))
    cargo = _walls((rear, split, half, 0.8), (rear, split, half, top))
    cab = [
        _walls((split + 0.1, front, half * 0.95, 0.4), (split + 0.1, front, half * 0.95, 1.25)),
        _walls((split + 0.1, front, half * 0.95, 1.25), (split + 0.15, front - 0.4, half * 0.88, roof)),
    ]
    _cargo(shape, cargo, load)
    for wall in cab[0][:4] + cab[1]:
        shape.face(wall, paint)
    for wall in cab[1][:2]:
        _glass(shape, wall, (0.3, 0.9, 0.05, 0.8) if wall is cab[1][0] else (0.1, 0.7, 0.05, 0.8))
    _glass(shape, cab[1][2], (0.05, 0.95, 0.05, 0.85))
    shape.face(inset(cab[0][2], 0.2, 0.8, 0.3, 0.8), (45, 45, 45), flat=True)
    _lamps(shape, front + 0.01, rear - 0.01, half * 0.95, 0.62, 0.18)
    for x_m in (front - 1.0, rear + 1.2):
        shape.wheel(x_m, half, 0.45, RIM)
    return shape


def _cargo(shape: Shape, walls: list[list[Corner]], colour: Colour) -> None:
    """The box behind the cab, with its edges and doors."""
    edge = (colour[0] * 0.7, colour[1] * 0.7, colour[2] * 0.7)
    for wall in walls:
        shape.face(wall, colour)
    for wall in walls[:2]:
        shape.face(inset(wall, 0, 1, 0, 0.05), edge)
        shape.face(inset(wall, 0, 1, 0.95, 1), edge)
        shape.face(inset(wall, 0.25, 0.75, 0.35, 0.7), edge)
    shape.face(inset(walls[3], 0.49, 0.51, 0, 1), edge)
