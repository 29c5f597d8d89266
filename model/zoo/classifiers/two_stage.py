"""Rows of two stages, behind the one interface of the zoo: a finder, and a classifier on what it finds."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
from torch import nn

from model.data.samples import DataSource, Picture
from model.evaluation.metrics import SURE
from model.evaluation.predictions import FloatArray, Found
from model.export.writing import INPUT_NAME
from model.zoo.classifiers.crops import MARGIN, Sides, load_sides
from model.zoo.classifiers.exporting import export_classifier
from model.zoo.classifiers.finders import Finder, onnx_cost, surest
from model.zoo.classifiers.lessons import CropLesson
from model.zoo.classifiers.networks import NetworkKind
from model.zoo.classifiers.pca import PCA_ANN, load_pca_ann, train_pca_ann
from model.zoo.classifiers.training import load_weights, teach
from model.zoo.measuring import Evaluated
from model.zoo.rival import Cost, Schedule
from services.core.crops import cut_square, to_blob
from services.core.errors import BadInputError

Said = Callable[[FloatArray], FloatArray]
"""Classifier input (n, 3, S, S) to probabilities (n, classes)."""


@lru_cache(maxsize=1)
def sides_of(sources: tuple[DataSource, ...]) -> Sides:
    """The crops of folders, read once for all rows of a table."""
    return load_sides(sources)


def session_of(path: Path) -> Said:
    """An exported classifier in ONNX Runtime with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def said(crops: FloatArray) -> FloatArray:
        answer: FloatArray = session.run(None, {INPUT_NAME: crops})[0]
        return answer

    return said


def classified(picture_bgr: Picture, faces: Found, said: Said, side_px: int) -> Found:
    """What a classifier says of faces that were found: their scores times that of the class, best first."""
    if not len(faces.scores):
        return faces
    crops = np.stack([cut_square(picture_bgr, box, MARGIN, side_px) for box in faces.boxes])
    answers = said(to_blob(crops))
    scores = faces.scores * answers.max(1)
    order = scores.argsort(kind="stable")[::-1]
    return Found(faces.boxes[order], scores[order], answers.argmax(1)[order].astype(np.int64))


class TwoStage(Evaluated):
    """A classifier behind a finder. Implements the protocol Rival; only the classifier is trained by it."""

    def __init__(self, kind: NetworkKind, finder: Finder) -> None:
        self.kind, self.finder = kind, finder
        self.name, self.title = f"{finder.name}+{kind.name}", f"{finder.title} + {kind.title}"
        self._network: nn.Module | None = None
        self._said: Said | None = None
        self._cost: Cost | None = None

    def build(self, seed: int) -> None:
        """Make the classifier anew."""
        import torch

        torch.manual_seed(seed)
        self._take(self.kind.build().eval())

    def train(
        self, sources: Sequence[DataSource], run: Path, schedule: Schedule, step: Callable[[float], None]
    ) -> None:
        """Train the classifier on the faces of the sources; ValueError for another input than its own."""
        if schedule.input_px != self.kind.side_px:
            raise ValueError(f"{self.kind.name} takes crops of {self.kind.side_px} pixels")
        sides = sides_of(tuple(sources))
        self._take(train_kind(self.kind, sides, schedule.shown, schedule.seed, run, step))

    def load(self, run: Path) -> None:
        """Take the classifier's weights that a training has kept; BadInputError where there are none."""
        self._take(load_kind(self.kind, run))

    def predict(self, picture_bgr: Picture, least: float = 0.0) -> Found:
        """Faces in a picture's pixels, each with the class that the classifier gives it.

        What the finder gives less than `least` is not classified: no score is more than the finder's.
        """
        if self._said is None:
            raise BadInputError(f"{self.name} has no weights yet: build, train or load it")
        found = surest(self.finder.find(picture_bgr), least)
        return classified(picture_bgr, found, self._said, self.kind.side_px)

    def predict_sure(self, picture_bgr: Picture) -> Found:
        """Faces as a camera's analysis asks for them, which classifies no doubtful ones."""
        return self.predict(picture_bgr, SURE)

    def export(self, path: Path) -> None:
        """Write the classifier as ONNX; the finder is a file of its own."""
        if self._network is None:
            raise BadInputError(f"{self.name} has no weights yet: build, train or load it")
        export_classifier(self._network, path, self.kind.side_px, self.kind.name, self.kind.title)

    def cost(self) -> Cost:
        """The finder's and the classifier's together, on a picture with one face."""
        if self._cost is None:
            raise BadInputError(f"{self.name} has no weights yet: build, train or load it")
        first, second = self.finder.cost(), self._cost
        return Cost(
            first.parameters + second.parameters,
            first.gflops + second.gflops,
            first.size_bytes + second.size_bytes,
        )

    def _take(self, network: nn.Module) -> None:
        self._network = network
        with TemporaryDirectory() as folder:
            path = Path(folder) / "classifier.onnx"
            self.export(path)
            self._said, self._cost = session_of(path), onnx_cost(path)


def train_kind(
    kind: NetworkKind, sides: Sides, shown: int, seed: int, run: Path, step: Callable[[float], None]
) -> nn.Module:
    """Train a classifier on crops, or go on with it; in evaluation mode."""
    lesson = CropLesson(kind, shown, sides.train, sides.val)
    if kind.name == PCA_ANN.name:
        return train_pca_ann(lesson, seed, run, step)
    return teach(lesson, seed, run, step)


def load_kind(kind: NetworkKind, run: Path) -> nn.Module:
    """A trained classifier in evaluation mode; BadInputError where the run has no weights of it."""
    return load_pca_ann(kind, run) if kind.name == PCA_ANN.name else load_weights(kind.build(), run)
