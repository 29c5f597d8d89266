"""Whether an engine computes the same as the reference, ONNX Runtime in float32 on the processor.

Both look at rendered pictures of a street and an entrance, and at noise in which any network sees something.
The scores of all predictions are compared, and for the rendered pictures the detections that are left after
selection; in noise it would decide between boxes that are as good as each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.core.boxes import overlaps
from services.core.frames import Letterbox, Picture, detections_from
from services.core.types import Detection
from services.detector.infer.engines import EngineDetector, Precision
from services.detector.track.bytetrack import TrackerSettings

PICTURES = Path(__file__).with_name("pictures")
"""Frames of `services.demo`, rendered with seed 5."""

NOISE_GRAIN_PX = 8


@dataclass(frozen=True, slots=True)
class Bound:
    """How far an engine may be from the reference."""

    score: float
    """Largest difference of a score, of any prediction and of any detection."""
    overlap: float
    """Least intersection over union of a detection with its counterpart."""


BOUNDS: dict[Precision, Bound] = {
    "fp32": Bound(0.02, 0.9),
    "bf16": Bound(0.05, 0.8),
    "int8": Bound(0.15, 0.7),
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near an engine is to the reference."""

    score: float
    """The largest difference of a score."""
    overlap: float
    """The least overlap of two detections that belong together; 1 where there are none."""
    lone: int
    """Detections without a counterpart, of those that are too strong to have just missed the threshold."""

    def holds(self, bound: Bound) -> bool:
        """Whether it is within a bound."""
        return not self.lone and self.score <= bound.score and self.overlap >= bound.overlap


@dataclass(frozen=True)
class ProbePicture:
    """A picture as the network takes it, and what the reference makes of it."""

    blob: NDArray[np.float32]
    letterbox: Letterbox
    expected: NDArray[np.float32]
    has_objects: bool


class Reference:
    """The reference for one model, with what it computes."""

    def __init__(self, detector: EngineDetector) -> None:
        self.detector = detector

    @cached_property
    def samples(self) -> list[ProbePicture]:
        """The pictures, each computed once."""
        rendered = [self._sample(picture, has_objects=True) for picture in rendered_pictures()]
        return [*rendered, self._sample(noise(self.detector), has_objects=False)]

    def _sample(self, picture_rgb: Picture, has_objects: bool) -> ProbePicture:
        height, width = picture_rgb.shape[:2]
        letterbox = self.detector.letterbox(width, height)
        scaled = np.asarray(cv2.resize(picture_rgb, letterbox.size, interpolation=cv2.INTER_AREA), np.uint8)
        blob = letterbox.blob(scaled)
        return ProbePicture(blob, letterbox, self.detector.predict(blob), has_objects)

    def agreement(self, other: EngineDetector) -> Agreement:
        """Hold an engine to it."""
        bound = BOUNDS[other.precision]
        score, overlap, lone = 0.0, 1.0, 0
        for sample in self.samples:
            found = other.predict(sample.blob)
            if found.shape != sample.expected.shape or not np.isfinite(found).all():
                return Agreement(1.0, 0.0, len(found))
            score = max(score, float(np.abs(found[:, 4:] - sample.expected[:, 4:]).max(initial=0.0)))
            if not sample.has_objects:
                continue
            one, two = (self._detections(rows, sample, bound) for rows in (sample.expected, found))
            for own, others in ((one, two), (two, one)):
                least, missing = _counterparts(own, others, bound)
                overlap, lone = min(overlap, least), lone + missing
        return Agreement(round(score, 4), round(overlap, 4), lone)

    def _detections(self, rows: NDArray[np.float32], sample: ProbePicture, bound: Bound) -> list[Detection]:
        info = self.detector.info
        least = max(0.01, TrackerSettings().weak - bound.score)
        return detections_from(rows, sample.letterbox, info.classes, least, info.overlap)


def rendered_pictures() -> list[Picture]:
    """Give the rendered pictures (RGB)."""
    return [
        np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)
        for path in sorted(PICTURES.glob("*.jpg"))
        if (picture := cv2.imread(str(path))) is not None
    ]


def noise(detector: EngineDetector) -> Picture:
    """Give noise of the size of a model's input, in grains that it can see."""
    info = detector.info
    shape = (info.input_height // NOISE_GRAIN_PX, info.input_width // NOISE_GRAIN_PX, 3)
    grains = np.random.default_rng(0).integers(0, 255, shape)
    return np.kron(grains, np.ones((NOISE_GRAIN_PX, NOISE_GRAIN_PX, 1))).astype(np.uint8)


def _counterparts(own: Sequence[Detection], others: Sequence[Detection], bound: Bound) -> tuple[float, int]:
    """Give the least overlap of a detection with its counterpart of the other engine, and how many lack one.

    One so weak that the other engine may have it just below the threshold needs none.
    """
    least, missing = 1.0, 0
    for item in own:
        if item.confidence < TrackerSettings().weak + bound.score:
            continue
        alike = [
            other.box
            for other in others
            if other.class_name == item.class_name and abs(other.confidence - item.confidence) <= bound.score
        ]
        shared = overlaps(np.array([item.box]), np.array(alike).reshape(-1, 4)).max(initial=0.0)
        if shared < bound.overlap:
            missing += 1
        else:
            least = min(least, float(shared))
    return least, missing
