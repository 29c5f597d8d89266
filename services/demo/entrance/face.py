"""Skin and features of a face, as a cloud; pure."""

import numpy as np

from services.demo.entrance.cloud import Cloud, Flags
from services.demo.entrance.head import CHIN_M, FACE_ANGLE, HAIRLINE_M, TOP_M
from services.demo.entrance.looks import VisitorLook
from services.demo.geometry import Floats

STEP_M = 0.0017
"""Distance of neighbouring points."""
HAIR_M = 0.012
"""How far short hair stands off the skull."""


def skull(look: VisitorLook) -> Cloud:
    """Face, skull and the hair on it."""
    angles, z_m = head_grid()
    bare = look.shape.surface(angles, z_m)
    hairy = np.zeros(z_m.shape) if look.hair_style == "bald" else _hair(look, angles, z_m)
    side = np.abs(bare[..., 1])
    skin = _skin(look, angles, bare)
    painted = _features(look, skin, side, bare[..., 1], z_m)
    colours = np.where((np.abs(angles) < np.pi / 2)[..., None], painted, skin)
    strands = np.random.default_rng(look.seed).normal(0, 1, (1, angles.shape[1]))
    strands = np.cumsum(strands - strands.mean(), axis=1)
    strands = strands / (np.abs(strands).max() + 1e-9) * 0.3 + 0.14 * np.sin(angles * 90)
    hair = np.array(look.hair) * (1.0 + 0.5 * strands)[..., None]
    share = np.clip(hairy, 0.0, 1.0)[..., None]
    colours = colours * (1 - share) + hair * share
    outward = bare / np.maximum(np.linalg.norm(bare, axis=-1, keepdims=True), 1e-9)
    surface = bare + outward * (HAIR_M * np.clip(hairy, 0, 1))[..., None]
    face = (np.abs(angles) < FACE_ANGLE) & (z_m < HAIRLINE_M + 0.006) & (hairy < 0.5)
    return Cloud.of_surface(surface, colours, face)


def head_grid(
    low_m: float = CHIN_M, high_m: float = TOP_M, reach: float = np.pi, step_m: float = STEP_M
) -> tuple[Floats, Floats]:
    """Angles and heights of a grid of points about the head, rows downwards."""
    around = np.linspace(-reach, reach, int(2 * reach * 0.095 / step_m))
    levels = np.linspace(high_m, low_m, int((high_m - low_m) / step_m * 1.25))
    angles, z_m = np.meshgrid(around, levels)
    return angles, z_m


def _hair(look: VisitorLook, angles: Floats, z_m: Floats) -> Floats:
    """1 where hair grows, 0 on skin, with a soft edge."""
    away = np.abs(angles)
    wave = 0.006 * np.sin(look.seed + angles * 5)
    front = HAIRLINE_M - 0.004 - 0.018 * np.clip(away / 0.9, 0, 1) ** 3 + wave
    temple = np.interp(away, [0.9, 1.15, 1.35, 1.7, 2.1, np.pi], [0.046, 0.03, -0.012, -0.02, -0.07, -0.085])
    line = np.where(away < 0.9, front, np.minimum(temple, front))
    edge: Floats = (z_m - line) / 0.006 + 0.5
    return np.clip(edge, 0.0, 1.0)


