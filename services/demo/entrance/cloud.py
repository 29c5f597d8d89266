"""Bodies as clouds of surface points, dense enough to be drawn as solids; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from services.demo.geometry import Floats, Picture

Colour = tuple[float, float, float]
"""Blue, green, red, 0..255."""
Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.floating[Any]]

FACING = 0.12
"""A point is drawn up to where its normal turns away from the camera by this cosine."""
DEPTH_STEPS = 60_000


@dataclass(frozen=True)
class Cloud:
    """Surface points in metres (x ahead, y to the left, z up) with outward normals and colours."""

    points: Numbers
    normals: Numbers
    colours: Numbers
    face: Flags
    """Which points belong to the face that a detector is to find."""

    @classmethod
    def of_surface(cls, surface: Floats, colours: Floats, face: Flags | None = None) -> "Cloud":
        """The points of a grid (rows, columns, 3); normals by the grid's own slopes.

        Columns run counter-clockwise seen from above and rows downwards, so that normals point outwards.
        """
        down, around = np.gradient(surface, axis=0), np.gradient(surface, axis=1)
        normals = np.cross(down, around)
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        count = surface.shape[0] * surface.shape[1]
        flags = np.zeros(count, np.bool_) if face is None else face.reshape(-1)
        whole = np.broadcast_to(colours, surface.shape).reshape(-1, 3)
        return cls(surface.reshape(-1, 3), normals.reshape(-1, 3), whole, flags)

    @classmethod
    def joined(cls, parts: Sequence["Cloud"]) -> "Cloud":
        """Several clouds as one."""
        return cls(
            np.concatenate([part.points for part in parts], dtype=np.float32),
            np.concatenate([part.normals for part in parts], dtype=np.float32),
            np.concatenate([part.colours for part in parts], dtype=np.float32),
            np.concatenate([part.face for part in parts]),
        )

    def kept(self, keep: Flags) -> "Cloud":
        """The points that are True."""
        keep = keep.reshape(-1)
        return Cloud(self.points[keep], self.normals[keep], self.colours[keep], self.face[keep])


@dataclass(frozen=True)
class Lamp:
    """The light on people, in the camera's directions (right, down, into the picture)."""

    towards: Floats
    """Unit vector towards the light."""
    ambient: float
    direct: float
    tint: Floats

    def shade(self, normals: Floats) -> Floats:
        """Brightness of points by their normals, darker below than above."""
        return self.ambient - 0.13 * normals[:, 1] + self.direct * np.maximum(normals @ self.towards, 0.0)


@dataclass(frozen=True)
class CloudSprite:
    """A drawn cloud: `origin_px` is where the cloud's origin lies in the patch."""

    patch: Picture
    """Blue, green, red (times cover), cover."""
    face: Picture
    """255 where the face is seen."""
    origin_px: Floats


def draw(cloud: Cloud, rotation: Floats, lamp: Lamp, scale_px: float) -> CloudSprite:
    """Draws a cloud at `scale_px` pixels a metre; `rotation`: rows right, down and into the picture."""
    seen = np.flatnonzero(cloud.normals @ rotation[2].astype(np.float32) < FACING)
    points = cloud.points[seen]
    right, down, into = (points @ (axis * scale_px).astype(np.float32) for axis in rotation)
    low = np.array([right.min(), down.min()]) - 2
    width, height = int(right.max() - low[0]) + 3, int(down.max() - low[1]) + 3
    places = (down - low[1]).astype(np.int32) * width + (right - low[0]).astype(np.int32)
    farthest = into.max()
    steps = (farthest - into) * (DEPTH_STEPS / max(float(farthest - into.min()), 1e-6))
    order = np.argsort(steps.astype(np.uint16), kind="stable")
    owner = np.full(height * width, -1, np.int32)
    owner[places[order]] = seen[order]
    covered = owner >= 0
    nearer = owner[covered]
    shade = lamp.shade(cloud.normals[nearer] @ rotation.T)
    canvas = np.zeros((height * width, 4), np.uint8)
    canvas[covered, :3] = np.clip(cloud.colours[nearer] * shade[:, None] * lamp.tint, 0, 255)
    canvas[covered, 3] = 255
    face = np.zeros(height * width, np.uint8)
    face[covered] = np.where(cloud.face[nearer], 255, 0)
    closed = cv2.morphologyEx(face.reshape(height, width), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return CloudSprite(_closed(canvas.reshape(height, width, 4)), closed.astype(np.uint8), -low)


def _closed(canvas: Picture) -> Picture:
    """Fills the pixels that no point has met, though all around them has."""
    cover = cv2.morphologyEx(canvas[..., 3].copy(), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    holes = (cover > 0) & (canvas[..., 3] == 0)
    canvas[holes] = cv2.dilate(canvas, np.ones((3, 3), np.uint8))[holes]
    return canvas
