"""What every row of a table is measured by: figures on labelled pictures, and its time beside the others'.

Methods are sure of themselves in different measure. So precision, recall, F1 and the accuracy of classes are
taken at the confidence at which a method's F1 on the pictures of the split val is highest.
"""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from model.data.samples import Sample
from model.evaluation.errors import KINDS, find_errors
from model.evaluation.evaluate import LEAST_CONFIDENCE, LONG_SIDE_PX, Model, load_onnx
from model.evaluation.evaluate import find_all as find_in_samples
from model.evaluation.judging import Judged, judge
from model.evaluation.metrics import SURE, Detections, Share, measure
from model.evaluation.predictions import Found
from model.evaluation.report import Report, report, shown
from model.evaluation.speed import ONNX_RUNTIME, WARM_UP_ROUNDS, interleaved, title
from model.files import replacing
from model.zoo.rival import Rival
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.types import MASK_CLASSES

TORCH = "torch"
MARGIN = 1e-4
"""By this share a chosen confidence is below the score that it has to let through."""

Predict = Callable[[Picture], Found]
"""A picture (H, W, 3) BGR to what is found in it, in its pixels."""


@dataclass(frozen=True)
class DetectorFigures:
    """How well a method does on labelled pictures, of all classes together where nothing else is said."""

    report: Report
    confidence: float
    """From which on a detection counts for precision, recall, F1 and the accuracy of classes."""
    precision: float
    recall: float
    f1: float

    def accuracy(self, name: str) -> str:
        """The share of the found boxes of a class that were given it, and at which recall: `0.97 at 0.85`."""
        boxes, of_found = self.report.metrics.boxes[name], self.report.class_accuracy[name]
        return f"{shown(of_found.share)} at {shown(of_found.of / boxes if boxes else float('nan'))}"

    def by_size(self, size: str) -> float:
        """The mean AP50 over the classes that have boxes of a size; NaN where none has."""
        shares: list[Share] = [sizes[size] for sizes in self.report.by_size.values()]
        present = [one.share for one in shares if one.of]
        return float(np.mean(present)) if present else float("nan")


def find_all(predict: Predict, samples: Sequence[Sample], step: Callable[[float], None]) -> list[Found]:
    """What a method finds in each picture; `step` is called with the share that is done."""
    found = []
    for number, sample in enumerate(samples, 1):
        found.append(predict(sample.picture))
        step(number / len(samples))
    return found


def judge_all(found: Sequence[Found], samples: Sequence[Sample], confidence: float = SURE) -> list[Judged]:
    """Answers beside the true boxes, their scores bent so that `confidence` becomes 0.25.

    The order of the scores stays, and with it every average precision.
    """
    power = np.float32(np.log(SURE) / np.log(np.clip(confidence, 1e-6, 1 - 1e-6)))
    return [
        judge(
            replace(one, scores=one.scores.clip(0, 1) ** power),
            sample.labels,
            LONG_SIDE_PX / max(sample.picture.shape[:2]),
        )
        for one, sample in zip(found, samples, strict=True)
    ]


def best_confidence(judged: Sequence[Judged]) -> float:
    """The confidence at which F1 over the boxes of all classes is highest; 0.25 where nothing is right."""
    detections = Detections.of(judged)
    hits = detections.right[:, 0].cumsum()
    if not len(hits) or not hits[-1]:
        return SURE
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + len(detections.labels))
    best = float(detections.scores[int(f1.argmax())])
    return max(best * (1 - MARGIN), LEAST_CONFIDENCE)


def figures(judged: Sequence[Judged], classes: Sequence[str], confidence: float) -> DetectorFigures:
    """All figures of answers that were judged at a confidence (see `judge_all`)."""
    detections = Detections.of(judged)
    sure = detections.right[detections.scores >= SURE, 0]
    hits, boxes = int(sure.sum()), len(detections.labels)
    nothing = float("nan")
    return DetectorFigures(
        report=report(judged, classes),
        confidence=confidence,
        precision=hits / len(sure) if len(sure) else nothing,
        recall=hits / boxes if boxes else nothing,
        f1=2 * hits / (len(sure) + boxes) if len(sure) + boxes else nothing,
    )


@dataclass(frozen=True)
class Failures:
    """Where a method fails, at the confidence of its figures."""

    boxes: int
    """True boxes, of which those that are in no error are found and named right."""
    numbers: Mapping[str, int]
    """Errors by kind (`model.evaluation.errors.KINDS`)."""
    ap50_unnamed: float
    """AP50 where all classes are one: what is above mAP50 is lost by naming, or in rare classes."""


