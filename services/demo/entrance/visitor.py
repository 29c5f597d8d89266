"""A visitor on the way in: where head and face are at each moment; pure."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from services.core.types import Box
from services.demo.entrance.body import NECK_M
from services.demo.entrance.head import face_patch
from services.demo.entrance.looks import VisitorLook
from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Floats, Pose, Viewpoint
from services.demo.paths import Path
from services.demo.script import FPS, BoxTrack

Situation = Literal["pass", "occlusion", "stop", "step_back", "near_miss", "look_around", "bystander"]
EYES_M = 0.112
"""The eyes lie this far below the crown."""
BOB_M = 0.012
SEEN_SHARE = 0.58
"""Least share of a face that is turned to the camera for it to be one."""
INSIDE_SHARE = 0.75
"""Least share of a face that lies within the picture: with less, its mouth may be cut off."""


BELOW_CHIN_SHARE = 0.09
"""A face's box reaches this far below the chin, in its heights, as boxes drawn on photographs do."""


@dataclass(frozen=True)
class Glance:
    """The head turns away from the way ahead (radians, to the left) or down, and back again."""

    start_s: float
    length_s: float
    turn: float
    nod: float = 0.0

    def share(self, time_s: float) -> float:
        """How far it has turned, 0 to 1."""
        ramp = min(time_s - self.start_s, self.start_s + self.length_s - time_s) / 0.5
        return float(np.clip(ramp, 0.0, 1.0) ** 2 * (3 - 2 * np.clip(ramp, 0.0, 1.0)))


@dataclass(frozen=True)
class HeadPose:
    """A head as the camera sees it: where, how large, and how far turned."""

    centre_px: Floats
    """Where the point between the ears lies in the picture."""
    scale_px: float
    """Pixels a metre."""
    turn: float
    """Radians that it looks past the camera, to its left."""
    elevation: float
    """Radians that the camera looks down on it."""

    @property
    def rotation(self) -> Floats:
        """Rows: the picture's right, down and into-the-picture, in the head's directions."""
        return view_of(self.turn, self.elevation)


def view_of(turn: float, elevation: float) -> Floats:
    """The camera's right, down and into-the-picture (rows) for a body turned past it, seen from above."""
    sin_t, cos_t, sin_e, cos_e = math.sin(turn), math.cos(turn), math.sin(elevation), math.cos(elevation)
    return np.array(
        [
            [sin_t, cos_t, 0.0],
            [sin_e * cos_t, -sin_e * sin_t, -cos_e],
            [-cos_e * cos_t, cos_e * sin_t, -sin_e],
        ]
    )


@dataclass(frozen=True)
class Way:
    """A person's way through the picture."""

    look: VisitorLook
    path: Path
    view: Viewpoint
    glances: tuple[Glance, ...] = ()

    def is_there(self, time_s: float) -> bool:
        """Whether the person is in the room or in front of its door."""
        return bool(self.path.times_s[0] <= time_s <= self.path.times_s[-1])

    def head(self, time_s: float) -> HeadPose:
        """The head at a time."""
        pose = self.path.pose(time_s)
        turn = sum(glance.turn * glance.share(time_s) for glance in self.glances)
        nod = sum(glance.nod * glance.share(time_s) for glance in self.glances)
        ahead = 0.03
        height_m = self.look.height_m - EYES_M + _bob(pose)
        place = (
            pose.x_m + ahead * math.cos(pose.heading),
            pose.y_m + ahead * math.sin(pose.heading),
            height_m,
        )
        seen = self._seen(place, pose.heading + turn)
        return HeadPose(seen.centre_px, seen.scale_px, seen.turn, seen.elevation + nod)

    def neck(self, time_s: float) -> HeadPose:
        """The neck's base at a time, with the body's direction."""
        pose = self.path.pose(time_s)
        height_m = NECK_M * self.look.height_m / 1.75 + _bob(pose)
        return self._seen((pose.x_m, pose.y_m, height_m), pose.heading)

    def _seen(self, place_m: tuple[float, float, float], heading: float) -> HeadPose:
        pixel, depth_m = self.view.project(np.array(place_m))
        azimuth = math.atan2(place_m[1], place_m[0])
        turn = math.remainder(heading - azimuth - math.pi, 2 * math.pi)
        elevation = math.atan2(self.view.height_m - place_m[2], math.hypot(place_m[0], place_m[1]))
        return HeadPose(pixel, self.view.focal_px / max(float(depth_m), 0.3), turn, elevation)


def _bob(pose: Pose) -> float:
    return BOB_M * math.cos(4 * math.pi * pose.travelled_m / 1.4) if pose.moving else 0.0


def face_box(way: Way, patch: tuple[Floats, Floats], time_s: float) -> Box | None:
    """The face's box in the picture, normalised; None where it is turned away or cut by the border."""
    head = way.head(time_s)
    rotation, (points, normals) = head.rotation, patch
    facing = normals @ rotation[2] < 0.12
    if facing.mean() < SEEN_SHARE or head.scale_px > 900:
        return None
    pixels = points[facing] @ rotation[:2].T * head.scale_px + head.centre_px
    size = np.array([WIDTH_PX, HEIGHT_PX], dtype=float)
    low, high = pixels.min(0), pixels.max(0)
    high[1] += BELOW_CHIN_SHARE * (high[1] - low[1])
    inner_low, inner_high = np.clip(low, 0, size), np.clip(high, 0, size)
    if np.prod(inner_high - inner_low) < INSIDE_SHARE * np.prod(high - low):
        return None
    x1, y1, x2, y2 = (float(value) for value in np.concatenate([inner_low / size, inner_high / size]))
    return x1, y1, x2, y2


@dataclass(frozen=True)
class Visitor:
    """One person of the scene; its box is the face's."""

    number: int
    situation: Situation
    way: Way
    track: BoxTrack = field(repr=False)

    @cached_property
    def class_name(self) -> str:
        """The mask state."""
        return self.way.look.wear.class_name


def face_track(way: Way, door_y_m: float) -> BoxTrack:
    """Follows a face from the door on: one box for each picture in which it is seen."""
    patch = face_patch(way.look.shape)
    times: list[float] = []
    boxes: list[Box] = []
    for frame in range(math.ceil(way.path.times_s[0] * FPS), math.floor(way.path.times_s[-1] * FPS) + 1):
        time_s = frame / FPS
        box = face_box(way, patch, time_s) if way.path.pose(time_s).y_m < door_y_m else None
        if box is not None:
            times.append(time_s)
            boxes.append(box)
        elif times:
            break
    return BoxTrack(np.array(times), np.array(boxes).reshape(-1, 4))
