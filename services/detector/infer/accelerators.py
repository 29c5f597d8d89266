"""The engines of an NVIDIA graphics card: ONNX Runtime's providers CUDA and TensorRT (its GPU build)."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import onnxruntime as ort

from services.core.errors import BadInputError
from services.detector.infer.engines import CPU, OnnxRuntimeDetector, Provider

log = logging.getLogger(__name__)

CUDA, TENSORRT = "CUDAExecutionProvider", "TensorrtExecutionProvider"

CUDA_OPTIONS = {"use_tf32": "0"}
"""Full precision, so that the counts are those of the CPU."""

TENSORRT_OPTIONS = {"trt_fp16_enable": "0", "trt_int8_enable": "0", "trt_max_workspace_size": str(2**30)}

CACHE_BYTES = 512 * 2**20
"""Most of what TensorRT has built that is kept for a next start; the oldest is removed first."""

SILENT, WARNINGS = 4, 2
"""Severities of ONNX Runtime's own log; it starts with warnings."""


def has_provider(name: str) -> bool:
    """Whether this ONNX Runtime was built with a provider; that it can be used is another question."""
    return name in ort.get_available_providers()


class _AcceleratedDetector(OnnxRuntimeDetector):
    """Computes elsewhere, and `engine` says where, if its provider cannot be used."""

    why_not: str

    def __init__(self, path: Path, threads: int, providers: Sequence[Provider]) -> None:
        ort.preload_dlls(directory="")
        ort.set_default_logger_severity(SILENT)
        try:
            super().__init__(path, threads, providers)
        except (BadInputError, RuntimeError):
            super().__init__(path, threads)
        finally:
            ort.set_default_logger_severity(WARNINGS)
        used = self._session.get_providers()[0]
        if used != providers[0][0]:
            self.engine = "onnxruntime-cuda" if used == CUDA else OnnxRuntimeDetector.engine
            log.warning(self.why_not)


class CudaDetector(_AcceleratedDetector):
    """The graphics card by CUDA."""

    engine = "onnxruntime-cuda"
    why_not = (
        "no NVIDIA GPU can be used (is it given to the container, is its driver 580 or newer?): detection "
        "runs on the CPU"
    )

    def __init__(self, path: Path, threads: int = 1) -> None:
        super().__init__(path, threads, [(CUDA, CUDA_OPTIONS)])


class TensorRtDetector(_AcceleratedDetector):
    """The graphics card by TensorRT, which builds a program for it: minutes, kept in `cache` for later."""

    engine = "onnxruntime-tensorrt"
    why_not = "TensorRT cannot be used (are its libraries installed, and is there an NVIDIA GPU?)"

    def __init__(self, path: Path, threads: int = 1, cache: Path | None = None) -> None:
        options = TENSORRT_OPTIONS | (_cache_options(cache) if cache is not None else {})
        super().__init__(path, threads, [(TENSORRT, options), (CUDA, CUDA_OPTIONS), CPU])
        if cache is not None:
            bound_cache(cache)


def _cache_options(folder: Path) -> dict[str, str]:
    """Give the options by which TensorRT keeps what it has built; none where the folder cannot be made."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        log.warning("what TensorRT builds is not kept: %s: %s", folder, error.strerror)
        return {}
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder),
    }


def bound_cache(folder: Path, most_bytes: int = CACHE_BYTES) -> None:
    """Remove the files of a folder that were written first, until the rest has at most so many bytes."""
    with suppress(OSError):
        files = sorted(
            (file for file in folder.iterdir() if file.is_file() and not file.is_symlink()),
            key=lambda file: file.stat().st_mtime_ns,
            reverse=True,
        )
        kept_bytes = 0
        for file in files:
            kept_bytes += file.stat().st_size
            if kept_bytes > most_bytes:
                file.unlink(missing_ok=True)
