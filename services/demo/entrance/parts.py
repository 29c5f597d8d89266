"""Simple surfaces that heads and bodies are put together from; pure."""

import functools

import numpy as np

from services.demo.entrance.cloud import Cloud, Colour
from services.demo.geometry import Floats

Point = tuple[float, float, float]


@functools.lru_cache(maxsize=64)
def _unit_ball(count: int) -> Floats:
    """Points of a ball of radius 1, `count` from pole to pole."""
    around, up = np.linspace(-np.pi, np.pi, 2 * count), np.linspace(np.pi / 2, -np.pi / 2, count)[:, None]
    level = np.sin(up) + 0 * around
    points = np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), level], axis=-1)
    return points.reshape(-1, 3)


def ellipsoid(centre: Point, radii: Point, colour: Colour, step_m: float) -> Cloud:
    """A closed ball with three radii."""
    unit = _unit_ball(max(8, int(np.pi * max(radii) / step_m)))
    return _plain(np.array(centre) + unit * np.array(radii), unit / np.array(radii), colour)


def limb(start: Point, end: Point, radii_m: tuple[float, float], colour: Colour, step_m: float) -> Cloud:
    """A limb that narrows to its second radius, rounded at its start; another part covers its end."""
    a, b = np.array(start), np.array(end)
    axis = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    aside = np.cross(axis, (0.0, 1.0, 0.0) if abs(axis[1]) < 0.9 else (1.0, 0.0, 0.0))
    aside /= np.linalg.norm(aside)
    other = np.cross(axis, aside)
    along = np.linspace(0, 1, max(4, int(np.linalg.norm(b - a) / step_m)))[:, None, None]
    angles = np.linspace(-np.pi, np.pi, max(10, int(2 * np.pi * max(radii_m) / step_m)))[None, :, None]
    outward = np.cos(angles) * aside + np.sin(angles) * other + 0 * along
    surface = a + (b - a) * along + outward * (radii_m[0] + (radii_m[1] - radii_m[0]) * along)
    tube = _plain(surface.reshape(-1, 3), outward.reshape(-1, 3), colour)
    return Cloud.joined([tube, ellipsoid(start, (radii_m[0],) * 3, colour, step_m)])


def wire(places: Floats, radius_m: float, colour: Colour, step_m: float) -> Cloud:
    """A thin tube along points (n, 3): a strap or the frame of glasses."""
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(places, axis=0), axis=1))])
    marks = np.linspace(0, lengths[-1], max(3, int(lengths[-1] / step_m)))
    line = np.stack([np.interp(marks, lengths, places[:, i]) for i in range(3)], axis=1)
    ring = np.linspace(0, 2 * np.pi, max(6, int(2 * np.pi * radius_m / step_m)), endpoint=False)
    ahead = np.gradient(line, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    up = np.where(np.abs(ahead[:, 2:]) < 0.9, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]))
    aside = np.cross(ahead, up)
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    other = np.cross(ahead, aside)
    outward = (
        np.cos(ring)[None, :, None] * aside[:, None] + np.sin(ring)[None, :, None] * other[:, None]
    ).reshape(-1, 3)
    points = np.repeat(line, len(ring), axis=0) + outward * radius_m
    return _plain(points, outward, colour)


def _plain(points: Floats, outward: Floats, colour: Colour) -> Cloud:
    """A cloud of one colour that is no face; `outward` need not be of length 1."""
    normals = outward / np.sqrt(np.einsum("ij,ij->i", outward, outward))[:, None]
    colours = np.broadcast_to(np.array(colour, dtype=float), points.shape)
    return Cloud(points, normals, colours, np.zeros(len(points), np.bool_))
