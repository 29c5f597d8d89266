"""Detection by ONNX Runtime on an NVIDIA GPU, where its GPU build is installed (the image `detector-gpu`)."""

import logging
from pathlib import Path

import onnxruntime as ort

from services.detector.infer.onnx_runtime import OnnxRuntimeDetector

log = logging.getLogger(__name__)

PROVIDER = "CUDAExecutionProvider"

OPTIONS = {"use_tf32": "0"}
"""Full precision, so that the counts are those of the CPU."""

SILENT, WARNINGS = 4, 2
"""Severities of ONNX Runtime's own log; it starts with warnings."""


def is_installed() -> bool:
    """Whether this ONNX Runtime is a GPU build; that it finds a GPU is another question."""
    return PROVIDER in ort.get_available_providers()


class CudaDetector(OnnxRuntimeDetector):
    """Implements `Detector`; computes on the CPU, and `engine` says so, where no GPU can be used."""

    engine = "onnxruntime-cuda"

    def __init__(self, path: Path, threads: int = 1) -> None:
        ort.preload_dlls(directory="")
        ort.set_default_logger_severity(SILENT)
        try:
            super().__init__(path, threads, [(PROVIDER, OPTIONS)])
        finally:
            ort.set_default_logger_severity(WARNINGS)
        if self._session.get_providers()[0] != PROVIDER:
            self.engine = OnnxRuntimeDetector.engine
            log.warning(
                "no NVIDIA GPU can be used (is it given to the container, is its driver 580 or newer?): "
                "detection runs on the CPU"
            )
