"""The scene that the chaos test watches: a scripted street whose every crossing is known."""

from dataclasses import dataclass
from pathlib import Path

from services.core.types import Line, LineId
from services.ingest.demo.encode import write_video
from services.ingest.demo.traffic import make_scene
from services.ingest.demo.truth import TrueCrossing, truth_of

SEED = 4
"""A scene that the unbroken system counts exactly, by line and direction."""

SHIFTS = (-0.2, -0.1, 0.0, 0.1)
"""Where lines lie across the road, beside the scene's own: most vehicles cross one each half second."""


@dataclass(frozen=True, slots=True)
class ChaosScene:
    """A video with its lines and what crosses them, in seconds from its start."""

    video: Path
    duration_s: float
    lines: tuple[Line, ...]
    crossings: tuple[TrueCrossing, ...]


def chaos_scene(folder: Path, duration_s: float) -> ChaosScene:
    """Render the scene into a folder."""
    scene = make_scene(SEED, duration_s)
    road = next(line for line in scene.lines if line.id == "road")
    lines = tuple(_shifted(road, number, shift) for number, shift in enumerate(SHIFTS))
    video = folder / "chaos.mp4"
    write_video(scene, video)
    return ChaosScene(video, duration_s, lines, tuple(truth_of(scene, lines)))


def _shifted(line: Line, number: int, shift: float) -> Line:
    points = tuple((x + shift, y) for x, y in line.points)
    name = f"road{number}"
    return Line(LineId(name), name, points, line.anchor, line.classes)
