"""A mask on a face, in its fabric, worn well or badly; pure."""

import numpy as np

from services.demo.entrance.cloud import Cloud
from services.demo.entrance.face import STEP_M, head_grid
from services.demo.entrance.head import CHIN_M
from services.demo.entrance.looks import Fabric, VisitorLook, Wear
from services.demo.entrance.parts import wire
from services.demo.geometry import Floats

REACH = np.radians(66)
"""A mask reaches this far around the face to both sides."""
EDGES_M: dict[Wear, tuple[float, float]] = {
    Wear.RIGHT: (-0.014, -0.128),
    Wear.NOSE_FREE: (-0.0515, -0.136),
    Wear.UNDER_CHIN: (-0.093, -0.142),
}
"""Height of a mask's upper and lower edge in the middle of the face."""


def mask(look: VisitorLook) -> Cloud:
    """The mask and its straps; the part that covers the face belongs to the face."""
    top_m, bottom_m = EDGES_M[look.wear]
    angles, z_m = head_grid(bottom_m, top_m, REACH, STEP_M)
    away = np.abs(angles) / REACH
    share = (top_m - z_m) / (top_m - bottom_m)
    surface = _laid(look, angles, z_m)
    upper = 0.24 * away**2.2 if look.wear is Wear.RIGHT else 0.12 * away**2
    lower = 1.0 - (0.34 if look.wear is not Wear.UNDER_CHIN else 0.1) * away**2
    inside = (share >= upper) & (share <= lower)
    face = z_m > CHIN_M - 0.015
    cloth = Cloud.of_surface(surface, _fabric(look.fabric, look, angles, share, upper, lower), face)
    return Cloud.joined([cloth.kept(inside), *_straps(look, top_m, bottom_m)])


def _laid(look: VisitorLook, angles: Floats, z_m: Floats) -> Floats:
    """Where the cloth lies: spanned over nose and chin, on the neck below the chin."""
    spanned = look.wear is Wear.RIGHT
    height = np.maximum(z_m, -0.108)
    surface = look.shape.surface(angles, height, 0.0 if spanned else 1.0)
    below = np.clip((-0.108 - z_m) / 0.03, 0.0, 1.0)[..., None]
    outward = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=-1)
    surface = surface + outward * 0.0045 - outward * below * 0.02
    surface[..., 2] = z_m
    beak = look.fabric.kind == "respirator" and spanned
    if beak:
        share = np.clip(1 - np.abs(z_m + 0.062) / 0.055, 0, 1)
        surface[..., 0] += 0.016 * share * np.exp(-((angles / 0.5) ** 2))
    return surface


def _fabric(
    fabric: Fabric, look: VisitorLook, angles: Floats, share: Floats, upper: Floats, lower: Floats
) -> Floats:
    """Colours of the cloth: border, folds, stripes or dots, and creases."""
    colours = np.broadcast_to(np.array(fabric.colour, float), (*angles.shape, 3)).copy()
    second = np.array(fabric.second, float)
    if fabric.kind == "surgical":
        for fold in (0.34, 0.52, 0.7):
            at = fold + 0.02 * np.cos(angles * 2)
            colours[np.abs(share - at) < 0.016] *= 0.8
            colours[np.abs(share - at - 0.03) < 0.014] *= 1.05
        border = (share - upper < 0.045) | (lower - share < 0.045)
        colours[border] = second
    elif fabric.kind == "respirator":
        colours[np.abs(angles) < 0.02] *= 0.78
        colours[(share - upper < 0.04) | (lower - share < 0.04)] = second * 0.9
        colours[(np.abs(share - 0.07) < 0.025) & (np.abs(angles) < 0.5)] *= 0.72
    elif fabric.kind == "striped":
        colours[np.mod(angles * 9, 1.0) < 0.4] = second
    elif fabric.kind == "dotted":
        row = np.floor(share * 9)
        dots = (np.mod(angles * 7 + 0.5 * row, 1.0) - 0.5) ** 2 * 0.5 + (np.mod(share * 9, 1.0) - 0.5) ** 2
        colours[dots < 0.045] = second
    else:
        colours[np.abs(angles) < 0.012] *= 0.85
    crease = 1 + 0.05 * np.sin(share * 21 + look.seed + 3 * angles) * np.sin(5 * angles + look.seed)
    edge = np.where((share - upper < 0.02) | (lower - share < 0.02), 0.86, 1.0)
    return np.clip(colours * (crease * edge)[..., None], 0, 255)


def _straps(look: VisitorLook, top_m: float, bottom_m: float) -> list[Cloud]:
    """From the corners of the mask to behind the ears."""
    colour = (225.0, 225.0, 225.0) if look.fabric.kind in ("surgical", "respirator") else look.fabric.colour
    height = top_m - bottom_m
    upper = top_m - height * (0.26 if look.wear is Wear.RIGHT else 0.14)
    lower = bottom_m + height * (0.36 if look.wear is not Wear.UNDER_CHIN else 0.22)
    straps = []
    for side in (-1.0, 1.0):
        for z_m, ear_m in ((upper, 0.012), (lower, -0.03)):
            angles = np.linspace(REACH * 0.98, np.radians(97), 14)
            levels = np.linspace(z_m, ear_m, 14)
            line = look.shape.surface(angles, np.clip(levels, -0.108, 0.1))
            line[:, 1] = line[:, 1] * 1.04 + 0.002
            line[:, 2] = levels
            straps.append(wire(line * (1.0, side, 1.0), 0.0016, colour, STEP_M))
    return straps
