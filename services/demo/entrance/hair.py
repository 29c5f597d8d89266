"""What is on and around a face: ears, long hair, hats and glasses; pure."""

import numpy as np

from services.demo.entrance.cloud import Cloud
from services.demo.entrance.face import STEP_M, head_grid
from services.demo.entrance.head import TOP_M
from services.demo.entrance.looks import VisitorLook
from services.demo.entrance.parts import ellipsoid, limb, wire

METAL = (70.0, 72.0, 76.0)
COARSE_M = 0.0019


def around_the_face(look: VisitorLook) -> list[Cloud]:
    """Everything that a head has beside face, skull and mask."""
    parts = [*_ears(look), *_neck(look)]
    if look.hair_style == "long":
        parts.append(_long_hair(look))
    if look.hair_style == "bun" and look.hat == "none":
        parts.append(
            ellipsoid((-0.085, 0.0, 0.085), (0.036, 0.042, 0.036), _darker(look.hair, 0.9), COARSE_M)
        )
    if look.hat != "none":
        parts.append(_hat(look))
    if look.glasses != "none":
        parts += _glasses(look)
    return parts


def _darker(colour: tuple[float, float, float], factor: float) -> tuple[float, float, float]:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _ears(look: VisitorLook) -> list[Cloud]:
    if look.hair_style == "long":
        return []
    y_m = 0.0755 * look.shape.width
    ears = []
    for side in (-1.0, 1.0):
        ears.append(ellipsoid((-0.006, side * y_m, -0.012), (0.014, 0.011, 0.03), look.skin, STEP_M))
        hollow = _darker(look.skin, 0.7)
        ears.append(ellipsoid((0.001, side * (y_m + 0.004), -0.012), (0.009, 0.008, 0.018), hollow, STEP_M))
    return ears


def _neck(look: VisitorLook) -> list[Cloud]:
    """A neck in the shadow of the chin."""
    radius = 0.048 if look.beard == "none" else 0.055
    shaded = _darker(look.skin, 0.78)
    return [limb((-0.02, 0, -0.05), (-0.035, 0, -0.17), (radius, radius * 1.05), shaded, COARSE_M)]


def _long_hair(look: VisitorLook) -> Cloud:
    """A curtain from the crown to the shoulders, open at the front."""
    reach = np.radians(272) / 2
    angles, z_m = head_grid(-0.215, 0.1, reach, COARSE_M)
    turned = angles + np.pi
    wide = 0.088 + 0.016 * np.clip(-z_m / 0.2, -1, 1) - 0.07 * np.clip((z_m - 0.03) / 0.09, 0, 1) ** 2
    wave = 1 + 0.03 * np.sin(z_m * 60 + look.seed)
    x_m = -0.012 + 0.1 * np.cos(turned) * np.clip(wide / 0.09, 0, 1.1)
    surface = np.stack([x_m, wide * wave * np.sin(turned), z_m], axis=-1)
    strands = 1 + 0.16 * np.sin(turned * 60 + 2 * np.sin(z_m * 30)) + 0.1 * np.sin(turned * 23 + 1.0)
    return Cloud.of_surface(surface, np.array(look.hair) * strands[..., None])


def _hat(look: VisitorLook) -> Cloud:
    """A cap with a visor, a knitted hat, or a hard hat with its brim."""
    low_m = {"cap": 0.052, "beanie": 0.045, "helmet": 0.05}[look.hat]
    angles, z_m = head_grid(low_m, TOP_M, np.pi, STEP_M * 0.8)
    bare = look.shape.surface(angles, z_m, 1.0)
    puff = {"cap": 0.016, "beanie": 0.018, "helmet": 0.03}[look.hat]
    outward = bare / np.maximum(np.linalg.norm(bare, axis=-1, keepdims=True), 1e-9)
    colour = np.broadcast_to(np.array(look.hat_colour, float), bare.shape).copy()
    if look.hat == "beanie":
        colour *= (1 + 0.1 * np.sign(np.sin(angles * 50)))[..., None]
        colour[z_m < low_m + 0.03] *= 0.86
    if look.hat == "helmet":
        colour[:] = (40, 190, 230) if look.seed % 2 else (225, 225, 225)
        colour[np.abs(angles) < 0.25] *= 0.9
    parts = [Cloud.of_surface(bare + outward * puff, np.clip(colour, 0, 255))]
    if look.hat != "beanie":
        parts.append(_visor(look, low_m, colour[0, 0]))
    return Cloud.joined(parts)


def _visor(look: VisitorLook, low_m: float, colour: np.ndarray) -> Cloud:
    reach = np.radians(62) if look.hat == "cap" else np.pi
    length = 0.065 if look.hat == "cap" else 0.03
    angles, out = np.meshgrid(np.linspace(-reach, reach, 260), np.linspace(0, 1, 36))
    shape = length * (np.clip(np.cos(angles * np.pi / 2 / reach), 0, 1) ** 0.6 if look.hat == "cap" else 1.0)
    base = look.shape.surface(angles, np.full_like(angles, low_m + 0.004))
    ahead = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=-1)
    inner = {"cap": 0.008, "helmet": 0.022}[look.hat]
    surface = base + ahead * (inner + (shape + 0.006) * out)[..., None]
    surface[..., 2] = low_m + 0.006 - 0.012 * out
    top = Cloud.of_surface(surface, colour * 0.92)
    below = Cloud(top.points - (0, 0, 0.003), -top.normals, top.colours * 0.6, top.face)
    upward = Cloud(top.points, np.abs(top.normals) * (0, 0, 1) + (0, 0, 1e-6), top.colours, top.face)
    return Cloud.joined([upward, below])


def _glasses(look: VisitorLook) -> list[Cloud]:
    colour = METAL if look.glasses == "thin" else (26.0, 24.0, 24.0)
    radius = 0.0011 if look.glasses == "thin" else 0.0024
    ring = np.linspace(0, 2 * np.pi, 40)
    parts = []
    for side in (-1.0, 1.0):
        x_m = 0.099 - 0.012 * (np.cos(ring) * 0.5 + 0.5)
        y_m = 0.034 + 0.0235 * np.sign(np.cos(ring)) * np.abs(np.cos(ring)) ** 0.7
        z_m = -0.002 + 0.0185 * np.sign(np.sin(ring)) * np.abs(np.sin(ring)) ** 0.7
        parts.append(wire(np.stack([x_m, y_m * side, z_m], axis=1), radius, colour, STEP_M))
        temple = np.array([[0.086, 0.058, 0.004], [0.04, 0.073, 0.004], [-0.01, 0.078, 0.0]])
        parts.append(wire(temple * (1, side, 1), radius, colour, STEP_M))
    bridge = np.array([[0.1, -0.011, 0.003], [0.106, 0.0, 0.006], [0.1, 0.011, 0.003]])
    return [*parts, wire(bridge, radius, colour, STEP_M)]
