"""The empty street, drawn once for a scene: ground, kerbs, markings, house fronts, trees and sky."""

import random

import cv2
import numpy as np
import numpy.typing as npt

from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Floats, Picture
from services.demo.light import Light
from services.demo.script import Scene

SCALE = 2
"""Drawn at this multiple and averaged down."""


def draw_background(scene: Scene, light: Light) -> Picture:
    """The picture of the street without anybody on it."""
    rng = random.Random(f"sightline-street-{scene.seed}")
    noise = np.random.default_rng(scene.seed + 11)
    ground, x_m, y_m, wall_z, wall_x = _rays(scene)
    picture = np.where(
        ground[..., None],
        _ground(scene, light, rng, noise, x_m, y_m),
        _wall(light, rng, noise, wall_x, wall_z),
    )
    coarse = noise.normal(0.0, 1.0, (180, 320)).astype(np.float32)
    grain = cv2.resize(coarse, (WIDTH_PX * SCALE, HEIGHT_PX * SCALE))
    picture = picture * (1 + 0.02 * grain[..., None])
    image = np.clip(picture, 0, 255).astype(np.uint8)
    _trees(image, scene, light, rng)
    small = cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    toned = small.astype(np.float64) * light.tint * light.exposure
    finished: Picture = np.clip(toned, 0, 255).astype(np.uint8)
    return finished


def _wall_y(scene: Scene) -> float:
    return scene.street.end_m + 5.0


def _rays(scene: Scene) -> tuple[npt.NDArray[np.bool_], Floats, Floats, Floats, Floats]:
    """For each pixel: is it ground; the ground's x, y; the house front's z, x."""
    view = scene.view
    rows, columns = np.mgrid[0 : HEIGHT_PX * SCALE, 0 : WIDTH_PX * SCALE]
    right = (columns + 0.5) / SCALE - WIDTH_PX / 2
    down = (rows + 0.5) / SCALE - HEIGHT_PX / 2
    rays = np.stack([right, down, np.full_like(right, view.focal_px)], -1) @ view.rotation
    to_ground = np.where(rays[..., 2] < -1e-6, -view.height_m / np.minimum(rays[..., 2], -1e-6), 1e9)
    to_wall = _wall_y(scene) / np.maximum(rays[..., 1], 1e-6)
    wall_z = view.height_m + rays[..., 2] * to_wall
    return (
        to_ground < to_wall,
        rays[..., 0] * to_ground,
        rays[..., 1] * to_ground,
        wall_z,
        rays[..., 0] * to_wall,
    )


def _ground(
    scene: Scene, light: Light, rng: random.Random, noise: np.random.Generator, x_m: Floats, y_m: Floats
) -> Floats:
    """Verge, pavement with slabs, kerb, asphalt with markings, the far pavement."""
    street = scene.street
    slab = np.array(
        rng.choice(((150, 155, 160), (140, 150, 165), (125, 130, 135), (110, 125, 150))), dtype=float
    )
    asphalt = np.array(rng.choice(((95, 95, 95), (80, 82, 84), (112, 110, 108), (70, 70, 72))), dtype=float)
    verge = np.array(rng.choice(((70, 120, 95), (60, 105, 85), (130, 135, 140))), dtype=float)
    colour = np.broadcast_to(slab, (*x_m.shape, 3)).copy()
    pitch = rng.choice((0.6, 1.0, 1.5))
    joints = (np.mod(x_m, pitch) < 0.03) | (np.mod(y_m, pitch) < 0.03)
    colour[joints] *= 0.86
    colour[y_m < street.walk_m - 2.2] = verge
    road = (y_m > street.kerb_m) & (y_m < street.end_m)
    colour[road] = asphalt
    if rng.random() < 0.4:
        colour[(y_m > street.kerb_m + 0.2) & (y_m < street.kerb_m + 1.6)] = (70, 75, 135)
    for kerb in (street.kerb_m, street.end_m):
        colour[np.abs(y_m - kerb) < 0.13] = (165, 168, 170)
        colour[np.abs(y_m - kerb - 0.2 * (1 if kerb == street.kerb_m else -1)) < 0.08] *= 0.8
    paint = (205, 208, 210)
    middle = (street.near_m + street.far_m) / 2
    colour[(np.abs(y_m - middle) < 0.07) & (np.mod(x_m, 6.0) < 3.0)] = paint
    colour[(np.abs(y_m - street.kerb_m - 1.75) < 0.05) & (np.mod(x_m, 1.5) < 0.8)] = paint
    for lane in (street.near_m, street.far_m):
        for wheel in (-0.75, 0.75):
            colour[road] *= (1 - 0.08 * np.exp(-(((y_m - lane - wheel) / 0.3) ** 2)))[road][:, None]
    brightness = float(light.shade(np.array([[0.0, 0.0, 1.0]]))[0])
    stained: Floats = colour * _blotches(noise, x_m, y_m)[..., None] * brightness
    return stained


