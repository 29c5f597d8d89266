"""One training: its state, its steps, its evaluations, and how it stops and goes on."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from model.data.batches import Batch, EpochPlan
from model.data.prefetching import Prefetcher
from model.data.samples import Sample, show_counts
from model.evaluation.evaluate import Model, evaluate_samples, judge_samples, network_predict
from model.evaluation.metrics import Metrics
from model.network.build import TaskHead
from model.network.checkpoint import (
    FILE_NAME,
    CheckpointDescription,
    Progress,
    describe,
    read_checkpoint,
    write_checkpoint,
)
from model.training.anchors import box_sizes, fit_anchors
from model.training.computing import ThreadTuner, computes_bf16
from model.training.config import RARE_CLASSES, TrainConfig
from model.training.loss import detection_loss
from model.training.mining import emphasise
from model.training.records import append_row
from model.training.starting import Start, can_start, read_start, start_from
from model.training.weights import (
    SHARES,
    START_NAME,
    AveragedWeights,
    Blend,
    blend,
    learning_rate,
    make_optimizer,
)
from services.core.errors import ConflictError
from services.core.model_classes import TASK_CLASSES

MAX_GRADIENT_NORM = 10.0
BEST_NAME = "best.pt"
LONGEST_STEP_S = 60.0
"""Most of the time between two steps that counts as training: a training that is paused by a signal, or by a
machine that sleeps, goes on where it stood in its schedule."""

Weights = dict[str, Tensor]
"""A network's state by the names of its tensors."""


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
        self.bf16 = config.bf16 and computes_bf16(self.device)
        random.seed(config.seed)
        np.random.seed(config.seed)
        torch.manual_seed(config.seed)
        self._training = training
        self._counts = {task: show_counts(samples, rare_classes(task)) for task, samples in training.items()}
        self._prefetcher = Prefetcher(training, config.workers)
        saved = self._saved()
        start = None
        if saved is None and config.init is not None:
            start = read_start(config.init, [one for samples in training.values() for one in samples])
        self.description = self._describe(saved, start, training, command)
        self.network = self.description.build()
        if start is not None:
            start_from(self.network, self.description, start)
        self.network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = make_optimizer(self.network, config)
        self.averaged = AveragedWeights(self.network, config.ema_decay)
        if saved is not None:
            self._restore(saved)
        elif start is not None:
            config.run.mkdir(parents=True, exist_ok=True)
            self._write(START_NAME, self.averaged.state)

    def _saved(self) -> dict[str, object] | None:
        path = self.config.run / FILE_NAME
        return read_checkpoint(path) if path.exists() else None

    def _describe(
        self,
        saved: dict[str, object] | None,
        start: Start | None,
        training: Mapping[str, Sequence[Sample]],
        command: str,
    ) -> CheckpointDescription:
        config = self.config
        wanted = (config.architecture, config.size, config.input_px, config.tasks)
        if saved is not None:
            former = describe(saved)
            tasks = tuple(head.task for head in former.heads)
            if (former.architecture, former.size, former.input_px, tasks) != wanted:
                raise ConflictError(f"{config.run} holds a run with other settings: name another folder")
            return former
        inherited = () if start is None else start.description.heads
        known = {head.task: head for head in inherited if head.classes == config.classes_of(head.task)}
        heads = tuple(
            known.get(task)
            or TaskHead(
                task, config.classes_of(task), fit_anchors(box_sizes(training[task], config.input_px))
            )
            for task in config.tasks
        )
        description = CheckpointDescription(config.architecture, config.size, heads, config.input_px, command)
        if start is not None and not can_start(description, start.description):
            raise ConflictError(f"{config.init} is of another architecture, or of a larger size")
        return description

    def _restore(self, saved: dict[str, object]) -> None:
        self.network.load_state_dict(saved["network"])  # type: ignore[arg-type]
        self.optimizer.load_state_dict(saved["optimizer"])  # type: ignore[arg-type]
        averaged: Weights = saved["averaged"]  # type: ignore[assignment]
        self.averaged.state = {name: value.to(self.device) for name, value in averaged.items()}
        self.progress = Progress(**saved["progress"])  # type: ignore[arg-type]
        self._counts = {task: counts.numpy() for task, counts in saved["counts"].items()}  # type: ignore[attr-defined]

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
        for total, batch in self._prefetcher.epoch(self._plan(), self._counts):
            losses += self.train_batch(batch, progress.epoch + progress.batch / total)
            count += 1
            progress.batch += 1
            if progress.batch == total:
                progress.epoch, progress.batch = progress.epoch + 1, 0
            self._tuner.after_step(work=batch.pictures.size)
            now = self._clock()
            progress.elapsed_s += min(now - last, LONGEST_STEP_S)
            last = now
            share = self.share_done(progress.epoch + progress.batch / total)
            step(share)
            if now - last_saved > self.config.checkpoint_s:
                last_saved = now
                self.save()
            if self.stop_requested or share >= 1:
                break
        if self.done or not self.stop_requested:
            if self._mining_is_due():
                self._mine()
            self._record(losses / max(count, 1), count * self.config.batch / max(last - start, 1e-9))
        self.save()

    def _plan(self) -> EpochPlan:
        config, progress = self.config, self.progress
        mosaic = config.mosaic if self.share_done() < config.mosaic_until else 0.0
        return EpochPlan(
            config.seed,
            progress.epoch,
            config.batch,
            config.input_px,
            mosaic,
            config.multi_scale,
            progress.batch,
        )

    def train_batch(self, batch: Batch, epochs: float) -> tuple[float, float, float]:
        """One step of the optimiser; returns the loss's parts: box, objectness, class."""
        rate = learning_rate(self.config, self.share_done(epochs), self.progress.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        pictures = to_tensor(batch, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            raw = self.network(pictures, batch.task)
        targets = torch.from_numpy(batch.targets).to(self.device)
        loss = detection_loss(raw, targets, self.network.head(batch.task), batch.pictures.shape[1])
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM)
        self.optimizer.step()
        self.progress.step += 1
        self.averaged.update(self.network, self.progress.step)
        return loss.box, loss.objectness, loss.class_

    def evaluate(self, weights: Weights | None = None) -> dict[str, Metrics]:
        """The figures of the averaged weights, or of others, on the validation pictures by task.

        The pictures have the training size.
        """
        return {task: evaluate_samples(model, self.validation[task]) for task, model in self._models(weights)}

    def blend_with_start(self) -> list[Blend]:
        """Tries means of the weights from which the training started and those that it has now.

        The best of them becomes best.pt when it is better than each epoch was. Nothing without a start.
        """
        path = self.config.run / START_NAME
        if self.config.init is None or not path.exists():
            return []
        start, end = read_checkpoint(path)["averaged"], self.averaged.state
        blends = []
        for share in SHARES:
            weights = blend(start, end, share)
            map50, mean = means(self.evaluate(weights))
            blends.append(Blend(share, map50, mean))
            self._keep_if_best(mean, weights)
        self.save()
        return blends

    def _models(self, weights: Weights | None = None) -> Iterator[tuple[str, Model]]:
        """The detectors by task, with the averaged weights or others."""
        network = self.description.build()
        network.load_state_dict(self.averaged.state if weights is None else weights)
        side = self.config.input_px
        for head in self.description.heads:
            detector = network.detector(head.task).eval().fuse()
            detector.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            yield (
                head.task,
                Model(network_predict(detector, bf16=self.bf16), head.classes, (side, side)),
            )

    def _mining_is_due(self) -> bool:
        """Whether it is time, and one more epoch, which shows what was mined, fits into the schedule."""
        mine_at, mined, epoch = self.config.mine_at, self.progress.mined, self.progress.epoch
        if self.progress.batch or mined == len(mine_at):
            return False
        share = self.share_done()
        return mine_at[mined] <= share <= epoch / (epoch + 1)

    def _mine(self) -> None:
        """Shows what the averaged weights get wrong more often from now on."""
        self.progress.mined += 1
        for task, model in self._models():
            judged = judge_samples(model, self._training[task])
            self._counts[task] = emphasise(self._counts[task], judged)

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
            by_task = self.evaluate()
            map50, mean = means(by_task)
            row |= {"map50": map50, "map50_95": mean}
            row |= {f"ap50_{name}": one for metrics in by_task.values() for name, one in metrics.ap50.items()}
            self._keep_if_best(mean, self.averaged.state)
        append_row(self.config.run, row, [name for head in self.description.heads for name in head.classes])

    def _keep_if_best(self, mean: float, weights: Weights) -> None:
        if mean > self.progress.best_map:
            self.progress.best_map = mean
            self._write(BEST_NAME, weights)

    def save(self) -> None:
        """Writes the checkpoint from which the training goes on after a kill."""
        counts = {task: torch.from_numpy(counts) for task, counts in self._counts.items()}
        path = self.config.run / FILE_NAME
        state = (self.averaged.state, self.network, self.optimizer, counts)
        write_checkpoint(path, self.description, self.progress, *state)

    def _write(self, name: str, weights: Weights) -> None:
        write_checkpoint(self.config.run / name, self.description, self.progress, weights)


def means(by_task: Mapping[str, Metrics]) -> tuple[float, float]:
    """mAP50 and mAP50-95, each as the mean over the tasks."""
    values = [(metrics.map50, metrics.map50_95) for metrics in by_task.values()]
    map50, map50_95 = np.mean(values, axis=0)
    return float(map50), float(map50_95)


def rare_classes(task: str) -> dict[int, float]:
    """How often pictures with the rare classes of a task are shown, by class index."""
    return {TASK_CLASSES[task].index(name): times for name, times in RARE_CLASSES.get(task, {}).items()}


def to_tensor(batch: Batch, device: torch.device) -> Tensor:
    """The batch's pictures as network input (B, 3, S, S) RGB 0..1, channels last in memory."""
    pictures = torch.from_numpy(batch.pictures).to(device).permute(0, 3, 1, 2).flip(1)
    return (pictures.float() / 255).contiguous(memory_format=torch.channels_last)
