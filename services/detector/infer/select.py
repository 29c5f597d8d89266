"""Chooses the engine: measures those at hand on this machine and takes the fastest that computes right."""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from services.core.costs import LONGEST_WORD, EngineChoice, EngineTrial
from services.core.frames import Picture
from services.detector.infer.classifier import classifier_choices, fastest_classifier
from services.detector.infer.detector import Detector
from services.detector.infer.engines import (
    CudaDetector,
    OnnxRuntimeDetector,
    OpenVinoDetector,
    has_cuda_build,
)
from services.detector.infer.two_stage import TwoStageDetector, open_stages

log = logging.getLogger(__name__)

ROUNDS = 7
LARGEST_DIFFERENCE = 0.02
"""By which a confidence may differ from ONNX Runtime's."""

CLEARLY_FASTER = 0.9
"""Share of the reference's time that another engine has to stay below."""


@dataclass(frozen=True, slots=True)
class _Selection:
    """What was chosen for one model file."""

    choice: EngineChoice
    make: Callable[[Path], Detector]


def make_detector(model: str) -> Detector:
    """Make the detector that a model's name stands for, with the engine that is fastest on this machine."""
    return open_stages(model, lambda path: fastest_engine(path)(path), fastest_classifier)


_measuring = threading.Lock()
_selections: dict[Path, _Selection] = {}


def fastest_engine(path: Path) -> Callable[[Path], Detector]:
    """Give the constructor of the fastest engine for a model file on this machine.

    It is measured once a process; threads that ask meanwhile wait, so that nothing distorts the figures.
    """
    with _measuring:
        if path not in _selections:
            _selections[path] = _select(path)
        return _selections[path].make


def engine_choices() -> tuple[EngineChoice, ...]:
    """Give what was chosen in this process so far, and why. It waits for no measurement."""
    return (*(selection.choice for selection in list(_selections.values())), *classifier_choices())


def choice_of(detector: Detector) -> EngineChoice:
    """Give why a detector has its engine; of one that was not measured here no more than its name."""
    if isinstance(detector, TwoStageDetector):
        return detector.choice(choice_of(detector.finder))
    selection = _selections.get(detector.info.path)
    if selection is not None and selection.choice.chosen == detector.engine:
        return selection.choice
    return EngineChoice(detector.info.name[:LONGEST_WORD], detector.engine, "engine-only")


def _select(path: Path) -> _Selection:
    reference = OnnxRuntimeDetector(path)
    usable, refused = _others(path, reference)
    medians, cpu_ms = _measured((reference, *usable))
    if usable:
        log.info("engines for %s: %s", path.name, ", ".join(f"{k} {v:.1f} ms" for k, v in medians.items()))
    best = min(usable, key=lambda other: medians[other.engine], default=reference)
    is_faster = medians[best.engine] < CLEARLY_FASTER * medians[reference.engine]
    chosen = best if is_faster else reference
    code = "engine-only" if not usable else "engine-fastest" if is_faster else "engine-reference"
    codes = {reference.engine: "trial-reference", **{other.engine: "trial-right" for other in usable}}
    tried = (
        *(EngineTrial(name, medians[name], True, code, cpu_ms[name]) for name, code in codes.items()),
        *refused,
    )
    name = reference.info.name[:LONGEST_WORD]
    return _Selection(EngineChoice(name, chosen.engine, code, tried), type(chosen))


def _measured(detectors: Sequence[Detector]) -> tuple[dict[str, float], dict[str, float]]:
    """Give the median time and processor time of a picture by engine, in milliseconds, measured in turn."""
    times: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for detector in detectors:
            times[detector.engine].append(_measure_ms(detector))
    return (
        {engine: round(median(wall for wall, _ in pairs), 2) for engine, pairs in times.items()},
        {engine: round(median(cpu for _, cpu in pairs), 2) for engine, pairs in times.items()},
    )


def _others(path: Path, reference: Detector) -> tuple[list[Detector], list[EngineTrial]]:
    """Open the model in every further engine: gives those that compute right, and what came of others."""
    usable: list[Detector] = []
    refused: list[EngineTrial] = []
    kinds: list[type[CudaDetector] | type[OpenVinoDetector]] = [CudaDetector] if has_cuda_build() else []
    for kind in (*kinds, OpenVinoDetector):
        try:
            other = kind(path)
        except ImportError:
            refused.append(EngineTrial(kind.engine, None, False, "trial-not-installed"))
            continue
        code = _wrong_with(reference, other)
        if code is None:
            usable.append(other)
        else:
            refused.append(EngineTrial(kind.engine, None, False, code))
    return usable, refused


def _wrong_with(reference: Detector, other: Detector) -> str | None:
    """Give why an engine cannot be used: it fell back to the reference, or computes something else."""
    if other.engine == reference.engine:
        return "trial-no-gpu"
    if _agrees(reference, other):
        return None
    log.warning("%s computes something else than %s: not used", other.engine, reference.engine)
    return "trial-differs"


def _probe(detector: Detector) -> Picture:
    info = detector.info
    noise = np.random.default_rng(0).integers(0, 255, (info.input_height // 8, info.input_width // 8, 3))
    return np.kron(noise, np.ones((8, 8, 1))).astype(np.uint8)


def _measure_ms(detector: Detector) -> tuple[float, float]:
    """Give what one picture takes, and what it takes of this thread, in which engines compute."""
    picture = _probe(detector)
    letterbox = detector.letterbox(detector.info.input_width, detector.info.input_height)
    started_s, cpu_started_s = time.perf_counter(), time.thread_time()
    detector.detect(picture, letterbox, 0.5)
    return (time.perf_counter() - started_s) * 1000, (time.thread_time() - cpu_started_s) * 1000


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
