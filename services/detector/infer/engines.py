"""The engines that compute a network: ONNX Runtime on the CPU and on an NVIDIA GPU, and OpenVINO.

ONNX Runtime's GPU build is in the image `detector-gpu`; OpenVINO is an optional extra.
"""

import logging
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

log = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"

CUDA_OPTIONS = {"use_tf32": "0"}
"""Full precision, so that the counts are those of the CPU."""

SILENT, WARNINGS = 4, 2
"""Severities of ONNX Runtime's own log; it starts with warnings."""

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
        """Give how a picture of this size is scaled for `detect`."""
        return Letterbox(self.info.input_width, self.info.input_height, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects with at least this confidence."""
        (predictions,) = self._session.run(None, {self._input: letterbox.blob(scaled_rgb)})
        rows = np.asarray(predictions, np.float32)[0]
        return detections_from(rows, letterbox, self.info.classes, confidence, self.info.overlap)


def has_cuda_build() -> bool:
    """Whether this ONNX Runtime is a GPU build; that it finds a GPU is another question."""
    return CUDA in ort.get_available_providers()


class CudaDetector(OnnxRuntimeDetector):
    """Implements `Detector`; computes on the CPU, and `engine` says so, where no GPU can be used."""

    engine = "onnxruntime-cuda"

    def __init__(self, path: Path, threads: int = 1) -> None:
        ort.preload_dlls(directory="")
        ort.set_default_logger_severity(SILENT)
        try:
            super().__init__(path, threads, [(CUDA, CUDA_OPTIONS)])
        finally:
            ort.set_default_logger_severity(WARNINGS)
        if self._session.get_providers()[0] != CUDA:
            self.engine = OnnxRuntimeDetector.engine
            log.warning(
                "no NVIDIA GPU can be used (is it given to the container, is its driver 580 or newer?): "
                "detection runs on the CPU"
            )


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
        """Give how a picture of this size is scaled for `detect`."""
        return Letterbox(self.info.input_width, self.info.input_height, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects with at least this confidence."""
        output = self._request.infer([letterbox.blob(scaled_rgb)])
        rows = np.array(output[0], np.float32)[0]
        return detections_from(rows, letterbox, self.info.classes, confidence, self.info.overlap)
