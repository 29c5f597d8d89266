"""A detector of the table that is a network here: all that does not depend on which."""

import copy
import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import onnx
import torch
from torch import nn

from model.data.samples import DataSource
from model.evaluation.evaluate import Model, network_predict
from model.evaluation.predictions import Found
from model.export.writing import DEFAULT_CONFIDENCE, DEFAULT_IOU, METADATA_KEY, write_onnx
from model.files import replacing
from model.network.build import DetectionNetwork, multiplications, parameter_count
from model.network.checkpoint import FILE_NAME
from model.training.trainer import BEST_NAME
from model.zoo.measuring import Evaluated, Predict, predict_with
from model.zoo.rival import Cost, Schedule
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.types import MASK_CLASSES

INPUT_PX = 320
"""Side of the pictures that a network which is only built takes."""
WEIGHTS_NAME, HISTORY_NAME = "weights.pt", "history.csv"


class NetworkRival(Evaluated):
    """A network that gives rows as every detector here: (B, N, 4 + classes), in evaluation mode."""

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title
        self._network: nn.Module | None = None
        self._input_px = INPUT_PX
        self._predict: Predict | None = None
        self._size_bytes: int | None = None

    @abstractmethod
    def _made(self) -> nn.Module:
        """The network with random weights, for pictures of INPUT_PX."""

    @abstractmethod
    def _loaded(self, path: Path) -> tuple[nn.Module, int]:
        """The network with the weights of a file, and the side of its pictures."""

    @abstractmethod
    def _train(
        self, sources: Sequence[DataSource], run: Path, schedule: Schedule, step: Callable[[float], None]
    ) -> None:
        """Train to the end and write WEIGHTS_NAME and HISTORY_NAME into the folder of the run."""

    @property
    def why_not_exported(self) -> str:
        """What keeps the network from being written as ONNX; empty where nothing does."""
        return ""

    def build(self, seed: int) -> None:
        """See Rival."""
        torch.manual_seed(seed)
        self._take(self._made(), INPUT_PX)

    def train(
        self, sources: Sequence[DataSource], run: Path, schedule: Schedule, step: Callable[[float], None]
    ) -> None:
        """See Rival. The weights are the averaged ones of the end: none are chosen by how well they do."""
        torch.set_num_threads(schedule.threads)
        cv2.setNumThreads(1)
        torch.manual_seed(schedule.seed)
        run.mkdir(parents=True, exist_ok=True)
        if not (run / WEIGHTS_NAME).exists():
            self._train(sources, run, schedule, step)
        for name in (FILE_NAME, BEST_NAME):
            (run / name).unlink(missing_ok=True)

    def load(self, run: Path) -> None:
        """See Rival."""
        if not (run / WEIGHTS_NAME).is_file():
            raise BadInputError(f"{run} holds no finished training of {self.title}")
        self._take(*self._loaded(run / WEIGHTS_NAME))

    def _take(self, network: nn.Module, input_px: int) -> None:
        self._network, self._input_px, self._size_bytes = network.eval(), input_px, None
        ready = _fused(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._predict = predict_with(Model(network_predict(ready), MASK_CLASSES, (input_px, input_px)))

    def predict(self, picture_bgr: Picture) -> Found:
        """See Rival."""
        if self._predict is None:
            raise BadInputError(f"{self.title} has no weights yet")
        return self._predict(picture_bgr)

    def _at_hand(self) -> nn.Module:
        if self._network is None:
            raise BadInputError(f"{self.title} has no weights yet")
        return self._network

    def export(self, path: Path) -> None:
        """See Rival. The file is one that `sightline detect --model` takes."""
        network, input_px = self._at_hand(), self._input_px
        if self.why_not_exported:
            raise BadInputError(f"{self.title} is not exported: {self.why_not_exported}")
        described = {
            "name": self.name,
            "task": "mask",
            "classes": list(MASK_CLASSES),
            "architecture": self.name,
            "size": "",
            "input": [input_px, input_px],
            "confidence": DEFAULT_CONFIDENCE,
            "iou": DEFAULT_IOU,
            "trained_by": f"sightline bench models --table detectors --only {self.name}",
        }
        with replacing(path) as partial:
            write_onnx(_fused(network), partial, input_px, input_px)
            graph = onnx.load(str(partial))
            onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(described)})
            onnx.checker.check_model(graph)
            onnx.save(graph, str(partial))
        self._size_bytes = path.stat().st_size

    def cost(self) -> Cost:
        """See Rival. A network that is not exported has the size of its weights."""
        network, input_px = self._at_hand(), self._input_px
        gflops = 2 * multiplications(network, input_px, input_px) / 1e9
        if self.why_not_exported:
            self._size_bytes = sum(value.nbytes for value in network.state_dict().values())
        elif self._size_bytes is None:
            with TemporaryDirectory() as folder:
                self.export(Path(folder) / "model.onnx")
        assert self._size_bytes is not None
        return Cost(parameter_count(network), gflops, self._size_bytes)


def _fused(network: nn.Module) -> nn.Module:
    """A copy for inference, its normalisations folded where the network does so itself."""
    copied = copy.deepcopy(network).eval()
    return copied.fuse() if isinstance(copied, DetectionNetwork) else copied
