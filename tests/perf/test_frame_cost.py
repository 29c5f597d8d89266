"""What a frame costs from the file to the count; measured, so nothing else may run beside it."""

import time
from pathlib import Path

import pytest

from services.core.types import Line, LineId
from services.detector.count_file import count_video
from services.detector.decode.file import VideoFile
from services.detector.infer.models import model_path
from services.detector.infer.onnx_runtime import OnnxRuntimeDetector

BUDGET_MS = 33.0
LINE = Line(LineId("middle"), "Middle", ((0.1, 0.5), (0.9, 0.5)))


@pytest.mark.data
def test_a_frame_of_dense_traffic_is_within_its_budget(test_data: Path) -> None:
    detector = OnnxRuntimeDetector(model_path("traffic-n"))
    with VideoFile(test_data / "clips" / "stuttgart-crossing.mp4") as video:
        started_s = time.process_time()
        result = count_video(video, detector, [LINE])
        cost_ms = (time.process_time() - started_s) * 1000 / result.frames
    print(f"{cost_ms:.1f} ms of processor time a frame")
    assert result.crossings
    assert cost_ms <= BUDGET_MS
