"""Chooses the engine: measures those at hand on this machine and takes the fastest that computes right."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np

from services.core.frames import Picture
from services.detector.infer.detector import Detector
from services.detector.infer.engines import (
    CudaDetector,
    OnnxRuntimeDetector,
    OpenVinoDetector,
    has_cuda_build,
)
from services.detector.infer.models import model_path

log = logging.getLogger(__name__)

ROUNDS = 7
LARGEST_DIFFERENCE = 0.02
"""By which a confidence may differ from ONNX Runtime's."""


def _others(path: Path) -> list[Detector]:
    """Open the model in every further engine that is installed."""
    others: list[Detector] = [CudaDetector(path)] if has_cuda_build() else []
    with suppress(ImportError):
        others.append(OpenVinoDetector(path))
    return others


def make_detector(model: str) -> Detector:
    """Make the detector that a model's name stands for, with the engine that is fastest on this machine."""
    path = model_path(model)
    return fastest_engine(path)(path)


_measuring = threading.Lock()


def fastest_engine(path: Path) -> Callable[[Path], Detector]:
    """Give the constructor of the fastest engine for a model file on this machine.

    It is measured once a process; threads that ask meanwhile wait, so that nothing distorts the figures.
    """
    with _measuring:
        return _fastest_engine(path)


@cache
def _fastest_engine(path: Path) -> Callable[[Path], Detector]:
    reference = OnnxRuntimeDetector(path)
    others = [other for other in _others(path) if _is_usable(reference, other)]
    if not others:
        return OnnxRuntimeDetector
    times_ms: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for detector in (reference, *others):
            times_ms[detector.engine].append(_measure_ms(detector))
    medians = {engine: median(values) for engine, values in times_ms.items()}
    log.info("engines for %s: %s", path.name, ", ".join(f"{k} {v:.1f} ms" for k, v in medians.items()))
    best = min(others, key=lambda other: medians[other.engine])
    return type(best) if medians[best.engine] < 0.9 * medians[reference.engine] else OnnxRuntimeDetector


def _is_usable(reference: Detector, other: Detector) -> bool:
    """Whether an engine is another than the reference, and computes the same."""
    if other.engine == reference.engine:
        return False
    agrees = _agrees(reference, other)
    if not agrees:
        log.warning("%s computes something else than %s: not used", other.engine, reference.engine)
    return agrees


def _probe(detector: Detector) -> Picture:
    info = detector.info
    noise = np.random.default_rng(0).integers(0, 255, (info.input_height // 8, info.input_width // 8, 3))
    return np.kron(noise, np.ones((8, 8, 1))).astype(np.uint8)


def _measure_ms(detector: Detector) -> float:
    picture = _probe(detector)
    letterbox = detector.letterbox(detector.info.input_width, detector.info.input_height)
    started_s = time.perf_counter()
    detector.detect(picture, letterbox, 0.5)
    return (time.perf_counter() - started_s) * 1000


def _agrees(reference: Detector, other: Detector) -> bool:
    picture = _probe(reference)
    letterbox = reference.letterbox(reference.info.input_width, reference.info.input_height)
    one, two = (
        sorted(item.confidence for item in detector.detect(picture, letterbox, 0.02))
        for detector in (reference, other)
    )
    return len(one) == len(two) and all(
        abs(a - b) <= LARGEST_DIFFERENCE for a, b in zip(one, two, strict=True)
    )
