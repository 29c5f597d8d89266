"""The training of torchvision's detectors: batches, optimiser and averaging as for the other networks."""

import copy
import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.data.batches import Batch, EpochPlan
from model.data.corrections import IGNORED_LABEL
from model.data.prefetching import Prefetcher
from model.data.samples import Labels, Picture, Sample, show_counts
from model.evaluation.evaluate import Model, evaluate_samples, network_predict
from model.files import replacing
from model.network.checkpoint import FILE_NAME
from model.training.config import TrainConfig
from model.training.trainer import LONGEST_STEP_S, MAX_GRADIENT_NORM, rare_classes, to_tensor
from model.training.weights import AveragedWeights, learning_rate, make_optimizer
from model.zoo.detectors.network_rival import HISTORY_NAME
from model.zoo.detectors.networks import Target, TorchvisionNetwork
from model.zoo.detectors.showing import TASK
from services.core.types import MASK_CLASSES

SEED_STRIDE = 1_000_003
"""Between the seeds of two trainings: more than a training has steps."""


@dataclass
class EpochRecord:
    """A line of history.csv."""

    epoch: int
    shown: int
    minutes: float
    loss: float
    map50: float


@dataclass
class TrainingState:
    """Where a training stands."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    elapsed_s: float = 0.0
    losses: float = 0.0
    """Summed over the batches of this epoch."""
    history: list[EpochRecord] = field(default_factory=list)


class DetectorTraining:
    """A training of a network that gives its own loss; made again over the same run, it goes on."""

    def __init__(
        self,
        network: TorchvisionNetwork,
        config: TrainConfig,
        training: Sequence[Sample],
        validation: Sequence[Sample],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.network, self.config, self.validation = network, config, validation
        self.state = TrainingState()
        assert config.epochs is not None
        self._epochs = config.epochs
        self._clock = clock
        self._counts = {TASK: show_counts(training, rare_classes(TASK))}
        self._prefetcher = Prefetcher({TASK: training}, config.workers)
        self._optimizer = make_optimizer(network, config)
        self.averaged = AveragedWeights(network, config.ema_decay)
        if (config.run / FILE_NAME).exists():
            self._restore(torch.load(config.run / FILE_NAME, weights_only=True))

    def run(self, step: Callable[[float], None]) -> None:
        """Train to the end; `step` is called with the share that is done."""
        while self.state.epoch < self._epochs:
            self._run_epoch(step)

    def _run_epoch(self, step: Callable[[float], None]) -> None:
        state, config = self.state, self.config
        self.network.train()
        last = last_saved = self._clock()
        for total, batch in self._prefetcher.epoch(self._plan(), self._counts):
            share = (state.epoch + state.batch / total) / self._epochs
            state.losses += self.train_batch(batch, share)
            state.batch += 1
            now = self._clock()
            state.elapsed_s += min(now - last, LONGEST_STEP_S)
            last = now
            step((state.epoch + state.batch / total) / self._epochs)
            if now - last_saved > config.checkpoint_s:
                last_saved = now
                self.save()
        state.history.append(self._measured())
        state.epoch, state.batch, state.losses = state.epoch + 1, 0, 0.0
        self.save()

    def _plan(self) -> EpochPlan:
        config, state = self.config, self.state
        mosaic = config.mosaic if state.epoch / self._epochs < config.mosaic_until else 0.0
        return EpochPlan(
            seed=config.seed,
            epoch=state.epoch,
            batch=config.batch,
            input_px=config.input_px,
            mosaic=mosaic,
            first_batch=state.batch,
        )

    def train_batch(self, batch: Batch, share_done: float) -> float:
        """One step of the optimiser; returns the loss.

        What a method draws by chance follows from the step, so that a kill does not change a training.
        """
        torch.manual_seed(self.config.seed * SEED_STRIDE + self.state.step)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self.config, share_done, self.state.step)
        loss = self.network.loss(*examples(batch))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self._optimizer.step()
        self.state.step += 1
        self.averaged.update(self.network, self.state.step)
        return loss.item()

    def _measured(self) -> EpochRecord:
        state, side_px = self.state, self.config.input_px
        network = copy.deepcopy(self.network)
        network.load_state_dict(self.averaged.state)
        model = Model(network_predict(network.eval()), MASK_CLASSES, (side_px, side_px))
        map50 = evaluate_samples(model, self.validation).map50
        shown, loss = state.step * self.config.batch, state.losses / max(1, state.batch)
        return EpochRecord(state.epoch + 1, shown, state.elapsed_s / 60, loss, map50)

    def save(self) -> None:
        """Write the checkpoint from which the training goes on after a kill, and history.csv."""
        content = {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "averaged": self.averaged.state,
            "state": asdict(self.state),
        }
        with replacing(self.config.run / FILE_NAME) as partial:
            torch.save(content, partial)
        write_history(self.config.run / HISTORY_NAME, self.state.history)

    def _restore(self, content: dict[str, Any]) -> None:
        self.network.load_state_dict(content["network"])
        self._optimizer.load_state_dict(content["optimizer"])
        self.averaged.state = content["averaged"]
        values = content["state"]
        history = [EpochRecord(**line) for line in values["history"]]
        self.state = TrainingState(**(values | {"history": history}))


def write_history(path: Path, history: Sequence[EpochRecord]) -> None:
    """Write history.csv; nothing before the first epoch is over."""
    if not history:
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(asdict(history[0]))
        for one in history:
            figures = (f"{value:.5g}" for value in (one.minutes, one.loss, one.map50))
            writer.writerow((one.epoch, one.shown, *figures))


def examples(batch: Batch) -> tuple[Tensor, list[Target]]:
    """A batch as network input with the true boxes of each picture; what is to be ignored is painted over.

    These methods know no place where they may find what they like: a face that is cut or too small would be
    learned as background.
    """
    side_px = batch.pictures.shape[1]
    pictures, targets = batch.pictures.copy(), []
    for index, picture in enumerate(pictures):
        labels = batch.targets[batch.targets[:, 0] == index, 1:]
        centres, half = labels[:, 1:3] * side_px, labels[:, 3:] * side_px / 2
        labels[:, 1:3], labels[:, 3:] = centres - half, centres + half
        paint_over(picture, labels)
        wanted = torch.from_numpy(labels[labels[:, 0] != IGNORED_LABEL])
        targets.append({"boxes": wanted[:, 1:], "labels": wanted[:, 0].long()})
    return to_tensor(Batch(batch.task, pictures, batch.targets), torch.device("cpu")), targets


def paint_over(picture: Picture, labels: Labels) -> None:
    """Paint boxes (n, 5; class, corners) of class -1 with their mean colour, in place, objects left out."""
    kept = [(box, picture[box].copy()) for box in _places(labels[labels[:, 0] != IGNORED_LABEL], picture)]
    for box in _places(labels[labels[:, 0] == IGNORED_LABEL], picture):
        picture[box] = picture[box].mean((0, 1)).round()
    for box, former in kept:
        picture[box] = former


def _places(labels: Labels, picture: Picture) -> list[tuple[slice, slice]]:
    """Boxes as places of a picture, those without a pixel left out."""
    height, width = picture.shape[:2]
    found = []
    for x1, y1, x2, y2 in labels[:, 1:].round().astype(int).tolist():
        place = slice(max(0, y1), min(height, y2)), slice(max(0, x1), min(width, x2))
        if all(one.stop > one.start for one in place):
            found.append(place)
    return found
