"""Makes detectors, each with the engine that was chosen for its model on this machine.

What an earlier process has measured under the same conditions is taken as it is; else it is measured once a
process and remembered.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from services.core.costs import EngineChoice, EngineName
from services.detector.infer.catalogue import engine_kinds, measurement_key
from services.detector.infer.classifier import classifier_choices, fastest_classifier
from services.detector.infer.detector import Detector
from services.detector.infer.file_watch import Stamp, stamp_of
from services.detector.infer.measuring import ROUNDS, Measurement, forced, measure_engines
from services.detector.infer.memory import EngineMemory
from services.detector.infer.models import file_word
from services.detector.infer.two_stage import TwoStageDetector, open_stages


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How engines are chosen in this process."""

    folder: Path | None = None
    """Where it is remembered what was chosen, and TensorRT keeps its programs; None: nowhere."""
    engine: EngineName = "auto"


@dataclass(frozen=True, slots=True)
class _Selection:
    """What was chosen for one model file."""

    choice: EngineChoice
    make: Callable[[Path], Detector]
    stamp: Stamp | None
    """Of the file that was measured: another one in its place may want another engine."""


_measuring = threading.Lock()
_selections: dict[Path, _Selection] = {}
_settings = EngineSettings()


def use_engines(settings: EngineSettings) -> None:
    """Choose engines by these settings from now on: call it before the first detector is made."""
    global _settings
    with _measuring:
        _settings = settings
        _selections.clear()


def make_detector(model: str) -> Detector:
    """Make the detector that a model's name stands for, with the engine that is fastest on this machine."""
    return open_stages(model, lambda path: fastest_engine(path)(path), fastest_classifier)


def fastest_engine(path: Path) -> Callable[[Path], Detector]:
    """Give the constructor of the engine that was chosen for a model file.

    It is measured once a process at most, and again when another file takes its place; threads that ask
    meanwhile wait, so that nothing distorts the figures.
    """
    with _measuring:
        known = _selections.get(path)
        if known is None or known.stamp != stamp_of(path):
            known = _selections[path] = _select(path, _settings)
        return known.make


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
    return EngineChoice(file_word(detector.info.path), detector.engine, "engine-only")


def measure_and_remember(
    path: Path,
    settings: EngineSettings,
    rounds: int = ROUNDS,
    step: Callable[[int], None] = lambda done: None,
) -> Measurement:
    """Measure the engines for a model now, whatever is remembered, and remember what came out."""
    kinds = engine_kinds(path, settings.folder)
    measured = measure_engines(path, kinds, rounds, step)
    if settings.folder is not None:
        EngineMemory(settings.folder).remember(measurement_key(path, settings.folder), measured.choice)
    return measured


def _select(path: Path, settings: EngineSettings) -> _Selection:
    stamp = stamp_of(path)
    makers = {kind.name: kind.make for kind in engine_kinds(path, settings.folder)}
    choice = _recalled(path, settings) or measure_and_remember(path, settings).choice
    choice = forced(choice, settings.engine)
    return _Selection(choice, makers[choice.chosen], stamp)


def _recalled(path: Path, settings: EngineSettings) -> EngineChoice | None:
    """Give what is remembered for a model; None where it is nothing, or names an engine that is not there."""
    if settings.folder is None:
        return None
    choice = EngineMemory(settings.folder).recall(measurement_key(path, settings.folder))
    known = {kind.name for kind in engine_kinds(path, settings.folder)}
    usable = {trial.engine for trial in choice.tried if trial.passed} if choice is not None else set()
    if choice is None or choice.chosen not in usable or not usable <= known:
        return None
    return replace(choice, model=file_word(path))
