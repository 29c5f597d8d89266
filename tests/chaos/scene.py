"""The scene that the chaos test watches: a scripted street whose every crossing is known."""

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from services.core.types import Line, LineId
from services.ingest.demo.encode import write_video
from services.ingest.demo.traffic import make_scene
from services.ingest.demo.truth import TrueCrossing, truth_of

SEED = 4
"""A scene that the unbroken system counts exactly, by line and direction."""

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


def chaos_scene(folder: Path, duration_s: float) -> ChaosScene:
    """Render the scene into a folder, and tell what crosses while it is played for a time."""
    scene = make_scene(SEED, LOOP_S)
    road = next(line for line in scene.lines if line.id == "road")
    lines = tuple(_shifted(road, number, shift) for number, shift in enumerate(SHIFTS))
    video = folder / "chaos.mp4"
    write_video(scene, video)
    loops = range(ceil(duration_s / LOOP_S))
    crossings = [
        replace(crossing, time_s=crossing.time_s + loop * LOOP_S)
        for loop in loops
        for crossing in truth_of(scene, lines)
    ]
    return ChaosScene(video, lines, tuple(crossings))


def _shifted(line: Line, number: int, shift: float) -> Line:
    points = tuple((x + shift, y) for x, y in line.points)
    name = f"road{number}"
    return Line(LineId(name), name, points, line.anchor, line.classes)
