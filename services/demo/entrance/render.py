"""Draws an entrance's pictures: the stored room, then people from far to near, then the sensor's faults."""

import random
from collections import OrderedDict
from dataclasses import dataclass, replace

import cv2
import numpy as np

from services.core.types import Box
from services.demo.entrance.body import CYCLE_M, body_cloud
from services.demo.entrance.cloud import Cloud, CloudSprite, Lamp, draw
from services.demo.entrance.face import skull
from services.demo.entrance.hair import around_the_face
from services.demo.entrance.looks import VisitorLook, Wear
from services.demo.entrance.masks import mask
from services.demo.entrance.room import draw_room
from services.demo.entrance.scene import Entrance
from services.demo.entrance.visitor import HeadPose, Visitor, view_of
from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Floats, Picture
from services.demo.light import Sensor
from services.demo.script import FPS, Owners, ScriptedObject

HEAD_PX, BODY_PX = 500.0, 160.0
"""Pixels a metre at which heads and bodies are drawn before they are brought to their size."""
HEAD_STEP, BODY_STEP = np.radians(7), np.radians(24)
"""Heads and bodies are drawn in steps of these angles, and kept."""
PHASES = 6
KEPT_SPRITES = 160
NEAREST_PX = 1500.0
"""Somebody larger than this, in pixels a metre, stands under the camera."""
SHADOW_M = 0.34


@dataclass(frozen=True)
class Layer:
    """A sprite brought to its place and size in the picture."""

    x_px: int
    y_px: int
    patch: Picture
    face: Picture


