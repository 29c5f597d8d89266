"""One training: its state, its steps, its evaluations, and how it stops and goes on."""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from model.anchors import box_sizes, fit_anchors
from model.batches import Batch, EpochPlan, Prefetcher
from model.checkpoint import (
    FILE_NAME,
    AveragedWeights,
    Description,
    Progress,
    describe,
    read_checkpoint,
    write_checkpoint,
)
from model.config import RARE_CLASSES, TASKS, TrainConfig
from model.data import Sample, show_counts
from model.evaluate import Model, evaluate_samples, network_predict
from model.loss import detection_loss
from model.metrics import Metrics
from model.networks import JointNetwork, TaskHead
from model.records import append_row
from model.threads import ThreadTuner
from services.core.errors import ConflictError

WARM_UP_STEPS = 100
LAST_RATE = 0.02
"""The learning rate at the end of the schedule, as a share of the first."""
MAX_GRADIENT_NORM = 10.0
BEST_NAME = "best.pt"


class Trainer:
    """The state of a training. `stop_requested` may be set at any time: it ends after the step."""

    def __init__(
        self,
        config: TrainConfig,
        training: Mapping[str, Sequence[Sample]],
        validation: Mapping[str, Sequence[Sample]],
        command: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self.validation = config, validation
        self._clock = clock
        self.progress = Progress()
        self.stop_requested = False
        self._tuner = ThreadTuner(config.threads, clock)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        random.seed(config.seed)
        np.random.seed(config.seed)
        torch.manual_seed(config.seed)
        counts = {task: show_counts(samples, rare_classes(task)) for task, samples in training.items()}
        self._prefetcher = Prefetcher(training, counts)
        saved = self._saved()
        self.description = self._describe(saved, training, command)
        self.network = self.description.build()
        if saved is None and config.init is not None:
            start_from(self.network, self.description, read_checkpoint(config.init))
        self.network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = make_optimizer(self.network, config)
        self.averaged = AveragedWeights(self.network, config.ema_decay)
        if saved is not None:
            self._restore(saved)

    def _saved(self) -> dict[str, object] | None:
        path = self.config.run / FILE_NAME
        return read_checkpoint(path) if path.exists() else None

    def _describe(
        self, saved: dict[str, object] | None, training: Mapping[str, Sequence[Sample]], command: str
    ) -> Description:
        config = self.config
        wanted = (config.architecture, config.size, config.input_px, config.tasks)
        if saved is not None:
            former = describe(saved)
            tasks = tuple(head.task for head in former.heads)
            if (former.architecture, former.size, former.input_px, tasks) != wanted:
                raise ConflictError(f"{config.run} holds a run with other settings: name another folder")
            return former
        inherited: dict[str, TaskHead] = {}
        if config.init is not None:
            start = describe(read_checkpoint(config.init))
            if (start.architecture, start.size) != (config.architecture, config.size):
                raise ConflictError(f"{config.init} is of another architecture or size")
            inherited = {head.task: head for head in start.heads if head.classes == TASKS[head.task]}
        heads = tuple(
            inherited.get(task)
            or TaskHead(task, TASKS[task], fit_anchors(box_sizes(training[task], config.input_px)))
            for task in config.tasks
        )
        return Description(config.architecture, config.size, heads, config.input_px, command)

    def _restore(self, saved: dict[str, object]) -> None:
        self.network.load_state_dict(saved["network"])  # type: ignore[arg-type]
        self.optimizer.load_state_dict(saved["optimizer"])  # type: ignore[arg-type]
        self.averaged.state = saved["averaged"]  # type: ignore[assignment]
        self.progress = Progress(**saved["progress"])  # type: ignore[arg-type]

    @property
    def done(self) -> bool:
        """Whether the schedule has come to its end."""
        return self.share_done() >= 1

    def share_done(self, epochs: float | None = None) -> float:
        """The share of the schedule that is done, after `epochs`, else after the whole ones so far."""
        done = self.progress.epoch if epochs is None else epochs
        return self.config.progress(self.progress.elapsed_s, done)

    def run_epoch(self, step: Callable[[float], None]) -> None:
        """Trains to the end of the epoch, of the schedule, or until asked to stop; then evaluates.

        `step` is called with the share of the schedule that is done.
        """
        progress = self.progress
        self.network.train()
        losses, count = np.zeros(3), 0
        start = last = last_saved = self._clock()
        for total, batch in self._prefetcher.epoch(self._plan()):
            losses += self.train_batch(batch, progress.epoch + progress.batch / total)
            count += 1
            progress.batch += 1
            if progress.batch == total:
                progress.epoch, progress.batch = progress.epoch + 1, 0
            self._tuner.after_step()
            now = self._clock()
            progress.elapsed_s += now - last
            last = now
            share = self.share_done(progress.epoch + progress.batch / total)
            step(share)
            if now - last_saved > self.config.checkpoint_s:
                last_saved = now
                self.save()
            if self.stop_requested or share >= 1:
                break
        if not self.stop_requested:
            self._record(losses / max(count, 1), count * self.config.batch / max(last - start, 1e-9))
        self.save()

    def _plan(self) -> EpochPlan:
        config, progress = self.config, self.progress
        mosaic = config.mosaic if self.share_done() < config.mosaic_until else 0.0
        return EpochPlan(config.seed, progress.epoch, config.batch, config.input_px, mosaic, progress.batch)

    def train_batch(self, batch: Batch, epochs: float) -> tuple[float, float, float]:
        """One step of the optimiser; returns the loss's parts: box, objectness, class."""
        rate = self.learning_rate(epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        pictures = to_tensor(batch, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16):
            raw = self.network(pictures, batch.task)
        targets = torch.from_numpy(batch.targets).to(self.device)
        loss = detection_loss(raw, targets, self.network.head(batch.task), self.config.input_px)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self.optimizer.step()
        self.progress.step += 1
        self.averaged.update(self.network, self.progress.step)
        return loss.box, loss.objectness, loss.class_

    def learning_rate(self, epochs: float) -> float:
        """A linear warm-up, then half a cosine down to LAST_RATE of the first rate."""
        share = self.share_done(epochs)
        cosine = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share))
        return self.config.learning_rate * cosine * min(1.0, (self.progress.step + 1) / WARM_UP_STEPS)

    def evaluate(self) -> dict[str, Metrics]:
        """The figures of the averaged weights on the validation pictures by task, at the training size."""
        network = self.description.build()
        network.load_state_dict(self.averaged.state)
        side, results = self.config.input_px, {}
        for head in self.description.heads:
            detector = network.detector(head.task).eval().fuse()
            detector.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            model = Model(network_predict(detector, bf16=self.config.bf16), head.classes, (side, side))
            results[head.task] = evaluate_samples(model, self.validation[head.task])
        return results

    def _record(self, losses: "np.ndarray[tuple[int], np.dtype[np.float64]]", speed: float) -> None:
        progress = self.progress
        epoch = progress.epoch + (1 if progress.batch else 0)
        row: dict[str, object] = {
            "epoch": epoch,
            "step": progress.step,
            "minutes": progress.elapsed_s / 60,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "pictures_per_s": speed,
        }
        row |= dict(zip(("box", "objectness", "class"), map(float, losses), strict=True))
        if epoch % self.config.evaluate_every == 0 or self.done:
            by_task = self.evaluate().values()
            mean = float(np.mean([metrics.map50_95 for metrics in by_task]))
            row |= {"map50": float(np.mean([metrics.map50 for metrics in by_task])), "map50_95": mean}
            row |= {f"ap50_{name}": value for metrics in by_task for name, value in metrics.ap50.items()}
            if mean > progress.best_map:
                progress.best_map = mean
                self._write(BEST_NAME, weights_only=True)
        append_row(self.config.run, row, [name for head in self.description.heads for name in head.classes])

    def save(self) -> None:
        """Writes the checkpoint from which the training goes on after a kill."""
        self._write(FILE_NAME, weights_only=False)

    def _write(self, name: str, *, weights_only: bool) -> None:
        path: Path = self.config.run / name
        state = (None, None) if weights_only else (self.network, self.optimizer)
        write_checkpoint(path, self.description, self.progress, self.averaged.state, *state)


def rare_classes(task: str) -> dict[int, float]:
    """How often pictures with the rare classes of a task are shown, by class index."""
    return {TASKS[task].index(name): times for name, times in RARE_CLASSES[task].items()}


def start_from(network: JointNetwork, description: Description, content: Mapping[str, Any]) -> None:
    """Takes the averaged weights of a checkpoint: all that is shared, and the heads that it has too."""
    kept = [head.task for head in description.heads if head in describe(content).heads]
    chosen = {
        name: value
        for name, value in content["averaged"].items()
        if not name.startswith("heads.") or name.split(".")[1] in kept
    }
    missing = network.load_state_dict(chosen, strict=False).missing_keys
    assert all(name.startswith("heads.") for name in missing)


def make_optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW; only convolution kernels decay, not biases, norms and fusion weights."""
    kernels = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": kernels, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99))


def to_tensor(batch: Batch, device: torch.device) -> Tensor:
    """The batch's pictures as network input (B, 3, S, S) RGB 0..1, channels last in memory."""
    pictures = torch.from_numpy(batch.pictures).to(device).permute(0, 3, 1, 2).flip(1)
    return (pictures.float() / 255).contiguous(memory_format=torch.channels_last)