def failures(found: Sequence[Found], samples: Sequence[Sample], confidence: float) -> Failures:
    """Count the errors of a method's answers to pictures."""
    numbers = dict.fromkeys(KINDS, 0)
    for one, sample in zip(found, samples, strict=True):
        sure = one.scores >= confidence
        certain = Found(one.boxes[sure], one.scores[sure], one.classes[sure])
        for error in find_errors(sample, certain, sample.labels):
            numbers[error.kind] += 1
    unnamed = measure(judge_all(*_unnamed(found, samples)), ("any",))
    return Failures(unnamed.boxes["any"], numbers, unnamed.map50)


def _unnamed(found: Sequence[Found], samples: Sequence[Sample]) -> tuple[list[Found], list[Sample]]:
    """Answers and pictures in which all classes are the first; boxes to ignore stay."""
    same = [replace(one, classes=np.zeros_like(one.classes)) for one in found]
    labels = [np.column_stack((sample.labels[:, 0].clip(max=0), sample.labels[:, 1:])) for sample in samples]
    pairs = zip(samples, labels, strict=True)
    return same, [replace(sample, labels=one.astype(np.float32)) for sample, one in pairs]


@dataclass(frozen=True)
class Evaluation:
    """The answers of a method beside the true boxes, what they are worth, and where they fail."""

    judged: Sequence[Judged]
    figures: DetectorFigures
    failures: Failures


class Evaluated(ABC):
    """What every row does alike: it is measured by what it predicts."""

    classes: Sequence[str] = MASK_CLASSES

    @abstractmethod
    def predict(self, picture_bgr: Picture) -> Found:
        """See Rival."""

    def evaluate(
        self, samples: Sequence[Sample], step: Callable[[float], None], confidence: float | None = None
    ) -> Evaluation:
        """See Rival."""
        found = find_all(self.predict, samples, step)
        if confidence is None:
            confidence = best_confidence(judge_all(found, samples))
        judged = judge_all(found, samples, confidence)
        return Evaluation(
            judged, figures(judged, self.classes, confidence), failures(found, samples, confidence)
        )


@dataclass(frozen=True)
class Entrant:
    """A method that is ready to be timed, and in which engine."""

    name: str
    engine: str
    predict: Predict


def entrant(rival: Rival, folder: Path, threads: int = 1, confidence: float = SURE) -> Entrant:
    """A method in ONNX Runtime from a file in the folder, or in torch where it cannot be exported.

    Only what has the confidence goes on to be suppressed, as in use; a method in torch suppresses all.
    """
    path = folder / f"{rival.name}.onnx"
    try:
        rival.export(path)
        model = load_onnx(path, threads)
    except BadInputError:
        return Entrant(rival.name, TORCH, rival.predict)
    return Entrant(rival.name, title(ONNX_RUNTIME), predict_with(model, confidence))


def predict_with(model: Model, confidence: float = LEAST_CONFIDENCE) -> Predict:
    """What a picture goes through: fitted into the network's input, computed, and its boxes chosen."""

    def predict(picture: Picture) -> Found:
        sample = Sample("", picture, np.zeros((0, 5), np.float32))
        return next(find_in_samples(model, [sample], confidence=confidence))

    return predict


@dataclass(frozen=True)
class Timing:
    """The processor times of one method, of all that it does with a picture."""

    engine: str
    samples_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The median time of a picture."""
        return median(self.samples_ms)

    @property
    def frames_per_s(self) -> float:
        """Pictures that one thread of this machine does in a second."""
        return 1000 / self.median_ms


def time_entrants(entrants: Sequence[Entrant], pictures: Sequence[Picture], rounds: int) -> dict[str, Timing]:
    """Times by name: every round shows one picture to all, in another order, in processor time."""
    shows = {one.name: 0 for one in entrants}

    def runner(one: Entrant) -> Callable[[], object]:
        def run() -> object:
            picture = pictures[shows[one.name] % len(pictures)]
            shows[one.name] += 1
            return one.predict(picture)

        return run

    samples = interleaved([runner(one) for one in entrants], rounds)
    return {one.name: Timing(one.engine, times) for one, times in zip(entrants, samples, strict=True)}


def write_samples(path: Path, timings: Mapping[str, Timing], threads: int) -> None:
    """Write every sample of the timing as JSON; `-` is stdout."""
    rows = {
        name: {"engine": one.engine, "median_ms": one.median_ms, "samples_ms": one.samples_ms}
        for name, one in timings.items()
    }
    settings = {"clock": "processor time", "threads": threads, "warm_up_rounds": WARM_UP_ROUNDS}
    text = json.dumps({**settings, "rows": rows}, indent=1) + "\n"
    if str(path) == "-":
        sys.stdout.write(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
