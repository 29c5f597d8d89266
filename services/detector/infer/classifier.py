"""Classifiers of faces that were found: the second of two stages, by ONNX Runtime or OpenVINO.

A file has the input `images` (N, 3, S, S), RGB from 0 to 1, and one output, the probability of each class
(N, classes). It states its classes, S and the margin around a face in its metadata.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from services.core.costs import LONGEST_WORD, EngineChoice, EngineTrial
from services.core.crops import cut_square, to_blob
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.types import Box
from services.detector.infer.detector import Classifier, ClassifierInfo, Faces
from services.detector.infer.engines import (
    OnnxRuntimeDetector,
    OpenVinoDetector,
    Precision,
    open_session,
    openvino_core,
)
from services.detector.infer.measuring import fastest
from services.detector.infer.models import classifier_path, read_classifier

log = logging.getLogger(__name__)

VERIFIER = "mobilenetv2"
"""The classifier that gives second opinions: the best small one that ships."""

ROUNDS = 7
PROBE_FACES = 2
"""Faces of the picture that engines are measured with."""

LARGEST_DIFFERENCE = 0.02
"""By which a probability may differ from ONNX Runtime's."""

PRECISION: Precision = "fp32"
"""In which numbers classifiers are computed."""


class OnnxRuntimeClassifier:
    """Implements `Classifier`."""

    engine = OnnxRuntimeDetector.engine

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.info = read_classifier(path)
        self._session = open_session(path, threads)
        self._input = self._session.get_inputs()[0].name

    def probabilities(self, faces: Faces) -> Faces:
        """Give the probability of each class for each crop."""
        return _checked(self._session.run(None, {self._input: faces})[0], faces, self.info)


class OpenVinoClassifier:
    """Implements `Classifier`; ImportError where OpenVINO is not installed."""

    engine = OpenVinoDetector.engine

    def __init__(self, path: Path, threads: int = 1) -> None:
        core = openvino_core()
        self.info = read_classifier(path)
        settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
        self._request = core.compile_model(str(path), "CPU", settings).create_infer_request()

    def probabilities(self, faces: Faces) -> Faces:
        """Give the probability of each class for each crop."""
        return _checked(np.array(self._request.infer([faces])[0]), faces, self.info)


def _checked(output: Any, faces: Faces, info: ClassifierInfo) -> Faces:
    """Give what a network answered; BadInputError where it is not what its file promises."""
    found = np.asarray(output, np.float32)
    if found.shape != (len(faces), len(info.classes)):
        raise BadInputError(
            f"{info.path} answers in another form than {len(info.classes)} probabilities a face"
        )
    return found


def classify(classifier: Classifier, picture_rgb: Picture, boxes: Sequence[Box]) -> Faces:
    """Give the probability of each class (n, classes) of the faces in normalised boxes, all in one batch."""
    info = classifier.info
    if not boxes:
        return np.zeros((0, len(info.classes)), np.float32)
    height, width = picture_rgb.shape[:2]
    places = np.array(boxes, np.float64) * (width, height, width, height)
    crops = np.stack([cut_square(picture_rgb, place, info.margin, info.side_px) for place in places])
    return classifier.probabilities(to_blob(crops[..., ::-1]))


ClassifierKind = Callable[[Path], Classifier]

_measuring = threading.Lock()
_selections: dict[Path, tuple[ClassifierKind, EngineChoice]] = {}


def fastest_classifier(path: Path) -> Classifier:
    """Open a classifier in the engine that is fastest on this machine, measured once a process."""
    with _measuring:
        if path not in _selections:
            _selections[path] = _select(path)
        kind = _selections[path][0]
    return kind(path)


def make_verifier() -> Classifier:
    """Open the classifier that gives second opinions, for live analysis."""
    return fastest_classifier(classifier_path(VERIFIER))


def classifier_choices() -> tuple[EngineChoice, ...]:
    """Give what was chosen in this process so far, and why."""
    return tuple(choice for _, choice in list(_selections.values()))


def classifier_choice(classifier: Classifier) -> EngineChoice:
    """Give why a classifier has its engine; of one that was not measured here no more than its name."""
    found = _selections.get(classifier.info.path)
    if found is not None and found[1].chosen == classifier.engine:
        return found[1]
    return EngineChoice(classifier.info.name[:LONGEST_WORD], classifier.engine, "engine-only")


def _select(path: Path) -> tuple[ClassifierKind, EngineChoice]:
    reference = OnnxRuntimeClassifier(path)
    kinds: list[ClassifierKind] = [OnnxRuntimeClassifier]
    running: list[Classifier] = [reference]
    refused: list[EngineTrial] = []
    try:
        other = OpenVinoClassifier(path)
        is_right = _agrees(reference, other)
    except ImportError:
        refused.append(_refused("trial-not-installed"))
    except (BadInputError, RuntimeError):
        log.warning("%s cannot compute %s: not used", OpenVinoClassifier.engine, path.name)
        refused.append(_refused("trial-unable"))
    else:
        if is_right:
            kinds.append(OpenVinoClassifier)
            running.append(other)
        else:
            log.warning("%s computes something else than %s: not used", other.engine, reference.engine)
            refused.append(_refused("trial-differs"))
    tried = [
        EngineTrial(one.engine, ms, True, "trial-right" if place else "trial-reference", cpu_ms, PRECISION)
        for place, (one, (ms, cpu_ms)) in enumerate((one, _measured(one)) for one in running)
    ]
    chosen, code = fastest((), tried)
    kind = kinds[[one.engine for one in running].index(chosen)]
    return kind, EngineChoice(reference.info.name[:LONGEST_WORD], chosen, code, (*tried, *refused))


def _refused(code: str) -> EngineTrial:
    return EngineTrial(OpenVinoClassifier.engine, None, False, code, None, PRECISION)


def _probe(classifier: Classifier) -> Faces:
    side = classifier.info.side_px
    noise = np.random.default_rng(0).random((PROBE_FACES, 3, side // 8 + 1, side // 8 + 1), np.float32)
    return np.ascontiguousarray(np.kron(noise, np.ones((8, 8), np.float32))[..., :side, :side])


def _agrees(reference: Classifier, other: Classifier) -> bool:
    faces = _probe(reference)
    difference = np.abs(reference.probabilities(faces) - other.probabilities(faces))
    return bool(difference.max() <= LARGEST_DIFFERENCE)


def _measured(classifier: Classifier) -> tuple[float, float]:
    """Give the median time and processor time of a few faces in milliseconds."""
    faces, times = _probe(classifier), []
    for _ in range(ROUNDS):
        began_s, cpu_began_s = time.perf_counter(), time.thread_time()
        classifier.probabilities(faces)
        times.append((time.perf_counter() - began_s, time.thread_time() - cpu_began_s))
    walls, cpus = zip(*times, strict=True)
    return round(median(walls) * 1000, 2), round(median(cpus) * 1000, 2)
