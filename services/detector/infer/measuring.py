"""Measures the engines at hand for a model, and chooses the fastest of those that compute right."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from services.core.costs import EngineChoice, EngineName, EngineTrial
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.detector.infer.agreement import BOUNDS, Reference, noise
from services.detector.infer.catalogue import EngineKind
from services.detector.infer.engines import EngineDetector, OnnxRuntimeDetector
from services.detector.infer.models import file_word

log = logging.getLogger(__name__)

ROUNDS = 7
CLEARLY_FASTER = 0.9
"""Share of the reference's time that another engine has to stay below."""

CONFIDENCE = 0.5
"""Of the detections of a picture that is timed."""

Sampled = dict[str, list[tuple[float, float]]]
"""By engine: time and processor time of each picture, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured for a model, and chosen."""

    choice: EngineChoice
    samples: Sampled


def measure_engines(
    path: Path,
    kinds: Sequence[EngineKind],
    rounds: int = ROUNDS,
    step: Callable[[int], None] = lambda done: None,
    now_s: Callable[[], float] = time.time,
) -> Measurement:
    """Compare the engines with the reference, and time those that compute right in turn.

    `kinds` begins with the reference. `step` takes how many rounds are done.
    """
    reference = Reference(OnnxRuntimeDetector(path))
    opened: dict[str, EngineDetector] = {reference.detector.engine: reference.detector}
    trials = [EngineTrial(reference.detector.engine, None, True, "trial-reference", None, "fp32")]
    for kind in kinds[1:]:
        trial, detector = _tried(path, kind, reference)
        trials.append(trial)
        if detector is not None:
            opened[kind.name] = detector
    samples = _timed(list(opened.values()), rounds, step)
    tried = tuple(_with_times(trial, samples.get(trial.engine, [])) for trial in trials)
    log.info(
        "engines for %s: %s",
        path.name,
        ", ".join(f"{trial.engine} {trial.ms:.1f} ms" for trial in tried if trial.ms is not None),
    )
    chosen, code = fastest({kind.name for kind in kinds if kind.is_accelerated}, tried)
    return Measurement(EngineChoice(file_word(path), chosen, code, tried, round(now_s(), 3)), samples)


def forced(choice: EngineChoice, wanted: EngineName) -> EngineChoice:
    """Give a choice as the settings want it; one that cannot be used leaves it, and its reason says so."""
    if wanted == "auto":
        return choice
    if any(trial.engine == wanted and trial.passed for trial in choice.tried):
        return replace(choice, chosen=wanted, code="engine-forced")
    log.warning(
        "the engine %s cannot be used for %s here: %s computes it", wanted, choice.model, choice.chosen
    )
    return replace(choice, code="engine-forced-unusable")


def _tried(path: Path, kind: EngineKind, reference: Reference) -> tuple[EngineTrial, EngineDetector | None]:
    """Open a model in an engine and compare what it computes; gives no detector where it cannot be used."""
    refused = EngineTrial(kind.name, None, False, kind.absent, None, kind.precision)
    try:
        detector = kind.make(path)
        if detector.engine != kind.name:
            return refused, None
        found = reference.agreement(detector)
    except ImportError:
        return refused, None
    except (BadInputError, RuntimeError):
        log.warning("%s cannot compute %s: not used", kind.name, path.name)
        return replace(refused, code="trial-unable"), None
    is_right = found.holds(BOUNDS[kind.precision])
    if not is_right:
        log.warning("%s computes something else than %s: not used", kind.name, reference.detector.engine)
    code = "trial-right" if is_right else "trial-differs"
    trial = EngineTrial(kind.name, None, is_right, code, None, kind.precision, found.score, found.overlap)
    return trial, detector if is_right else None


def _timed(detectors: Sequence[EngineDetector], rounds: int, step: Callable[[int], None]) -> Sampled:
    """Time a picture in each engine, in turn."""
    samples: Sampled = defaultdict(list)
    picture = noise(detectors[0])
    for number in range(rounds):
        for detector in detectors:
            samples[detector.engine].append(_measure_ms(detector, picture))
        step(number + 1)
    return dict(samples)


def _measure_ms(detector: EngineDetector, picture: Picture) -> tuple[float, float]:
    """Give what one picture takes, and what it takes of this thread, in which engines compute."""
    letterbox = detector.letterbox(detector.info.input_width, detector.info.input_height)
    started_s, cpu_started_s = time.perf_counter(), time.thread_time()
    detector.detect(picture, letterbox, CONFIDENCE)
    return (time.perf_counter() - started_s) * 1000, (time.thread_time() - cpu_started_s) * 1000


def _with_times(trial: EngineTrial, samples: Sequence[tuple[float, float]]) -> EngineTrial:
    if not samples:
        return trial
    ms, cpu_ms = (round(median(times), 2) for times in zip(*samples, strict=True))
    return replace(trial, ms=ms, cpu_ms=cpu_ms)


def fastest(accelerated: Collection[str], tried: Sequence[EngineTrial]) -> tuple[str, str]:
    """Give the name of the engine to use, and why; the first trial is the reference's.

    Engines of the processor are judged by its time alone, which other work on the machine changes little.
    """
    times_ms = {
        trial.engine: time_ms
        for trial in tried
        if (time_ms := trial.ms if trial.engine in accelerated else trial.cpu_ms) is not None
    }
    reference = tried[0].engine
    others = [name for name in times_ms if name != reference]
    if not others:
        return reference, "engine-only"
    best = min(others, key=lambda name: times_ms[name])
    if times_ms[best] < CLEARLY_FASTER * times_ms[reference]:
        return best, "engine-fastest"
    return reference, "engine-reference"
