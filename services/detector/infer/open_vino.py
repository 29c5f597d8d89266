"""Detection by OpenVINO on the CPU, an optional extra."""

from pathlib import Path

import numpy as np

from services.core.frames import Letterbox, Picture, detections_from
from services.core.types import Detection
from services.detector.infer.detector import ModelInfo
from services.detector.infer.models import read_info


class OpenVinoDetector:
    """Implements `Detector`; ImportError where OpenVINO is not installed."""

    engine = "openvino-cpu"

    def __init__(self, path: Path, threads: int = 1) -> None:
        import openvino

        self.info: ModelInfo = read_info(path)
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        model = openvino.Core().compile_model(str(path), "CPU", settings)
        self._request = model.create_infer_request()

    def letterbox(self, width: int, height: int) -> Letterbox:
        """Tell how a picture of this size must be scaled for `detect`."""
        return Letterbox(self.info.input_width, self.info.input_height, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects with at least this confidence."""
        output = self._request.infer([letterbox.blob(scaled_rgb)])
        rows = np.array(output[0], np.float32)[0]
        return detections_from(rows, letterbox, self.info.classes, confidence, self.info.overlap)
