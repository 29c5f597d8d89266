"""Two stages behind the door of one: a face finder, and a classifier that tells the state of each mask."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from services.core.boxes import suppress
from services.core.costs import LONGEST_WORD, EngineChoice, EngineTrial
from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture
from services.core.model_classes import FACE_CLASSES
from services.core.types import Detection
from services.detector.infer.classifier import OnnxRuntimeClassifier, classifier_choice, classify
from services.detector.infer.detector import Classifier, Detector, ModelInfo
from services.detector.infer.engines import OnnxRuntimeDetector
from services.detector.infer.models import stage_paths

MOST_FACES = 64
"""Faces of a picture that are classified, the most confident ones: a picture must not cost any time."""


class TwoStageDetector:
    """Implements `Detector`: its classes are the classifier's.

    The confidence of a detection is that of the face times the probability of its class, like the score of a
    detector that finds masks by itself: both that there is a face, and that its mask is in this state. It is
    never more than the finder's, so that what the finder leaves out below a threshold is not missed.
    Faces are cut out of the picture that the finder sees.
    """

    def __init__(self, name: str, finder: Detector, classifier: Classifier) -> None:
        """BadInputError where the finder finds no faces."""
        if not set(finder.info.classes) & set(FACE_CLASSES):
            classes = ", ".join(finder.info.classes)
            raise BadInputError("finder-no-faces", model=finder.info.name[:80], classes=classes[:200])
        self.finder, self.classifier = finder, classifier
        self.info: ModelInfo = replace(
            finder.info, name=name, task="mask", classes=classifier.info.classes, path=finder.info.path
        )
        self.engine = " + ".join(dict.fromkeys((finder.engine, classifier.engine)))

    def letterbox(self, width: int, height: int) -> Letterbox:
        """Give how a picture of this size is scaled for `detect`."""
        return self.finder.letterbox(width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find faces and tell the state of each one's mask, with at least this confidence."""
        faces = self._faces(scaled_rgb, letterbox, confidence)
        known = classify(self.classifier, scaled_rgb, [face.box for face in faces])
        found = [
            Detection(
                face.box,
                self.info.classes[int(states.argmax())],
                min(1.0, face.confidence * max(0.0, float(states.max()))),
            )
            for face, states in zip(faces, known, strict=True)
        ]
        return [item for item in found if item.confidence >= confidence]

    def _faces(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Give one box for each face, whatever the finder calls it, the most confident first."""
        found = [
            item
            for item in self.finder.detect(scaled_rgb, letterbox, confidence)
            if item.class_name in FACE_CLASSES
        ]
        if not found:
            return []
        boxes = np.array([item.box for item in found], np.float32)
        scores = np.array([item.confidence for item in found], np.float32)
        rows, places = suppress(boxes, scores, np.zeros(len(found), np.intp), 0.0, self.info.overlap)
        faces = [
            Detection((float(x1), float(y1), float(x2), float(y2)), "face", float(scores[row]))
            for row, (x1, y1, x2, y2) in zip(rows, places, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.confidence)[:MOST_FACES]

    def choice(self, finder: EngineChoice) -> EngineChoice:
        """Give why both stages have their engines, from what is known of the finder's."""
        name, engine = self.info.name[:LONGEST_WORD], self.engine[:LONGEST_WORD]
        one, two = _taken(finder), _taken(classifier_choice(self.classifier))
        if one is None or two is None:
            return EngineChoice(name, engine, finder.code)
        ms, cpu_ms = _sum(one.ms, two.ms), _sum(one.cpu_ms, two.cpu_ms)
        return EngineChoice(
            name, engine, finder.code, (EngineTrial(engine, ms, True, "trial-right", cpu_ms),)
        )


def _taken(choice: EngineChoice) -> EngineTrial | None:
    """Give how the engine that was chosen was measured."""
    return next((trial for trial in choice.tried if trial.engine == choice.chosen), None)


def _sum(one: float | None, two: float | None) -> float | None:
    return None if one is None or two is None else round(one + two, 2)


def open_stages(
    model: str,
    open_detector: Callable[[Path], Detector],
    open_classifier: Callable[[Path], Classifier],
) -> Detector:
    """Open a model of one stage or two by its name; BadInputError where there is none."""
    finder, classifier = stage_paths(model)
    detector = open_detector(finder)
    return detector if classifier is None else TwoStageDetector(model, detector, open_classifier(classifier))


def reference_detector(model: str) -> Detector:
    """Open a model in the engine that gives the same result on every machine, for files."""
    return open_stages(model, OnnxRuntimeDetector, OnnxRuntimeClassifier)
