"""A scripted object's body: its mesh at a moment and the extents of that mesh in the picture; pure."""

import itertools
import random
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from services.demo import people, vehicles
from services.demo.geometry import HEIGHT_PX, NEAREST_M, WIDTH_PX, Floats, Pose, Viewpoint
from services.demo.shapes import Mesh, Shape

BodyKind = Literal["car", "bus", "truck", "person", "bicycle", "motorbike", "cyclist", "motorcyclist"]
STEPS = 20
"""Phases of a cycle of legs or pedals that are kept."""
CYCLE_M: dict[str, float] = {
    "person": 1.4,
    "bicycle": 5.03,
    "cyclist": 5.03,
    "motorbike": 1.0,
    "motorcyclist": 1.0,
}
CLASS_OF: dict[BodyKind, str] = {
    "car": "car",
    "bus": "bus",
    "truck": "truck",
    "person": "person",
    "bicycle": "bicycle",
    "motorbike": "motorbike",
    "cyclist": "person",
    "motorcyclist": "person",
}


@dataclass(eq=False)
class Body:
    """What an object looks like, the same for the same seed."""

    kind: BodyKind
    seed: int
    _meshes: dict[tuple[int, bool], Mesh] = field(default_factory=dict, repr=False)

    def mesh(self, pose: Pose) -> Mesh:
        """The mesh with legs or pedals as far as the pose has travelled."""
        cycle_m = CYCLE_M.get(self.kind)
        step = int(pose.travelled_m / cycle_m * STEPS) % STEPS if cycle_m else 0
        key = (step, pose.moving or self.kind != "person")
        if key not in self._meshes:
            travelled_m = (step + 0.5) / STEPS * (cycle_m or 0.0)
            self._meshes[key] = Mesh.of(self._shape(travelled_m, key[1]))
        return self._meshes[key]

    def _shape(self, travelled_m: float, moving: bool) -> Shape:
        rng = random.Random(self.seed)
        if self.kind in ("car", "bus", "truck"):
            build = {"car": vehicles.car, "bus": vehicles.bus, "truck": vehicles.truck}[self.kind]
            return build(rng)
        if self.kind == "bicycle":
            return people.bicycle(rng.choice(vehicles.PAINTS), travelled_m)
        if self.kind == "motorbike":
            return people.motorbike(rng.choice(vehicles.PAINTS), travelled_m)
        look = people.Look.draw(rng)
        if self.kind == "person":
            return people.pedestrian(look, travelled_m, moving)
        return people.rider(look, travelled_m, self.kind == "motorcyclist")


def visible_box(mesh: Mesh, pose: Pose, view: Viewpoint) -> Floats | None:
    """The drawn extents inside the picture, normalised; None when (almost) nothing is inside."""
    corners, depths = view.project(pose.place(mesh.corners))
    ends, end_depths = view.project(pose.place(mesh.limb_ends.reshape(-1, 3)))
    if min(depths.min(initial=np.inf), end_depths.min(initial=np.inf)) < NEAREST_M:
        return None
    radii = (np.repeat(mesh.limb_radii, 2) * view.focal_px / end_depths)[:, None]
    points = np.concatenate([corners, ends - radii, ends + radii])
    low, high = points.min(0), points.max(0)
    size = np.array([WIDTH_PX, HEIGHT_PX], dtype=np.float64)
    if (high < 1.0).any() or (low > size - 1.0).any():
        return None
    if (low < 0.0).any() or (high > size).any():
        outline = np.concatenate([_edges(mesh, corners), _limb_outlines(ends, radii)])
        inside = _clipped(outline, size)
        if not len(inside):
            return None
        low, high = inside.min(0), inside.max(0)
    box = np.concatenate([low / size, high / size])
    return box if (high - low).min() >= 1.0 else None


def _edges(mesh: Mesh, corners_px: Floats) -> Floats:
    """The faces' edges, (edges, 2, 2)."""
    following = np.arange(1, len(corners_px) + 1)
    for start, end in itertools.pairwise(mesh.starts):
        following[end - 1] = start
    return np.stack([corners_px, corners_px[following]], axis=1) if len(corners_px) else np.zeros((0, 2, 2))


def _limb_outlines(ends_px: Floats, radii_px: Floats) -> Floats:
    """Limbs as segments: an octagon about each end and lines from end to end beside the axis."""
    angles = np.arange(8) * np.pi / 4
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    around = ends_px[:, None] + ring * radii_px[:, None]
    octagons = np.stack([around, np.roll(around, -1, axis=1)], axis=2).reshape(-1, 2, 2)
    beside = around.reshape(-1, 2, 8, 2).swapaxes(1, 2).reshape(-1, 2, 2)
    return np.concatenate([octagons, beside])


def _clipped(segments: Floats, size: Floats) -> Floats:
    """The ends of what is left of segments inside the picture.

    Cutting the extents instead would be wrong: a near corner outside the picture reaches further down
    than anything that is to be seen.
    """
    start, step = segments[:, 0], segments[:, 1] - segments[:, 0]
    enter, leave = np.zeros(len(start)), np.ones(len(start))
    safe = np.where(np.abs(step) < 1e-9, 1e-9, step)
    for axis in (0, 1):
        first, second = -start[:, axis] / safe[:, axis], (size[axis] - start[:, axis]) / safe[:, axis]
        enter = np.maximum(enter, np.minimum(first, second))
        leave = np.minimum(leave, np.maximum(first, second))
    kept = enter <= leave
    at_enter, at_leave = (start + step * share[:, None] for share in (enter, leave))
    inside: Floats = np.concatenate([at_enter[kept], at_leave[kept]])
    return np.clip(inside, 0.0, size)
