"""A second opinion on the mask states of tracked faces: a classifier looks at views of each, and votes.

Its votes are added to those of the detector. Faces that nobody tracks are not looked at, nor is the same view
of one twice: it would say the same again.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.types import MASK_CLASSES, Camera, TrackedObject
from services.detector.infer.classifier import classify
from services.detector.infer.detector import Classifier, Detector
from services.detector.infer.two_stage import TwoStageDetector
from services.detector.track.bytetrack import EDGE

log = logging.getLogger(__name__)

LOOKS_A_FRAME = 4
"""Faces that are looked at in one picture, those that were looked at least first: a crowd costs no more."""

LOOK_AGAIN_S = 0.3
"""So much later a face has turned: it is looked at again."""

GROWN = 1.2
"""A face whose box has grown by this factor since it was looked at is seen better: it is looked at again."""

SMALLEST_PX = 12.0
"""A face with a shorter side than this shows no mask."""

ClassifierFactory = Callable[[], Classifier]
"""Makes the classifier that gives second opinions, for a thread of its own."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a look at a tracked face says: votes by class."""

    track: int
    votes: dict[str, float]


@dataclass(slots=True)
class _Looks:
    """What is known of the looks at one track."""

    number: int = 0
    last_s: float = 0.0
    largest: float = 0.0
    """Area of the largest box that was looked at."""


class SecondOpinion:
    """Looks at the tracked faces of one camera."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._looks: dict[int, _Looks] = {}

    def of(self, time_s: float, tracked: Sequence[TrackedObject], picture_rgb: Picture) -> list[Opinion]:
        """Look at those of the observed tracks where that may bring something new."""
        height, width = picture_rgb.shape[:2]
        due = [
            item
            for item in tracked
            if item.mask and _is_shown(item, width, height) and self._is_due(time_s, item)
        ]
        due.sort(key=lambda item: (self._looks_at(item).number, -_area(item), item.track))
        chosen = due[:LOOKS_A_FRAME]
        known = classify(self._classifier, picture_rgb, [item.box for item in chosen])
        for item in chosen:
            looks = self._looks.setdefault(item.track, _Looks())
            looks.number, looks.last_s = looks.number + 1, time_s
            looks.largest = max(looks.largest, _area(item))
        classes = self._classifier.info.classes
        return [
            Opinion(
                item.track,
                {
                    name: _area(item) * max(0.0, float(share))
                    for name, share in zip(classes, states, strict=True)
                },
            )
            for item, states in zip(chosen, known, strict=True)
        ]

    def forget(self, tracks: Iterable[int]) -> None:
        """Forget tracks that were closed."""
        for track in tracks:
            self._looks.pop(track, None)

    def _looks_at(self, item: TrackedObject) -> _Looks:
        return self._looks.get(item.track) or _Looks()

    def _is_due(self, time_s: float, item: TrackedObject) -> bool:
        looks = self._looks_at(item)
        is_new = time_s - looks.last_s >= LOOK_AGAIN_S or _area(item) >= GROWN * looks.largest
        return looks.number == 0 or is_new


def _area(item: TrackedObject) -> float:
    x1, y1, x2, y2 = item.box
    return (x2 - x1) * (y2 - y1)


def _is_shown(item: TrackedObject, width: int, height: int) -> bool:
    """Return whether a face is large enough to tell, and whole: what the border cuts off may be its mask."""
    x1, y1, x2, y2 = item.box
    is_whole = min(item.box) > EDGE and max(item.box) < 1 - EDGE
    return is_whole and min((x2 - x1) * width, (y2 - y1) * height) >= SMALLEST_PX


def classifier_for(camera: Camera, detector: Detector, make: ClassifierFactory | None) -> Classifier | None:
    """Give who gives second opinions on what a camera's detector finds; None where nobody does.

    A camera whose model finds no masks, or has two stages, is analysed without, and the log says so.
    """
    if not camera.verify or make is None:
        return None
    try:
        check_may_verify(detector)
        return make()
    except BadInputError as error:
        log.warning("camera %s is analysed without a second opinion: %s", camera.id, error)
        return None


def check_may_verify(detector: Detector) -> None:
    """BadInputError for a detector on which a second opinion would say nothing."""
    if isinstance(detector, TwoStageDetector) or not set(detector.info.classes) <= set(MASK_CLASSES):
        raise BadInputError("verify-not-masks", model=detector.info.name[:80])
