"""`sightline bench`: what each part of a frame costs beside its budget, and the model beside others."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from services.cli.bench.engines import engines
from services.cli.bench.models import models
from services.cli.console import notes, progress, table
from services.core.errors import BadInputError
from services.core.types import CameraId, Detection, Line, LineId
from services.demo.encode import write_video
from services.demo.traffic import SHORTEST_S, make_scene
from services.detector.analyser import Analyser
from services.detector.count_file import count_video
from services.detector.decode.file import VideoFile
from services.detector.decode.scaling import scaled_rgb
from services.detector.infer.detector import Detector
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.models import model_path
from services.detector.track.bytetrack import TrackerSettings

FRAME_BUDGET_MS = 33.0
TRACKING_BUDGET_MS = 4.0
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class MeasuredCost:
    """One measured cost."""

    part: str
    measured_ms: float
    budget_ms: float | None = None

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The figure as a row of the table."""
        budget = "" if self.budget_ms is None else f"{self.budget_ms:.0f}"
        verdict = "" if self.budget_ms is None else ("ok" if self.measured_ms <= self.budget_ms else "over")
        return self.part, f"{self.measured_ms:.2f}", budget, verdict


def frame(
    video: Annotated[Path | None, typer.Argument(help="Video to measure on (default: a demo scene).")] = None,
    model: Annotated[
        str, typer.Option(help="traffic, mask, a shipped model or an .onnx file.")
    ] = "traffic-n",
) -> None:
    """Measure the cost of a frame: decode, network, tracking and counting (processor time, medians)."""
    detector = OnnxRuntimeDetector(model_path(model))
    with TemporaryDirectory() as folder:
        if video is None:
            video = Path(folder) / "demo.mp4"
            notes.print("rendering a demo scene ...")
            write_video(make_scene(seed=1, duration_s=SHORTEST_S), video)
        figures = measure(video, detector)
    table(
        f"processor time on {video.name} with {detector.info.name}",
        ("part", "ms", "budget", ""),
        [f.row for f in figures],
    )
    if any(figure.budget_ms is not None and figure.measured_ms > figure.budget_ms for figure in figures):
        raise typer.Exit(1)


def measure(video: Path, detector: Detector) -> list[MeasuredCost]:
    """Measure each part on a video, interleaved; the medians of several rounds."""
    parts: dict[str, Callable[[], float]] = {
        "decode": lambda: _decode_ms(video),
        "scale and network": lambda: _network_ms(video, detector),
        "tracking and counting": _crowd_ms,
        "whole frame, decode to count": lambda: _whole_ms(video, detector),
    }
    budgets = {"tracking and counting": TRACKING_BUDGET_MS, "whole frame, decode to count": FRAME_BUDGET_MS}
    titles = {"tracking and counting": "tracking and counting, 50 objects and 10 lines"}
    samples: dict[str, list[float]] = {part: [] for part in parts}
    with progress("measuring", ROUNDS) as advance:
        for number in range(ROUNDS):
            for part, run in parts.items():
                samples[part].append(run())
            advance(number + 1)
    return [MeasuredCost(titles.get(part, part), median(samples[part]), budgets.get(part)) for part in parts]


def _per_frame_ms(run: Callable[[], int]) -> float:
    started_s = time.process_time()
    frames = run()
    if not frames:
        raise BadInputError("the video holds no picture")
    return (time.process_time() - started_s) * 1000 / frames


def _decode_ms(path: Path) -> float:
    with VideoFile(path) as video:
        return _per_frame_ms(lambda: sum(1 for _ in video.pictures()))


def _network_ms(path: Path, detector: Detector) -> float:
    with VideoFile(path) as video:
        pictures = [picture for _, (_, picture) in zip(range(60), video.pictures(), strict=False)]
        letterbox = detector.letterbox(*video.size)

    def run() -> int:
        for picture in pictures:
            detector.detect(scaled_rgb(picture, letterbox), letterbox, TrackerSettings().weak)
        return len(pictures)

    return _per_frame_ms(run)


def _whole_ms(path: Path, detector: Detector) -> float:
    with VideoFile(path) as video:
        return _per_frame_ms(lambda: count_video(video, detector, _lines(2)).frames)


def _lines(count: int) -> list[Line]:
    return [
        Line(LineId(f"l{i}"), f"L{i}", ((0.05, (i + 1) / (count + 1)), (0.95, (i + 1) / (count + 1))))
        for i in range(count)
    ]


def _crowd_ms() -> float:
    """Fifty objects that cross ten lines: only tracker and counters."""
    chance = random.Random(1)
    starts = [(chance.random(), chance.random(), chance.uniform(-0.01, 0.01)) for _ in range(50)]
    analyser = Analyser(CameraId("bench"), 16 / 9, _lines(10))

    def run() -> int:
        for frame in range(100):
            detections = []
            for x, y, speed in starts:
                top = (y + speed * frame) % 1
                detections.append(Detection((x, top, x + 0.03, top + 0.06), "car", 0.8))
            analyser.update(frame, frame / 10, detections)
        return 100

    return _per_frame_ms(run)


FRAME = "frame"


class FrameUnlessNamed(TyperGroup):
    """Takes arguments that begin with no command's name for those of `frame`: `bench VIDEO`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `frame` before arguments that name no command."""
        if not args or args[0] not in (*self.commands, *self.get_help_option_names(ctx)):
            args = [FRAME, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="bench",
    cls=FrameUnlessNamed,
    help="Measure the cost of a frame (`sightline bench [VIDEO]`), the model beside others, or engines.",
)
app.command(FRAME)(frame)
app.command("models")(models)
app.command("engines")(engines)
