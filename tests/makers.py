"""Small makers of domain objects for tests."""

import time

from services.core.costs import AnalysisCost, EngineChoice, EngineTrial
from services.core.model_classes import mask_state
from services.core.types import (
    AnalysedSecond,
    Camera,
    CameraId,
    Crossing,
    Line,
    LineId,
    Trajectory,
    TrajectoryPoint,
)

GATE = CameraId("gate")


def recent_minute_s(minutes_ago: int = 60) -> float:
    """The start of a recent minute: retention removes what is old."""
    return (time.time() // 60 - minutes_ago) * 60.0


def camera(id: str = "gate", url: str = "demo://traffic") -> Camera:
    return Camera(CameraId(id), id.title(), url)


def line(id: str = "main", y: float = 0.7) -> Line:
    return Line(LineId(id), id, ((0.1, y), (0.9, y)))


def crossing(
    number: int,
    time_s: float,
    line: str = "main",
    direction: str = "forward",
    class_name: str = "car",
    epoch: int = 1,
) -> Crossing:
    return Crossing(
        id=f"gate-{epoch}-{line}-{number}",
        camera=GATE,
        line=LineId(line),
        line_version=1,
        time_s=time_s,
        class_name=class_name,
        direction=direction,
        along=0.25,
        track=number,
        confidence=0.875,
        epoch=epoch,
        mask=mask_state(class_name),
    )


def analysis_cost(cores: float = 0.18) -> AnalysisCost:
    """What a camera of 25 pictures a second costs of which ten are analysed."""
    tried = (
        EngineTrial("onnxruntime-cpu", 15.5, True, "trial-reference", 15.0),
        EngineTrial("openvino-cpu", 12.25, True, "trial-right", 11.5),
    )
    choice = EngineChoice("traffic-n", "openvino-cpu", "engine-fastest", tried)
    return AnalysisCost(choice, 13.75, 10.0, cores, 3, 25.0, 180.5)


def trajectory(number: int, time_s: float, points: int = 20, epoch: int = 1) -> Trajectory:
    observed = tuple(
        TrajectoryPoint(time_s + i * 0.1, (0.1 + i * 0.01, 0.2, 0.15 + i * 0.01, 0.3)) for i in range(points)
    )
    return Trajectory(f"gate-{epoch}-{number}", GATE, number, epoch, "car", 0.9, observed)


def seconds(first_s: float, number: int, epoch: int = 0) -> list[AnalysedSecond]:
    return [AnalysedSecond(GATE, int(first_s) + i, epoch) for i in range(number)]
