"""The room behind the door, drawn once for a scene: floor, walls, ceiling and what lies in front; pure."""

import random
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from services.demo.entrance.cloud import Colour
from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Floats, Picture, Viewpoint

SCALE = 2
DOOR_HEIGHT_M = 2.15
WALLS: tuple[Colour, ...] = (
    (205, 212, 216),
    (190, 205, 215),
    (200, 200, 192),
    (170, 190, 205),
    (196, 186, 170),
    (150, 160, 165),
)
FLOORS: tuple[Colour, ...] = ((120, 128, 134), (96, 118, 146), (150, 154, 156), (84, 88, 92), (128, 140, 136))


@dataclass(frozen=True)
class Room:
    """Metres; the camera stands at (0, 0), the door is in the wall opposite."""

    half_m: float
    """Half the room's width."""
    wall_m: float
    """Distance of the wall with the door."""
    height_m: float
    door_m: float
    """Middle of the door, to the right of the camera."""
    door_half_m: float
    wall: Colour
    floor: Colour
    tile_m: float
    outside: Colour
    brightness: float
    seed: int

    @classmethod
    def draw(cls, rng: random.Random) -> "Room":
        """A random room."""
        return cls(
            half_m=rng.uniform(1.5, 2.2),
            wall_m=rng.uniform(7.2, 8.2),
            height_m=rng.uniform(2.7, 3.2),
            door_m=rng.uniform(-0.35, 0.35),
            door_half_m=rng.uniform(0.7, 0.95),
            wall=rng.choice(WALLS),
            floor=rng.choice(FLOORS),
            tile_m=rng.choice((0.3, 0.5, 0.6, 1.0)),
            outside=rng.choice(((225, 222, 214), (205, 190, 170), (120, 118, 112), (70, 66, 62))),
            brightness=rng.uniform(0.72, 1.05),
            seed=rng.randrange(1 << 30),
        )

    def door_px(self, view: Viewpoint) -> tuple[int, int, int, int]:
        """The door's opening in the picture: x1, y1, x2, y2, cut at the picture's edges."""
        corners = np.array(
            [
                (self.door_m + side * self.door_half_m, self.wall_m, z_m)
                for side in (-1, 1)
                for z_m in (0.0, DOOR_HEIGHT_M)
            ]
        )
        pixels, _ = view.project(corners)
        low = np.clip(np.round(pixels.min(0)), 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
        high = np.clip(np.round(pixels.max(0)), 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def draw_room(room: Room, view: Viewpoint) -> Picture:
    """The picture of the room without anybody in it."""
    rng, noise = random.Random(room.seed), np.random.default_rng(room.seed)
    x_m, y_m, z_m, side = _hits(room, view)
    picture = np.zeros((*x_m.shape, 3))
    surfaces = (
        _floor(room, noise, x_m, y_m),
        _ceiling(room, x_m, y_m),
        _side_wall(room, rng, y_m, z_m, -1),
        _side_wall(room, rng, y_m, z_m, 1),
        _back_wall(room, rng, x_m, z_m),
    )
    for number, colours in enumerate(surfaces):
        picture[side == number] = colours[side == number]
    far = np.clip(y_m / room.wall_m, 0, 1)
    glow = 0.8 + 0.2 * np.cos(far * 5 + room.seed % 7)
    grain = cv2.resize(noise.normal(0, 1, (90, 160)).astype(np.float32), (x_m.shape[1], x_m.shape[0]))
    shaded = picture * (room.brightness * glow * (1 + 0.02 * grain))[..., None]
    image = np.clip(shaded, 0, 255).astype(np.uint8)
    small = cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)
    finished: Picture = small.astype(np.uint8, copy=False)
    return finished


def _hits(room: Room, view: Viewpoint) -> tuple[Floats, Floats, Floats, npt.NDArray[np.intp]]:
    """Where each pixel's ray meets the room, and which of its five surfaces that is."""
    rows, columns = np.mgrid[0 : HEIGHT_PX * SCALE, 0 : WIDTH_PX * SCALE]
    right = (columns + 0.5) / SCALE - WIDTH_PX / 2
    down = (rows + 0.5) / SCALE - HEIGHT_PX / 2
    rays = np.stack([right, down, np.full_like(right, view.focal_px)], -1) @ view.rotation
    rays = np.where(np.abs(rays) < 1e-6, 1e-6, rays)
    distances = np.stack(
        [
            -view.height_m / rays[..., 2],
            (room.height_m - view.height_m) / rays[..., 2],
            -room.half_m / rays[..., 0],
            room.half_m / rays[..., 0],
            room.wall_m / rays[..., 1],
        ]
    )
    distances = np.where(distances > 0, distances, np.inf)
    side = np.argmin(distances, axis=0)
    nearest = np.take_along_axis(distances, side[None], axis=0)[0][..., None]
    points = rays * nearest + (0.0, 0.0, view.height_m)
    return points[..., 0], points[..., 1], points[..., 2], side


def _flat(colour: Colour, shape: tuple[int, ...]) -> Floats:
    return np.broadcast_to(np.array(colour, dtype=float), (*shape, 3)).copy()


def _floor(room: Room, noise: np.random.Generator, x_m: Floats, y_m: Floats) -> Floats:
    colours = _flat(room.floor, x_m.shape)
    table = noise.uniform(0.93, 1.05, (64, 64))
    row, column = np.floor(y_m / room.tile_m).astype(int) % 64, np.floor(x_m / room.tile_m).astype(int) % 64
    colours *= table[row, column][..., None]
    joint = (np.mod(x_m, room.tile_m) < 0.012) | (np.mod(y_m, room.tile_m) < 0.012)
    colours[joint] *= 0.8
    mat = (np.abs(x_m - room.door_m) < 0.9) & (y_m > room.wall_m - 2.2)
    colours[mat] = (58, 54, 52)
    near_wall = np.clip((room.half_m - np.abs(x_m)) / 0.5, 0, 1)
    return colours * (0.8 + 0.2 * near_wall)[..., None]


def _ceiling(room: Room, x_m: Floats, y_m: Floats) -> Floats:
    colours = _flat((212, 214, 214), x_m.shape)
    panel = (np.mod(x_m, 0.6) < 0.015) | (np.mod(y_m, 0.6) < 0.015)
    colours[panel] *= 0.9
    colours[(np.abs(x_m) < 0.3) & (np.mod(y_m + 0.6, 1.8) < 0.6)] = (255, 255, 250)
    return colours


def _side_wall(room: Room, rng: random.Random, y_m: Floats, z_m: Floats, side: int) -> Floats:
    """A wall with a skirting board, pictures, a door or a window."""
    colours = _flat(room.wall, y_m.shape) * (0.9 if side < 0 else 0.82)
    if rng.random() < 0.5:
        colours[z_m < 1.0] *= np.array(rng.choice(((0.85, 0.8, 0.75), (0.7, 0.8, 0.9), (0.9, 0.9, 0.9))))
    at_m = rng.uniform(1.4, 2.4)
    while at_m < room.wall_m - 1.2:
        width, low = rng.uniform(0.5, 1.1), rng.choice((0.0, 1.1, 1.2))
        high = 2.05 if low == 0.0 else low + rng.uniform(0.5, 0.8)
        inside = (y_m > at_m) & (y_m < at_m + width) & (z_m > low) & (z_m < high)
        frame = (y_m > at_m - 0.05) & (y_m < at_m + width + 0.05) & (z_m > low - 0.05) & (z_m < high + 0.05)
        colours[frame] = (90, 96, 100) if low else (120, 124, 124)
        paint = np.array([rng.uniform(60, 220) for _ in range(3)])
        pattern = 1 + 0.15 * np.sin(y_m * rng.uniform(6, 25)) * np.sin(z_m * rng.uniform(6, 25))
        colours[inside] = (paint * pattern[..., None])[inside]
        at_m += width + rng.uniform(0.7, 1.8)
    colours[z_m < 0.09] = (88, 92, 94)
    return colours


def _back_wall(room: Room, rng: random.Random, x_m: Floats, z_m: Floats) -> Floats:
    """The wall with the door: outside it is brighter or darker than inside."""
    colours = _flat(room.wall, x_m.shape)
    colours[z_m < 0.09] = (88, 92, 94)
    off = np.abs(x_m - room.door_m)
    colours[(off < room.door_half_m + 0.09) & (z_m < DOOR_HEIGHT_M + 0.09)] = (70, 74, 78)
    opening = (off < room.door_half_m) & (z_m < DOOR_HEIGHT_M)
    outside = (
        np.array(room.outside, dtype=float) * (0.62 + 0.38 * np.clip(z_m / DOOR_HEIGHT_M, 0, 1))[..., None]
    )
    outside *= (1 + 0.08 * np.sin(x_m * 9 + rng.uniform(0, 6)) * (z_m > 0.7))[..., None]
    colours[opening] = outside[opening]
    colours[opening & (z_m < 0.5)] *= 0.72
    sign = (off < 0.25) & (z_m > DOOR_HEIGHT_M + 0.15) & (z_m < DOOR_HEIGHT_M + 0.32)
    colours[sign] = (70, 150, 60)
    return colours
