"""The YOLO family: GB-YOLO, YOLOv5 and YOLOv4, by the trainer of the shipped models."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

from model.data.samples import DataSource
from model.network.build import Architecture, DetectionNetwork, Size, build
from model.network.checkpoint import Progress, averaged_network, write_checkpoint
from model.training.config import TrainConfig
from model.training.loss import BOX_GAIN, CLASS_GAIN
from model.training.records import CSV_NAME
from model.training.trainer import Trainer
from model.zoo.detectors.network_rival import HISTORY_NAME, WEIGHTS_NAME, NetworkRival
from model.zoo.detectors.showing import TASK, settings, training_samples, validation_samples
from model.zoo.rival import Schedule
from services.core.types import MASK_CLASSES

LEARNING_RATE = 2e-3
HISTORY_COLUMNS = ("epoch", "shown", "minutes", "loss", "map50")


class Yolo(NetworkRival):
    """One architecture in one size."""

    def __init__(self, name: str, title: str, architecture: Architecture, size: Size) -> None:
        super().__init__(name, title)
        self._architecture, self._size = architecture, size

    def _made(self) -> DetectionNetwork:
        return build(self._architecture, self._size, len(MASK_CLASSES))

    def _loaded(self, path: Path) -> tuple[DetectionNetwork, int]:
        network, description = averaged_network(path)
        return network, description.input_px

    def _train(
        self, sources: Sequence[DataSource], run: Path, schedule: Schedule, step: Callable[[float], None]
    ) -> None:
        config = settings(sources, run, schedule, LEARNING_RATE, self._architecture, self._size)
        training, validation = training_samples(sources, schedule), validation_samples(sources)
        command = f"sightline bench models --table detectors --only {self.name}"
        trainer = Trainer(config, {TASK: training}, {TASK: validation}, command)
        while not trainer.done:
            trainer.run_epoch(step)
            write_history(run, config)
        write_history(run, config)
        write_checkpoint(run / WEIGHTS_NAME, trainer.description, Progress(), trainer.averaged.state)


def write_history(run: Path, config: TrainConfig) -> None:
    """Write history.csv from the trainer's records, the last of each epoch, with the loss as it is summed."""
    with (run / CSV_NAME).open(newline="", encoding="utf-8") as file:
        records = {row["epoch"]: row for row in csv.DictReader(file)}
    gains = (BOX_GAIN, (config.input_px / 640) ** 2, CLASS_GAIN)
    with (run / HISTORY_NAME).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HISTORY_COLUMNS)
        for epoch, row in records.items():
            parts = (float(row[name]) for name in ("box", "objectness", "class"))
            loss = sum(gain * part for gain, part in zip(gains, parts, strict=True))
            shown = int(row["step"]) * config.batch
            writer.writerow((epoch, shown, row["minutes"], f"{loss:.5g}", row["map50"]))
