"""The training of RetinaNet for small faces: as our own trainer's, with its own loss and mining."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.data.batches import Batch, EpochPlan
from model.data.samples import Sample, show_counts
from model.evaluation.evaluate import Model, network_predict
from model.evaluation.predictions import FloatArray
from model.files import replacing
from model.network.checkpoint import FILE_NAME, FORMAT, read_checkpoint
from model.training.computing import computes_bf16
from model.training.config import TrainConfig
from model.training.trainer import MAX_GRADIENT_NORM, rare_classes, to_tensor
from model.training.weights import AveragedWeights, learning_rate, make_optimizer
from model.zoo.small_faces.anchors import make_anchors
from model.zoo.small_faces.loss import FacesLoss, assign_batch, small_faces_loss
from model.zoo.small_faces.mining import counts_with, cut, mine
from model.zoo.small_faces.network import SmallFacesNetwork
from model.zoo.small_faces.schedule import (
    BATCH,
    EPOCHS,
    MINE_AT,
    TASK,
    Counts,
    epoch_plan,
    multi_scale_batches,
    one_scale_batches,
    start_weights,
)
from services.core.errors import ConflictError
from services.core.types import MASK_CLASSES

HISTORY_NAME = "history.csv"
COLUMNS = ("epoch", "shown", "loss", "class", "box")
SAVE_EVERY = 50
"""Steps after which a killed training goes on at most."""

Batches = Callable[[Sequence[Sample], Counts, EpochPlan], Iterator[tuple[int, Batch]]]


@dataclass(frozen=True)
class FacesVariant:
    """Which of its parts a RetinaNet has; the table has a row for each that lacks one."""

    context: bool = True
    hard_negatives: bool = True
    multi_scale: bool = True
    focal: bool = True

    def build(self) -> SmallFacesNetwork:
        """The network with random weights."""
        return SmallFacesNetwork(len(MASK_CLASSES), context=self.context)


class SmallFacesTrainer:
    """A training from its start, or from its checkpoint, to the end of its schedule."""

    def __init__(
        self,
        variant: FacesVariant,
        network: SmallFacesNetwork,
        samples: Sequence[Sample],
        config: TrainConfig,
    ) -> None:
        self.variant, self.samples, self.config = variant, samples, config
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.bf16 = config.bf16 and computes_bf16(torch.device("cpu"))
        self.optimizer = make_optimizer(network, config)
        self.epoch, self.batch, self.step = 0, 0, 0
        self.sums = np.zeros(3)
        self.history: list[list[float]] = []
        self.counts = show_counts(samples, rare_classes(TASK))
        self.regions: FloatArray = np.zeros((0, 5), np.float32)
        if (config.run / FILE_NAME).exists():
            self.averaged = AveragedWeights(network, config.ema_decay)
            self._restore(read_checkpoint(config.run / FILE_NAME))
        else:
            network.load_state_dict(start_weights(samples)[1], strict=False)
            self.averaged = AveragedWeights(network, config.ema_decay)

    def run(self, step: Callable[[float], None]) -> None:
        """Train to the end; `step` is called with the share that is done."""
        while self.epoch < EPOCHS:
            shown = [*self.samples, *cut(self.samples, self.regions)]
            plan = epoch_plan(self.config, self.epoch, self.batch)
            batches: Batches = multi_scale_batches if self.variant.multi_scale else one_scale_batches
            for total, batch in batches(shown, self.counts, plan):
                share = (self.epoch + self.batch / total) / EPOCHS
                self._learn(batch, share)
                step(share)
                if self.step % SAVE_EVERY == 0:
                    self.save()
            self._end_epoch(step)
        write_history(self.config.run / HISTORY_NAME, self.history)
        step(1.0)

    def _learn(self, batch: Batch, share: float) -> None:
        parts = self.train_batch(batch, share)
        self.sums += (parts.total.item(), parts.class_, parts.box)
        self.step, self.batch = self.step + 1, self.batch + 1

    def train_batch(self, batch: Batch, share: float) -> FacesLoss:
        """One step of the optimiser, at a share of the schedule."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, share, self.step)
        pictures = to_tensor(batch, torch.device("cpu"))
        count, _, height, width = pictures.shape
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits, offsets = self.network(pictures)
        anchors = make_anchors(height, width, pictures.device)
        assigned = assign_batch(anchors, torch.from_numpy(batch.targets), count, width, height)
        parts = small_faces_loss(
            logits,
            offsets,
            assigned,
            focal=self.variant.focal,
            hard_negatives=self.variant.hard_negatives,
        )
        self.optimizer.zero_grad(set_to_none=True)
        parts.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self.optimizer.step()
        self.averaged.update(self.network, self.step)
        return parts

    def _end_epoch(self, step: Callable[[float], None]) -> None:
        shown = self.step * BATCH
        self.history.append([self.epoch + 1, shown, *(self.sums / max(1, self.batch)).tolist()])
        self.epoch, self.batch, self.sums = self.epoch + 1, 0, np.zeros(3)
        share = self.epoch / EPOCHS
        if self.variant.hard_negatives and share >= MINE_AT and share - 1 / EPOCHS < MINE_AT:
            self._mine(lambda: step(share))
        self.save()
        write_history(self.config.run / HISTORY_NAME, self.history)

    def _mine(self, step: Callable[[], None]) -> None:
        rng = np.random.default_rng((self.config.seed, self.epoch))
        mined = mine(self._model(), self.samples, rng, lambda count: step())
        self.counts, self.regions = counts_with(mined, self.counts), mined.regions

    def _model(self) -> Model:
        """The averaged weights as they are now."""
        network = self.variant.build()
        network.load_state_dict(self.averaged.state)
        network.eval().fuse().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        side_px = self.config.input_px
        return Model(network_predict(network, bf16=self.bf16), MASK_CLASSES, (side_px, side_px))

    def save(self) -> None:
        """Writes the checkpoint from which the training goes on after a kill."""
        content = {
            "format": FORMAT,
            "settings": self._settings(),
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "averaged": self.averaged.state,
            "position": [self.epoch, self.batch, self.step],
            "sums": self.sums.tolist(),
            "history": self.history,
            "counts": torch.from_numpy(self.counts),
            "regions": torch.from_numpy(self.regions),
        }
        self.config.run.mkdir(parents=True, exist_ok=True)
        with replacing(self.config.run / FILE_NAME) as partial_file:
            torch.save(content, partial_file)

    def _settings(self) -> dict[str, float]:
        """What a run keeps to: with other settings it is another."""
        config = self.config
        return {
            **{name: float(value) for name, value in vars(self.variant).items()},
            "input_px": config.input_px,
            "seed": config.seed,
            "shown": self.shown_each_epoch(),
        }

    def shown_each_epoch(self) -> float:
        """How many pictures an epoch shows, as near as chance lets it be."""
        return float(show_counts(self.samples, rare_classes(TASK)).sum())

    def _restore(self, content: dict[str, Any]) -> None:
        if content.get("settings") != self._settings():
            raise ConflictError(f"{self.config.run} holds a run with other settings: name another folder")
        self.network.load_state_dict(content["network"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.averaged.state = content["averaged"]
        self.epoch, self.batch, self.step = content["position"]
        self.sums, self.history = np.array(content["sums"]), content["history"]
        self.counts, self.regions = content["counts"].numpy(), content["regions"].numpy()


def write_history(path: Path, rows: Sequence[Sequence[float]]) -> None:
    """Writes history.csv: a line an epoch, with what was shown so far and the mean losses of the epoch."""
    with replacing(path) as partial_file, partial_file.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([f"{value:.6g}" for value in row] for row in rows)


def read_history(path: Path) -> list[dict[str, float]]:
    """The lines of history.csv; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def has_ended(run: Path) -> bool:
    """Whether the folder holds a training that came to its end."""
    history = read_history(run / HISTORY_NAME)
    return bool(history) and history[-1]["epoch"] >= EPOCHS and (run / FILE_NAME).exists()