def _skin(look: VisitorLook, angles: Floats, surface: Floats) -> Floats:
    """Uneven skin: redder cheeks and nose, darker around the eyes, a beard's shadow."""
    y_m, z_m = surface[..., 1], surface[..., 2]
    skin = np.broadcast_to(np.array(look.skin, float), (*z_m.shape, 3)).copy()
    front = np.clip(np.cos(angles) * 2, 0, 1)

    def tint(strength: Floats, factors: tuple[float, float, float]) -> None:
        skin[:] = skin * (1 - strength[..., None] * (1 - np.array(factors)))

    side = np.abs(y_m)
    tint(_spot(side, z_m, 0.042, -0.035, 0.018, 0.016) * front, (0.93, 0.92, 1.02))
    tint(_spot(y_m, z_m, 0.0, -0.042, 0.013, 0.009) * front, (0.92, 0.92, 1.0))
    tint(_spot(side, z_m, 0.032, -0.002, 0.019, 0.012) * front, (0.8, 0.78, 0.8))
    tint(_spot(side, z_m, 0.009, -0.048, 0.005, 0.0025) * front, (0.35, 0.35, 0.4))
    tint(_spot(y_m, z_m, 0.0, -0.054, 0.012, 0.004) * front, (0.82, 0.82, 0.84))
    tint(_spot(y_m, z_m, 0.0, -0.084, 0.02, 0.004) * front, (0.84, 0.84, 0.86))
    if look.beard != "none":
        depth = 0.86 if look.beard == "full" else 0.3
        grown = np.clip((-0.046 - z_m) / 0.008, 0, 1)
        lips = np.clip(_spot(y_m, z_m, 0.0, -0.069, 0.024, 0.009) * 1.6, 0, 1)
        cheek = np.clip((side - 0.05) * 40 + (z_m + 0.075) * 25, 0, 1)
        hairy = (depth * grown * (1 - lips) * (1 - cheek * (side < 0.064)))[..., None]
        skin[:] = skin * (1 - hairy) + np.array(look.hair) * hairy
    return skin


def _features(look: VisitorLook, colours: Floats, side: Floats, y_m: Floats, z_m: Floats) -> Floats:
    """Eyes, brows and mouth, painted onto the skin."""
    out = colours.copy()
    size = look.shape.eyes
    across, up = (side - 0.0325) / (0.0145 * size), (z_m - 0.0005) / (0.0058 * size)
    opening = 1 - across**2
    eye = (np.abs(up) < np.clip(opening, 0, 1) ** 0.6) & (opening > 0)
    lash = (np.abs(across) < 1.15) & (np.abs(up - np.clip(opening, 0, 1) ** 0.6 - 0.12) < 0.32)
    iris = ((side - 0.0325) ** 2 + (z_m - 0.001) ** 2) < (0.0062 * size) ** 2
    pupil = ((side - 0.0325) ** 2 + (z_m - 0.001) ** 2) < (0.003 * size) ** 2
    glint = ((y_m - np.sign(y_m) * 0.0325 - 0.002) ** 2 + (z_m - 0.0035) ** 2) < 0.0014**2
    crease = (np.abs(across) < 1.0) & (np.abs(z_m - 0.0095 - 0.002 * opening) < 0.0011)
    out[crease] *= 0.7
    out[eye] = (188, 192, 196)
    out[lash] = np.array(look.hair) * 0.35 + 8
    out[eye & iris] = look.eyes
    out[eye & pupil] = (14, 12, 12)
    out[eye & glint] = (235, 235, 235)
    arch = (
        0.0195 + 0.0035 * np.clip((side - 0.014) / 0.022, 0, 1) - 0.006 * np.clip((side - 0.04) / 0.014, 0, 1)
    )
    thick = 0.0036 * look.shape.brows * np.clip(1.25 - (side - 0.015) / 0.055, 0.3, 1)
    brow = (side > 0.013) & (side < 0.054) & (np.abs(z_m - arch) < thick)
    out[brow] = out[brow] * 0.2 + np.array(look.hair) * 0.55
    return _mouth(look, out, side, z_m)


def _mouth(look: VisitorLook, out: Floats, side: Floats, z_m: Floats) -> Floats:
    reach = np.clip(1 - (side / 0.0245) ** 2, 0, 1)
    full = 0.0062 * (0.7 + 0.3 * look.shape.lips)
    lip = (reach > 0) & (z_m < -0.0685 + full * reach**0.7) & (z_m > -0.0685 - 1.25 * full * reach**0.6)
    out[lip] = out[lip] * (0.66, 0.64, 0.9)
    line: Flags = (side < 0.025) & (np.abs(z_m + 0.0685 - 0.00002 * side) < 0.0012)
    out[line] *= 0.45
    return out


def _spot(y_m: Floats, z_m: Floats, at_y: float, at_z: float, spread_y: float, spread_z: float) -> Floats:
    spot: Floats = np.exp(-(((y_m - at_y) / spread_y) ** 2) - ((z_m - at_z) / spread_z) ** 2)
    return spot