class EntranceRenderer:
    """Draws the pictures of one entrance; the same scene and frame give the same pixels."""

    def __init__(self, scene: Entrance) -> None:
        self.scene = scene
        self.background = draw_room(scene.room, scene.view)
        rng = random.Random(f"sightline-lamp-{scene.seed}")
        self._lamp = _lamp(rng, scene.room.brightness)
        self._sensor = Sensor(np.random.default_rng(scene.seed), rng.uniform(1.2, 3.5))
        self._heads: dict[int, Cloud] = {}
        self._sprites: OrderedDict[tuple[int, ...], CloudSprite] = OrderedDict()
        self._door = scene.room.door_px(scene.view)

    def frame(self, number: int, owners: Owners | None = None) -> Picture:
        """The picture `number` of the loop; `owners` gets the number of the face seen at each pixel."""
        number %= self.scene.frames
        return self._sensor.seen(self.clean(number, owners), number)

    def clean(self, number: int, owners: Owners | None = None) -> Picture:
        """The picture before the sensor's faults."""
        time_s = (number % self.scene.frames) / FPS
        picture: Picture = self.background.copy()
        people = [visitor for visitor in self.scene.objects if visitor.way.is_there(time_s)]
        self._heads = {
            key: cloud for key, cloud in self._heads.items() if any(v.number == key for v in people)
        }
        for visitor in sorted(people, key=lambda one: -_distance_m(one, time_s)):
            self._person(picture, owners, visitor, time_s)
        return picture

    def whole(self, number: int) -> list[tuple[ScriptedObject, Box, int]]:
        """The faces in a picture, their boxes, and their pixels if nothing were in front of them."""
        time_s = (number % self.scene.frames) / FPS
        found: list[tuple[ScriptedObject, Box, int]] = []
        for visitor, box in self.scene.present(time_s):
            owners: Owners = np.full((HEIGHT_PX, WIDTH_PX), -1, np.int16)
            self._person(self.background.copy(), owners, visitor, time_s)
            found.append((visitor, box, int((owners == visitor.number).sum())))
        return found

    def _person(self, picture: Picture, owners: Owners | None, visitor: Visitor, time_s: float) -> None:
        head, neck = visitor.way.head(time_s), visitor.way.neck(time_s)
        if head.scale_px > NEAREST_PX:
            return
        pose = visitor.way.path.pose(time_s)
        is_outside = pose.y_m > self.scene.room.wall_m
        bounds = self._door if is_outside else (0, 0, WIDTH_PX, HEIGHT_PX)
        if not is_outside:
            self._shadow(picture, np.array([pose.x_m, pose.y_m, 0.0]))
        phase = int(pose.travelled_m / CYCLE_M * PHASES) % PHASES if pose.moving else -1
        for layer in (
            _placed(self._body(visitor, neck, phase), neck, BODY_PX),
            _placed(self._head(visitor, head), head, HEAD_PX),
        ):
            if layer is not None:
                lay(picture, layer, bounds, owners, visitor.number)

    def _head(self, visitor: Visitor, head: HeadPose) -> CloudSprite:
        turn, tilt = round(head.turn / HEAD_STEP), round(head.elevation / HEAD_STEP)
        key = (visitor.number, 0, turn, tilt)
        if key not in self._sprites:
            if visitor.number not in self._heads:
                self._heads[visitor.number] = head_cloud(visitor.way.look)
            rotation = view_of(turn * HEAD_STEP, tilt * HEAD_STEP)
            self._keep(key, draw(self._heads[visitor.number], rotation, self._lamp, HEAD_PX))
        return self._sprites[key]

    def _body(self, visitor: Visitor, neck: HeadPose, phase: int) -> CloudSprite:
        turn, tilt = round(neck.turn / BODY_STEP), round(neck.elevation / BODY_STEP)
        key = (visitor.number, 1, turn, tilt, phase)
        if key not in self._sprites:
            cloud = body_cloud(visitor.way.look, (phase + 0.5) / PHASES if phase >= 0 else -1.0)
            rotation = view_of(turn * BODY_STEP, tilt * BODY_STEP)
            sprite = draw(cloud, rotation, self._lamp, BODY_PX)
            self._keep(
                key, replace(sprite, patch=cv2.blur(sprite.patch, (3, 3)).astype(np.uint8, copy=False))
            )
        return self._sprites[key]

    def _keep(self, key: tuple[int, ...], sprite: CloudSprite) -> None:
        self._sprites[key] = sprite
        if len(self._sprites) > KEPT_SPRITES:
            self._sprites.popitem(last=False)

    def _shadow(self, picture: Picture, foot_m: Floats) -> None:
        """Darkens the floor about somebody's feet."""
        view = self.scene.view
        pixel, depth_m = view.project(foot_m)
        wide = view.focal_px * SHADOW_M / max(float(depth_m), 0.5)
        flat = wide * min(1.0, view.height_m / max(float(np.hypot(*foot_m[:2])), 0.5))
        size = np.array([wide, max(flat, 2.0)])
        low = np.clip(pixel - size, 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
        high = np.clip(pixel + size, 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
        if (high - low).min() < 2:
            return
        rows, columns = np.mgrid[low[1] : high[1], low[0] : high[0]]
        away = ((columns - pixel[0]) / size[0]) ** 2 + ((rows - pixel[1]) / size[1]) ** 2
        keep = np.clip(255 - 120 * np.clip(1 - away, 0, 1), 0, 255).astype(np.uint8)
        region = picture[low[1] : high[1], low[0] : high[0]]
        region[:] = cv2.multiply(region, cv2.merge([keep] * 3), scale=1 / 255)


def _distance_m(visitor: Visitor, time_s: float) -> float:
    pose = visitor.way.path.pose(time_s)
    return float(np.hypot(pose.x_m, pose.y_m))


def _lamp(rng: random.Random, brightness: float) -> Lamp:
    """Light from above, more or less from one side, warm or cold."""
    towards = np.array([rng.uniform(-0.8, 0.8), rng.uniform(-1.0, -0.3), rng.uniform(-1.0, -0.3)])
    ambient = rng.uniform(0.5, 0.68)
    tint = np.array(rng.choice(((1.0, 1.0, 1.0), (1.05, 1.0, 0.96), (0.92, 0.98, 1.04))))
    return Lamp(towards / np.linalg.norm(towards), ambient * brightness, (1.08 - ambient) * brightness, tint)


def _placed(sprite: CloudSprite, seen: HeadPose, drawn_px: float) -> Layer | None:
    """Brings a sprite to its size; None where nothing of it is in the picture."""
    factor = seen.scale_px / drawn_px
    height, width = sprite.patch.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    x_px, y_px = (round(float(value)) for value in seen.centre_px - sprite.origin_px * factor)
    if x_px >= WIDTH_PX or y_px >= HEIGHT_PX or x_px + size[0] <= 0 or y_px + size[1] <= 0:
        return None
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    patch = cv2.resize(sprite.patch, size, interpolation=way).astype(np.uint8, copy=False)
    face = cv2.resize(sprite.face, size, interpolation=way).astype(np.uint8, copy=False)
    return Layer(x_px, y_px, patch, face)


def lay(
    picture: Picture, layer: Layer, bounds: tuple[int, int, int, int], owners: Owners | None, number: int
) -> None:
    """Lays a sprite over the picture within bounds (x1, y1, x2, y2)."""
    height, width = layer.patch.shape[:2]
    x1, y1 = max(layer.x_px, bounds[0]), max(layer.y_px, bounds[1])
    x2, y2 = min(layer.x_px + width, bounds[2]), min(layer.y_px + height, bounds[3])
    if x2 <= x1 or y2 <= y1:
        return
    rows, columns = slice(y1 - layer.y_px, y2 - layer.y_px), slice(x1 - layer.x_px, x2 - layer.x_px)
    patch, region = layer.patch[rows, columns], picture[y1:y2, x1:x2]
    cover = patch[..., 3].copy()
    below = cv2.multiply(region, cv2.merge([cv2.bitwise_not(cover)] * 3), scale=1 / 255)
    region[:] = cv2.add(below, patch[..., :3].copy())
    if owners is not None:
        owned = owners[y1:y2, x1:x2]
        owned[cover > 127] = -1
        owned[(layer.face[rows, columns] > 127) & (cover > 127)] = number


def head_cloud(look: VisitorLook) -> Cloud:
    """The head with hair, glasses, hat and mask."""
    parts = [skull(look), *around_the_face(look)]
    if look.wear is not Wear.NONE:
        parts.append(mask(look))
    return Cloud.joined(parts)
