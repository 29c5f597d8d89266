"""The row of the window-proposal R-CNN: it finds and classifies at once and needs no finder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import nn

from model.data.samples import DataSource, Picture, load_split
from model.evaluation.predictions import Found
from model.zoo.classifiers.crops import PICTURE_PX
from model.zoo.classifiers.exporting import export_classifier
from model.zoo.classifiers.finders import onnx_cost
from model.zoo.classifiers.lessons import CropLesson
from model.zoo.classifiers.training import load_weights, teach
from model.zoo.classifiers.two_stage import Said, session_of, sides_of
from model.zoo.classifiers.windows import PROPOSALS, WINDOW_RCNN, backgrounds, find_by_windows
from model.zoo.measuring import Evaluated
from model.zoo.rival import Cost, Schedule
from services.core.errors import BadInputError


class WindowRow(Evaluated):
    """R-CNN on proposed windows. Implements the protocol Rival."""

    name, title = WINDOW_RCNN.name, WINDOW_RCNN.title

    def __init__(self) -> None:
        self._network: nn.Module | None = None
        self._said: Said | None = None
        self._window_cost: Cost | None = None

    def build(self, seed: int) -> None:
        """Make the network for windows anew."""
        torch.manual_seed(seed)
        self._take(WINDOW_RCNN.build().eval())

    def train(
        self, sources: Sequence[DataSource], run: Path, schedule: Schedule, step: Callable[[float], None]
    ) -> None:
        """Train on faces and on windows without one; ValueError for another input than its own."""
        if schedule.input_px != WINDOW_RCNN.side_px:
            raise ValueError(f"{self.name} takes windows of {WINDOW_RCNN.side_px} pixels")
        sides = sides_of(tuple(sources))
        pictures = load_split(sources, "train", PICTURE_PX)
        without = backgrounds([one for one in pictures if one.file not in sides.copies], schedule.seed)
        lesson = CropLesson(WINDOW_RCNN, schedule.shown, [*sides.train, *without], sides.val)
        self._take(teach(lesson, schedule.seed, run, step))

    def load(self, run: Path) -> None:
        """Take the weights that a training has kept; BadInputError where there are none."""
        self._take(load_weights(WINDOW_RCNN.build(), run))

    def predict(self, picture_bgr: Picture) -> Found:
        """Faces in a picture's pixels with their classes."""
        if self._said is None:
            raise BadInputError(f"{self.name} has no weights yet: build, train or load it")
        return find_by_windows(picture_bgr, self._said, WINDOW_RCNN.side_px)

    def export(self, path: Path) -> None:
        """Write the network for windows as ONNX; its last class is what is no face."""
        if self._network is None:
            raise BadInputError(f"{self.name} has no weights yet: build, train or load it")
        export_classifier(self._network, path, WINDOW_RCNN.side_px, self.name, self.title)

    def cost(self) -> Cost:
        """That of all windows of a picture."""
        if self._window_cost is None:
            raise BadInputError(f"{self.name} has no weights yet: build, train or load it")
        one = self._window_cost
        return Cost(one.parameters, one.gflops * PROPOSALS, one.size_bytes)

    def _take(self, network: nn.Module) -> None:
        self._network = network
        with TemporaryDirectory() as folder:
            path = Path(folder) / "windows.onnx"
            self.export(path)
            self._said, self._window_cost = session_of(path), onnx_cost(path)