def _blotches(noise: np.random.Generator, x_m: Floats, y_m: Floats) -> Floats:
    """Stains, patches and grain that lie on the ground."""
    total = np.ones(x_m.shape)
    for size_m, strength in ((4.0, 0.06), (0.9, 0.05), (0.12, 0.05)):
        table = cv2.GaussianBlur(noise.normal(0, 1, (256, 256)).astype(np.float32), (0, 0), 1.0) * 3.0
        column = np.abs(np.mod(x_m / size_m * 2, 508) - 254).astype(np.float32)
        row = np.abs(np.mod(y_m / size_m * 2, 508) - 254).astype(np.float32)
        total += strength * cv2.remap(table, column, row, cv2.INTER_LINEAR)
    return total


def _wall(light: Light, rng: random.Random, noise: np.random.Generator, x_m: Floats, z_m: Floats) -> Floats:
    """House fronts with windows and shops, and the sky above them."""
    count = 64
    widths = noise.uniform(8.0, 16.0, count)
    edges = np.cumsum(widths) - widths.sum() / 2
    house = np.clip(np.searchsorted(edges, x_m), 0, count - 1)
    palette = np.array(
        [
            (150, 170, 190),
            (120, 140, 175),
            (175, 180, 185),
            (110, 120, 140),
            (90, 105, 150),
            (160, 190, 205),
            (135, 135, 140),
        ],
        dtype=float,
    )
    paints = palette[noise.integers(0, len(palette), count)] * noise.uniform(0.75, 1.05, count)[:, None]
    colour = paints[house]
    heights = noise.uniform(6.0, 14.0, count)[house]
    inside_x = np.mod(x_m - edges[house], noise.uniform(2.2, 3.4, count)[house])
    inside_z = np.mod(z_m - 3.6, 3.1)
    upper = (z_m > 3.6) & (z_m < heights - 0.7)
    window = upper & (inside_x > 0.8) & (inside_x < 2.0) & (inside_z > 0.8) & (inside_z < 2.4)
    frame = upper & (inside_x > 0.7) & (inside_x < 2.1) & (inside_z > 0.7) & (inside_z < 2.5)
    colour[frame] = (205, 210, 212)
    colour[window] = (95, 85, 78)
    shop = (z_m > 0.5) & (z_m < 2.7) & (noise.random(count) < 0.55)[house]
    colour[shop & (inside_x > 0.25)] = (62, 58, 55)
    colour[(z_m > 2.8) & (z_m < 3.4)] *= 0.75
    colour = colour * light.shade(np.array([[0.0, -1.0, 0.0]]))[0]
    sky_top, sky_low = rng.choice((((215, 175, 130), (235, 220, 205)), ((200, 195, 190), (225, 222, 220))))
    share = np.clip((z_m - 6.0) / 14.0, 0, 1)[..., None]
    sky = np.array(sky_low) * (1 - share) + np.array(sky_top) * share
    return np.where((z_m < heights)[..., None], colour, sky)


def _trees(image: Picture, scene: Scene, light: Light, rng: random.Random) -> None:
    """Trees and bushes along the far pavement."""
    y_m = scene.street.end_m + 3.6
    x_m = scene.view.x_at(0.0, y_m) + rng.uniform(0, 8)
    last = scene.view.x_at(1.0, y_m)
    while x_m < last:
        if rng.random() < 0.6:
            _tree(image, scene, light, rng, x_m, y_m)
        x_m += rng.uniform(6, 12)


def _tree(image: Picture, scene: Scene, light: Light, rng: random.Random, x_m: float, y_m: float) -> None:
    pixels, depth = scene.view.project(np.array([[x_m, y_m, 0.0], [x_m, y_m, 3.0]]))
    size = float(scene.view.focal_px / depth[0]) * SCALE
    foot, fork = (tuple(int(v * SCALE) for v in pixel) for pixel in pixels)
    cv2.line(image, foot, fork, (45, 55, 65), max(2, int(0.3 * size)), cv2.LINE_AA)
    green = np.array(rng.choice(((45, 95, 60), (40, 80, 65), (50, 105, 85), (40, 75, 95))), dtype=float)
    for _ in range(90):
        angle, reach = rng.uniform(0, 6.28), rng.random() ** 0.6 * 1.9
        dx, dz = np.cos(angle) * reach, np.sin(angle) * reach * 0.8 + 3.8
        brightness = light.ambient * (0.7 + 0.25 * (dz - 3.0) / 2) + rng.uniform(-0.12, 0.12)
        colour = tuple(float(v) for v in np.clip(green * brightness * 1.3, 0, 255))
        centre = (int(foot[0] + dx * size), int(foot[1] - dz * size))
        cv2.circle(image, centre, max(2, int(rng.uniform(0.2, 0.5) * size)), colour, -1, cv2.LINE_AA)
