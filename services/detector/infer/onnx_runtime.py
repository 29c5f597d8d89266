"""Detection by ONNX Runtime on the CPU, one thread a camera."""

from pathlib import Path

import numpy as np

from services.core.frames import Letterbox, Picture, detections_from
from services.core.types import Detection
from services.detector.infer.detector import ModelInfo
from services.detector.infer.models import open_session, read_info


class OnnxRuntimeDetector:
    """Implements `Detector`."""

    engine = "onnxruntime-cpu"

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = open_session(path, threads)
        self.info: ModelInfo = read_info(path, self._session)
        self._input = self._session.get_inputs()[0].name

    def letterbox(self, width: int, height: int) -> Letterbox:
        """Tell how a picture of this size must be scaled for `detect`."""
        return Letterbox(self.info.input_width, self.info.input_height, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects with at least this confidence."""
        (predictions,) = self._session.run(None, {self._input: letterbox.blob(scaled_rgb)})
        rows = np.asarray(predictions, np.float32)[0]
        return detections_from(rows, letterbox, self.info.classes, confidence, self.info.overlap)
