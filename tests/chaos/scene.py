"""The scene that the chaos test watches: a scripted street whose every crossing is known."""

import atexit
import shutil
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from pathlib import Path

from services.core.types import Line, LineId
from services.demo.encode import write_video
from services.demo.script import FPS, Scene
from services.demo.traffic import make_scene
from services.demo.truth import TrueCrossing, truth_of
from tests.fixtures.camera_video import STREET_KEYS_PER_S, SUFFIX, encode

SEED = 4
"""A scene that the unbroken system counts exactly, by line and direction, but for one of its objects."""

LEFT_OUT = 0
"""A bus that the model takes for two objects, or not, by which of the camera's pictures it is shown: at ten a
second in one of ten passes, whether anything is broken meanwhile or not."""

LOOP_S = 90.0
"""Length of the video, which the camera plays over and over: its script is over by then."""

SHIFTS = (-0.2, -0.1, 0.0, 0.1)
"""Where lines lie across the road, beside the scene's own: most vehicles cross one each half second."""


@dataclass(frozen=True, slots=True)
class ChaosScene:
    """A video with its lines and what crosses them, in seconds from its first start."""

    video: Path
    lines: tuple[Line, ...]
    crossings: tuple[TrueCrossing, ...]


def chaos_scene(duration_s: float) -> ChaosScene:
    """Give the scene, and tell what crosses while it is played for a time."""
    scene = _street()
    road = next(line for line in scene.lines if line.id == "road")
    lines = tuple(_shifted(road, number, shift) for number, shift in enumerate(SHIFTS))
    crossings = [
        replace(crossing, time_s=crossing.time_s + loop * LOOP_S)
        for loop in range(ceil(duration_s / LOOP_S))
        for crossing in truth_of(scene, lines)
    ]
    return ChaosScene(_video(), lines, tuple(crossings))


def _street() -> Scene:
    whole = make_scene(SEED, LOOP_S)
    return replace(whole, objects=tuple(item for item in whole.objects if item.number != LEFT_OUT))


@cache
def _video() -> Path:
    """Render and encode the scene, which takes longer than to watch it, once for all tests of a run."""
    folder = Path(tempfile.mkdtemp(prefix="sightline-street-"))
    atexit.register(shutil.rmtree, folder)
    rendered = folder / "street.mp4"
    write_video(_street(), rendered)
    played = rendered.with_suffix(SUFFIX)
    played.write_bytes(encode(rendered, FPS, FPS // STREET_KEYS_PER_S))
    return played


def _shifted(line: Line, number: int, shift: float) -> Line:
    points = tuple((x + shift, y) for x, y in line.points)
    name = f"road{number}"
    return Line(LineId(name), name, points, line.anchor, line.classes)
