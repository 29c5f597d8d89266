"""Draws a scene's pictures: stored background, shadows, bodies from far to near, the sensor's faults."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.core.types import Box
from services.demo.background import draw_background
from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Floats, Picture, Pose
from services.demo.light import Sensor, light_of
from services.demo.script import FPS, Owners, Pole, Scene, SceneObject, ScriptedObject
from services.demo.shapes import Mesh, Shape

SCALE = 2
SHIFT = 3
"""Bits of a pixel's fraction in OpenCV's drawing calls."""


@dataclass(frozen=True)
class Sprite:
    """A drawn body: where its patch lies, and blue, green, red (times cover) and cover."""

    x_px: int
    y_px: int
    patch: Picture


class Renderer:
    """Draws the pictures of one scene; the same scene and frame give the same pixels."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.light = light_of(scene.seed)
        self.background = draw_background(scene, self.light)
        noise = np.random.default_rng(scene.seed)
        self._grain = _grain(noise)
        self._sensor = Sensor(noise, self.light.noise)
        self._poles = [(pole, self._pole_sprite(pole)) for pole in scene.poles]

    def frame(self, number: int, owners: Owners | None = None) -> Picture:
        """The picture `number` of the loop; `owners` gets the number of the object seen at each pixel."""
        number %= self.scene.frames
        return self._sensor.seen(self.clean(number, owners), number)

    def clean(self, number: int, owners: Owners | None = None) -> Picture:
        """The picture before the sensor's faults."""
        time_s = (number % self.scene.frames) / FPS
        picture: Picture = self.background.copy()
        things = [(thing, thing.path.pose(time_s)) for thing, _ in self.scene.present(time_s)]
        for thing, pose in things:
            self._shadow(picture, thing.body.mesh(pose), pose)
        layers = [
            (-float(np.hypot(pose.x_m, pose.y_m)), thing.number, self.sprite(thing, pose))
            for thing, pose in things
        ]
        layers += [(-float(np.hypot(pole.x_m, pole.y_m)), -1, sprite) for pole, sprite in self._poles]
        for _, number, sprite in sorted(layers, key=lambda layer: layer[:2]):
            paste(picture, sprite, owners, number)
        return picture

    def whole(self, number: int) -> list[tuple[ScriptedObject, Box, int]]:
        """The objects in a picture, their boxes, and their pixels if nothing were in front of them."""
        time_s = (number % self.scene.frames) / FPS
        return [
            (thing, box, int((self.sprite(thing, thing.path.pose(time_s)).patch[..., 3] > 127).sum()))
            for thing, box in self.scene.present(time_s)
        ]

    def sprite(self, thing: SceneObject, pose: Pose) -> Sprite:
        """One object alone."""
        return self._draw(thing.body.mesh(pose), pose)

    def _tone(self, colours: Floats, shade: Floats) -> Floats:
        toned: Floats = np.clip(colours * shade[:, None] * self.light.tint * self.light.exposure, 0, 255)
        return toned

    def _draw(self, mesh: Mesh, pose: Pose) -> Sprite:
        """Projects a mesh and fills its faces that look at the camera, then its limbs from far to near."""
        view = self.scene.view
        corners, _ = view.project(pose.place(mesh.corners))
        ends, depths = view.project(pose.place(mesh.limb_ends.reshape(-1, 3)))
        radii = mesh.limb_radii * view.focal_px / np.maximum(depths.reshape(-1, 2).mean(1), 0.5)
        spread = np.repeat(radii, 2)[:, None] if len(radii) else np.zeros((0, 1))
        everything = np.concatenate([corners, ends - spread, ends + spread])
        low = np.clip(np.floor(everything.min(0)) - 1, 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
        high = np.clip(np.ceil(everything.max(0)) + 1, low + 1, (WIDTH_PX, HEIGHT_PX)).astype(int)
        size = np.maximum(high - low, 1)
        canvas = np.zeros((size[1] * SCALE, size[0] * SCALE, 4), np.uint8)
        self._faces(canvas, mesh, pose, (corners - low) * SCALE)
        self._limbs(canvas, mesh, ((ends - low) * SCALE).reshape(-1, 2, 2), radii * SCALE, depths)
        small = cv2.resize(canvas, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
        patch: Picture = small.astype(np.uint8, copy=False)
        grain = self._grain[: size[1], : size[0]]
        patch[..., :3] = cv2.multiply(patch[..., :3].copy(), cv2.merge([grain] * 3), scale=1 / 128)
        np.minimum(patch[..., :3], patch[..., 3:], out=patch[..., :3])
        return Sprite(int(low[0]), int(low[1]), patch)

    def _faces(self, canvas: Picture, mesh: Mesh, pose: Pose, corners_px: Floats) -> None:
        if not len(mesh.normals):
            return
        turned = Pose(0.0, 0.0, pose.heading).place(mesh.normals)
        eye = np.array([0.0, 0.0, self.scene.view.height_m])
        facing = np.einsum("ij,ij->i", turned, pose.place(mesh.centres) - eye) < 0
        shade = np.where(mesh.flat > 0, self.light.ambient + 0.25, self.light.shade(turned))
        colours = self._tone(mesh.colours, shade)
        fixed = np.round((corners_px - 0.5) * (1 << SHIFT)).astype(np.int32)
        for number in np.flatnonzero(facing):
            points = fixed[mesh.starts[number] : mesh.starts[number + 1]]
            colour = (*colours[number].tolist(), 255.0)
            if len(points) <= 4:
                cv2.fillConvexPoly(canvas, points, colour, cv2.LINE_8, SHIFT)
            else:
                cv2.fillPoly(canvas, [points], colour, cv2.LINE_8, SHIFT)

    def _limbs(self, canvas: Picture, mesh: Mesh, ends_px: Floats, radii_px: Floats, depths: Floats) -> None:
        if not len(radii_px):
            return
        base = self._tone(mesh.limb_colours, np.full(len(radii_px), self.light.ambient + 0.1))
        sunlit = self.light.ambient + self.light.direct * 0.7 + 0.15
        lit = self._tone(mesh.limb_colours, np.full(len(radii_px), sunlit))
        side = np.sign(float(self.scene.view.rotation[0] @ self.light.sun)) or 1.0
        fixed = np.round((ends_px - 0.5) * (1 << SHIFT)).astype(np.int32)
        offset = np.array([1.0 * side, -0.5])
        for number in np.argsort(-depths.reshape(-1, 2).mean(1), kind="stable"):
            thickness = max(1, round(2 * float(radii_px[number])))
            start, end = fixed[number].tolist()
            cv2.line(canvas, start, end, (*base[number].tolist(), 255.0), thickness, cv2.LINE_8, SHIFT)
            if thickness >= 5:
                move = offset * float(radii_px[number]) * 0.35 * (1 << SHIFT)
                start, end = (fixed[number] + move.astype(np.int32)).tolist()
                cv2.line(
                    canvas,
                    start,
                    end,
                    (*lit[number].tolist(), 255.0),
                    round(thickness * 0.55),
                    cv2.LINE_8,
                    SHIFT,
                )

    def _shadow(self, picture: Picture, mesh: Mesh, pose: Pose) -> None:
        """Darkens the ground below a body and away from the sun."""
        every = np.concatenate([mesh.corners, mesh.limb_ends.reshape(-1, 3)])
        low, high = every.min(0), every.max(0)
        corners = np.array([(x, y, 0.0) for x in (low[0], high[0]) for y in (low[1] - 0.05, high[1] + 0.05)])
        ground = pose.place(corners)
        reach = min(high[2], 2.0) * self.light.direct * 1.6 / max(self.light.sun[2], 0.3)
        away = -self.light.sun * np.array([1.0, 1.0, 0.0]) * reach
        pixels, _ = self.scene.view.project(np.concatenate([ground, ground + away]))
        area = np.clip(np.array([pixels.min(0) - 4, pixels.max(0) + 4]), 0, (WIDTH_PX, HEIGHT_PX)).astype(int)
        (x0, y0), (x1, y1) = area.tolist()
        if x1 - x0 < 2 or y1 - y0 < 2:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        hull = cv2.convexHull((pixels - (x0, y0)).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 255.0 * self.light.shadow)
        core = (pixels[[0, 1, 3, 2]] - (x0, y0)).astype(np.int32)
        cv2.fillConvexPoly(mask, core, 255.0 * min(0.75, self.light.shadow + 0.2))
        keep = cv2.bitwise_not(cv2.blur(mask, (5, 5)))
        region = picture[y0:y1, x0:x1]
        region[:] = cv2.multiply(region, cv2.merge([keep] * 3), scale=1 / 255)

    def _pole_sprite(self, pole: Pole) -> Sprite:
        shape = Shape()
        shape.limb((0, 0, 0), (0, 0, pole.height_m), pole.radius_m, (110, 112, 112))
        shape.limb((0, 0, 0), (0, 0, 0.9), pole.radius_m * 1.5, (90, 92, 92))
        return self._draw(Mesh.of(shape), Pose(pole.x_m, pole.y_m, 0.0))


def paste(picture: Picture, sprite: Sprite, owners: Owners | None, number: int) -> None:
    """Lays a sprite over the picture."""
    height, width = sprite.patch.shape[:2]
    region = picture[sprite.y_px : sprite.y_px + height, sprite.x_px : sprite.x_px + width]
    cover = sprite.patch[..., 3]
    keep = cv2.bitwise_not(cover)
    below = cv2.multiply(region, cv2.merge([keep] * 3), scale=1 / 255)
    region[:] = cv2.add(below, sprite.patch[..., :3].copy())
    if owners is not None:
        owners[sprite.y_px : sprite.y_px + height, sprite.x_px : sprite.x_px + width][cover > 127] = number


def _grain(noise: np.random.Generator) -> Picture:
    """Uneven reflections on bodies: about 128, brighter above than below."""
    coarse = cv2.resize(
        noise.normal(0, 7, (30, 50)).astype(np.float32), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC
    )
    fine = noise.normal(0, 2, (HEIGHT_PX, WIDTH_PX))
    grain: Picture = np.clip(128 + coarse + fine, 96, 160).astype(np.uint8)
    return grain
