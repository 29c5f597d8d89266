"""A scene: who moves where and when in front of the demo's camera; pure, the same for the same seed."""

from dataclasses import dataclass, field
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from services.core.types import Box, Line
from services.demo.bodies import CLASS_OF, Body, visible_box
from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Floats, Viewpoint
from services.demo.paths import Path

FPS = 25
SIZE_PX = (WIDTH_PX, HEIGHT_PX)
Owners = npt.NDArray[np.int16]
"""For each pixel the number of the object that is seen there, -1 for none."""
DEFAULT_SEED = 7
DEFAULT_DURATION_S = 60.0
LARGEST_RADIUS_M = 6.0
Situation = Literal["pass", "occlusion", "stop", "u_turn", "near_miss"]


@dataclass(frozen=True)
class BoxTrack:
    """An object's box in the picture over time: straight between its samples, absent outside them."""

    times_s: Floats
    boxes: Floats
    """(samples, 4): x1, y1, x2, y2, normalised."""

    def box_at(self, time_s: float) -> Box | None:
        """The box at a time, None when the object is not in the picture."""
        if len(self.times_s) == 0 or not self.times_s[0] <= time_s <= self.times_s[-1]:
            return None
        x1, y1, x2, y2 = (float(np.interp(time_s, self.times_s, self.boxes[:, i])) for i in range(4))
        return x1, y1, x2, y2


class ScriptedObject(Protocol):
    """What the truth needs to know of an object, whatever it looks like."""

    @property
    def number(self) -> int:
        """Its number within the scene."""

    @property
    def class_name(self) -> str:
        """What a detector is to call it."""

    @property
    def track(self) -> BoxTrack:
        """Its box over time."""


ObjectT = TypeVar("ObjectT", bound=ScriptedObject, covariant=True)


@dataclass(frozen=True, kw_only=True)
class Script(Generic[ObjectT]):
    """A scripted scene that begins and ends with nobody in the picture."""

    seed: int
    duration_s: float
    view: Viewpoint
    lines: tuple[Line, ...]
    objects: tuple[ObjectT, ...]

    @property
    def frames(self) -> int:
        """Pictures of one loop."""
        return round(self.duration_s * FPS)

    def present(self, time_s: float) -> list[tuple[ObjectT, Box]]:
        """The objects in the picture at a time (0 to the duration) with their boxes."""
        found = ((thing, thing.track.box_at(time_s)) for thing in self.objects)
        return [(thing, box) for thing, box in found if box is not None]


@dataclass(frozen=True)
class SceneObject:
    """One object of a scene: what it is, its way over the ground, its box in the picture."""

    number: int
    class_name: str
    situation: Situation
    body: Body
    path: Path
    track: BoxTrack


@dataclass(frozen=True)
class Pole:
    """A lamp post or a sign that hides a little of what passes behind it."""

    x_m: float
    y_m: float
    height_m: float
    radius_m: float


@dataclass(frozen=True)
class Street:
    """Lateral distances (metres from the camera) of the street's parts."""

    kerb_m: float
    walk_m: float
    bike_m: float
    near_m: float
    far_m: float
    end_m: float
    hand: int
    """+1 where the near lane's traffic goes to the right of the picture."""


@dataclass(frozen=True, kw_only=True)
class Scene(Script[SceneObject]):
    """A scripted street."""

    street: Street
    poles: tuple[Pole, ...] = field(default=())


def box_track(body: Body, path: Path, view: Viewpoint) -> BoxTrack:
    """Follows a body along its path: one box for each picture in which it is visible."""
    first = int(np.ceil(path.times_s[0] * FPS))
    last = int(np.floor(path.times_s[-1] * FPS))
    times: list[float] = []
    boxes: list[Floats] = []
    for frame in _perhaps_visible(path, view, np.arange(first, last + 1)):
        pose = path.pose(frame / FPS)
        box = visible_box(body.mesh(pose), pose, view)
        if box is not None:
            times.append(frame / FPS)
            boxes.append(box)
    return BoxTrack(np.array(times), np.array(boxes).reshape(-1, 4))


def _perhaps_visible(path: Path, view: Viewpoint, frames: npt.NDArray[np.int_]) -> list[int]:
    """The frames in which something is near the picture: most of a route lies far outside it."""
    xs = np.interp(frames / FPS, path.times_s, path.xs_m)
    ys = np.interp(frames / FPS, path.times_s, path.ys_m)
    pixels, depths = view.project(np.stack([xs, ys, np.full_like(xs, 1.0)], axis=1))
    reach_px = LARGEST_RADIUS_M * view.focal_px / np.maximum(depths, 1.0)
    near = (pixels[:, 0] > -reach_px) & (pixels[:, 0] < WIDTH_PX + reach_px) & (depths > 0)
    return [int(frame) for frame in frames[near]]


def placed(number: int, body: Body, path: Path, situation: Situation, view: Viewpoint) -> SceneObject:
    """An object of a scene with its box worked out."""
    return SceneObject(number, CLASS_OF[body.kind], situation, body, path, box_track(body, path, view))
