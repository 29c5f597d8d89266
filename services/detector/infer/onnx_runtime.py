"""Detection by ONNX Runtime on the CPU, one thread a camera."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture, detections_from
from services.core.types import Detection
from services.detector.infer.detector import ModelInfo
from services.detector.infer.models import read_info

CPU = "CPUExecutionProvider"

Provider = str | tuple[str, dict[str, str]]
"""A part of ONNX Runtime that computes, by name, and its options."""

ENGINE_ERRORS = (
    engine.Fail,
    engine.InvalidArgument,
    engine.InvalidGraph,
    engine.InvalidProtobuf,
    engine.NoSuchFile,
    engine.NotImplemented,
)


def open_session(
    path: Path, threads: int = 1, providers: Sequence[Provider] = (CPU,)
) -> ort.InferenceSession:
    """Load an ONNX file for ONNX Runtime; BadInputError when it is none."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=list(providers))
    except ENGINE_ERRORS as error:
        raise BadInputError(f"{path} is no model that ONNX Runtime can load") from error


class OnnxRuntimeDetector:
    """Implements `Detector`."""

    engine = "onnxruntime-cpu"

    def __init__(self, path: Path, threads: int = 1, providers: Sequence[Provider] = (CPU,)) -> None:
        self._session = open_session(path, threads, providers)
        self.info: ModelInfo = read_info(path)
        self._input = self._session.get_inputs()[0].name

    def letterbox(self, width: int, height: int) -> Letterbox:
        """Tell how a picture of this size must be scaled for `detect`."""
        return Letterbox(self.info.input_width, self.info.input_height, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects with at least this confidence."""
        (predictions,) = self._session.run(None, {self._input: letterbox.blob(scaled_rgb)})
        rows = np.asarray(predictions, np.float32)[0]
        return detections_from(rows, letterbox, self.info.classes, confidence, self.info.overlap)
