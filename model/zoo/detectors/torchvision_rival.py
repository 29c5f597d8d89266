"""SSD, RetinaNet and Faster R-CNN as rows of the table."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from model.data.samples import DataSource
from model.files import replacing
from model.zoo.detectors.network_rival import INPUT_PX, WEIGHTS_NAME, NetworkRival
from model.zoo.detectors.networks import FasterRcnn, RetinaNet, Ssd, TorchvisionNetwork
from model.zoo.detectors.showing import settings, training_samples, validation_samples
from model.zoo.detectors.training import DetectorTraining
from model.zoo.rival import Schedule
from services.core.types import MASK_CLASSES

LEARNING_RATE = 1e-3
WHY_NOT_EXPORTED: dict[type[TorchvisionNetwork], str] = {
    FasterRcnn: "its second stage looks at boxes that are chosen while it runs, in whatever number"
}


class TorchvisionRival(NetworkRival):
    """One of torchvision's detectors."""

    def __init__(self, name: str, title: str, kind: type[Ssd] | type[RetinaNet] | type[FasterRcnn]) -> None:
        super().__init__(name, title)
        self._kind = kind

    @property
    def why_not_exported(self) -> str:
        """See NetworkRival."""
        return WHY_NOT_EXPORTED.get(self._kind, "")

    def _made(self, input_px: int = INPUT_PX) -> TorchvisionNetwork:
        return self._kind(len(MASK_CLASSES), input_px)

    def _loaded(self, path: Path) -> tuple[TorchvisionNetwork, int]:
        content = torch.load(path, weights_only=True)
        network = self._made(content["input_px"])
        network.load_state_dict(content["averaged"])
        return network, content["input_px"]

    def _train(
        self, sources: Sequence[DataSource], run: Path, schedule: Schedule, step: Callable[[float], None]
    ) -> None:
        config = settings(sources, run, schedule, LEARNING_RATE)
        network = self._made(schedule.input_px)
        training = DetectorTraining(
            network, config, training_samples(sources, schedule), validation_samples(sources)
        )
        training.run(step)
        with replacing(run / WEIGHTS_NAME) as partial:
            torch.save({"averaged": training.averaged.state, "input_px": schedule.input_px}, partial)
