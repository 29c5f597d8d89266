"""What objects are built from: flat faces (vehicles) and rounded limbs (people, bicycles); pure."""

from dataclasses import dataclass, field

import numpy as np

from services.demo.geometry import Floats

Colour = tuple[float, float, float]
"""Blue, green, red, 0..255."""


@dataclass
class Shape:
    """Faces and limbs in object coordinates (metres); later faces are drawn over earlier ones."""

    points: list[Floats] = field(default_factory=list)
    colours: list[Colour] = field(default_factory=list)
    normals: list[Floats] = field(default_factory=list)
    flat: list[bool] = field(default_factory=list)
    """Faces that light does not shade (lamps, tyres)."""
    limbs: list[tuple[Floats, Floats, float, Colour]] = field(default_factory=list)
    """Ends, radius and colour of each limb."""

    def face(self, corners: list[tuple[float, float, float]], colour: Colour, flat: bool = False) -> None:
        """Adds a face whose corners run counter-clockwise seen from outside."""
        points = np.array(corners, dtype=np.float64)
        normal = np.cross(points[1] - points[0], points[2] - points[1])
        if not normal.any():
            normal = np.cross(points[2] - points[0], points[-1] - points[0])
        self.points.append(points)
        self.colours.append(colour)
        self.normals.append(normal / max(float(np.linalg.norm(normal)), 1e-9))
        self.flat.append(flat)

    def limb(
        self,
        start: tuple[float, float, float],
        end: tuple[float, float, float],
        radius_m: float,
        colour: Colour,
    ) -> None:
        """Adds a rounded limb from `start` to `end`."""
        self.limbs.append((np.array(start), np.array(end), radius_m, colour))

    def extruded(self, profile: list[tuple[float, float]], half_m: tuple[float, ...], colour: Colour) -> None:
        """A body from its side view `profile` (x, z), clockwise seen from the right side, and half widths."""
        count = len(profile)
        halves = [half_m[i % len(half_m)] for i in range(count)]
        for i in range(count):
            j = (i + 1) % count
            (x0, z0), (x1, z1) = profile[i], profile[j]
            self.face(
                [(x0, -halves[i], z0), (x1, -halves[j], z1), (x1, halves[j], z1), (x0, halves[i], z0)], colour
            )
        self.face([(x, -halves[i], z) for i, (x, z) in reversed(list(enumerate(profile)))], colour)
        self.face([(x, halves[i], z) for i, (x, z) in enumerate(profile)], colour)

    def wheel(self, x_m: float, half_m: float, radius_m: float, rim: Colour) -> None:
        """A tyre with its rim on both sides of a vehicle."""
        angles = np.linspace(0, 2 * np.pi, 14, endpoint=False)
        for side in (-1.0, 1.0):
            for scale, colour in ((1.0, (22.0, 22.0, 22.0)), (0.62, rim), (0.2, (50.0, 50.0, 50.0))):
                ring = [
                    (
                        x_m - side * scale * radius_m * float(np.cos(a)),
                        side * half_m,
                        radius_m + scale * radius_m * float(np.sin(a)),
                    )
                    for a in angles
                ]
                self.face(ring, colour, flat=scale < 0.5 or scale == 1.0)


def inset(
    corners: list[tuple[float, float, float]], left: float, right: float, low: float, high: float
) -> list[tuple[float, float, float]]:
    """A part of a four-cornered face (bottom left, bottom right, top right, top left), by shares 0..1."""
    a, b, c, d = (np.array(corner) for corner in corners)

    def at(u: float, v: float) -> tuple[float, float, float]:
        point = (a * (1 - u) + b * u) * (1 - v) + (d * (1 - u) + c * u) * v
        return float(point[0]), float(point[1]), float(point[2])

    return [at(left, low), at(right, low), at(right, high), at(left, high)]


@dataclass(frozen=True)
class Mesh:
    """A shape in arrays, ready to be placed and projected at once."""

    corners: Floats
    starts: tuple[int, ...]
    centres: Floats
    normals: Floats
    colours: Floats
    flat: Floats
    limb_ends: Floats
    """(limbs, 2, 3)."""
    limb_radii: Floats
    limb_colours: Floats

    @classmethod
    def of(cls, shape: Shape) -> "Mesh":
        """Stacks a shape's faces and limbs."""
        lengths = [len(points) for points in shape.points]
        empty = np.zeros((0, 3))
        return cls(
            np.concatenate(shape.points) if lengths else empty,
            tuple(int(start) for start in np.cumsum([0, *lengths])),
            np.array([points.mean(0) for points in shape.points]).reshape(-1, 3),
            np.array(shape.normals).reshape(-1, 3),
            np.array(shape.colours, dtype=np.float64).reshape(-1, 3),
            np.array(shape.flat, dtype=np.float64),
            np.array([[start, end] for start, end, _, _ in shape.limbs]).reshape(-1, 2, 3),
            np.array([radius for _, _, radius, _ in shape.limbs]),
            np.array([colour for _, _, _, colour in shape.limbs], dtype=np.float64).reshape(-1, 3),
        )
