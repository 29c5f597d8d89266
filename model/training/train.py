"""A training with a progress bar; the same settings again go on after a kill."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import cv2
import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from model.data.samples import Sample, check_classes, load_backgrounds, load_split, validation_sources
from model.evaluation.evaluate import find, judge_samples, load_model
from model.evaluation.metrics import SURE
from model.network.checkpoint import FILE_NAME
from model.training.config import TrainConfig
from model.training.plots import (
    CONFUSION_NAME,
    EXAMPLES,
    EXAMPLES_NAME,
    PRECISION_NAME,
    TILE_PX,
    draw_confusion,
    draw_examples,
    draw_precision,
)
from model.training.records import CSV_NAME, draw_curves
from model.training.trainer import BEST_NAME, Trainer
from model.training.weights import Blend, write_blends
from services.core.errors import BadInputError, ConflictError, StoppedError

CONFIG_NAME = "config.json"
DETAIL = 1.5
"""Pictures are kept at up to this multiple of the training size, so that enlarging shows real detail."""


def train(config: TrainConfig, *, command: str = "", console: Console | None = None) -> Path:
    """Trains, or goes on with the training in `config.run`, and returns the run's folder.

    Leaves checkpoint.pt, best.pt, config.json, metrics.csv and plots, and blends.csv where it began with the
    weights of another. A SIGTERM or SIGINT ends it after the running step with a checkpoint. Raises
    BadInputError for data or settings that cannot be used, ConflictError when the folder holds another run,
    StoppedError when it was ended.
    """
    console = console or Console()
    torch.set_num_threads(config.threads)
    cv2.setNumThreads(1)
    try:
        config.run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"--run {config.run} cannot be made: {error.strerror}") from error
    check_run(config)
    training, validation = load_data(config, console)
    trainer = Trainer(config, training, validation, command)
    (config.run / CONFIG_NAME).write_text(config.to_json())
    with _stop_on_signal(trainer), _progress(console) as bar:
        task = bar.add_task("training", total=1.0)
        bar.update(task, completed=trainer.share_done())
        while not trainer.done and not trainer.stop_requested:
            trainer.run_epoch(lambda share: bar.update(task, completed=share))
            console.print(_summary(trainer))
    if (config.run / CSV_NAME).exists():
        draw_curves(config.run)
    if not trainer.done:
        raise StoppedError(f"{config.run}: stopped before its end, the same command goes on")
    with console.status("evaluating means of the start and the end"):
        blends = trainer.blend_with_start()
    if blends:
        write_blends(config.run, blends)
        console.print(*map(_blend_summary, blends), sep="\n")
    if (config.run / BEST_NAME).exists():
        for name, samples in validation.items():
            draw_results(config, name, samples)
    return config.run


def check_run(config: TrainConfig) -> None:
    """Raises ConflictError when the folder holds a training with other settings."""
    former = config.run / CONFIG_NAME
    if not (former.exists() and (config.run / FILE_NAME).exists()):
        return
    if changes := ", ".join(config.changes(former.read_text())):
        raise ConflictError(f"{config.run} holds a run with other settings ({changes}): name another folder")


def draw_results(config: TrainConfig, task: str, validation: Sequence[Sample]) -> None:
    """Draws what the best weights do on the validation pictures into the run's folder."""
    model = load_model(config.run / BEST_NAME, threads=config.threads, task=task)
    prefix = f"{task}_" if len(config.tasks) > 1 else ""
    judged = judge_samples(model, validation)
    draw_precision(judged, model.classes, config.run / f"{prefix}{PRECISION_NAME}")
    draw_confusion(judged, model.classes, config.run / f"{prefix}{CONFUSION_NAME}")
    examples = validation[:: max(1, len(validation) // EXAMPLES)][:EXAMPLES]
    tile = load_model(config.run / BEST_NAME, (TILE_PX, TILE_PX), config.threads, task)
    found = [find(tile, sample, SURE) for sample in examples]
    draw_examples(examples, found, model.classes, config.run / f"{prefix}{EXAMPLES_NAME}")


def load_data(
    config: TrainConfig, console: Console
) -> tuple[dict[str, list[Sample]], dict[str, list[Sample]]]:
    """By task: the training pictures of its folders, and the pictures that choose its weights."""
    training, validation = {}, {}
    with _progress(console) as bar:
        reading = bar.add_task("reading pictures", total=None)
        for task in config.tasks:
            sources = config.sources(task)
            side_px = round(config.input_px * DETAIL)
            training[task] = load_split(sources, "train", side_px, lambda: bar.advance(reading))
            chosen_by = validation_sources(sources)
            validation[task] = load_split(chosen_by, "val", max(640, config.input_px))
            if task == "mask":
                training[task] += load_backgrounds(config.backgrounds, side_px)
            check_classes([*training[task], *validation[task]], len(config.classes_of(task)))
            if not any(len(one.labels) for one in training[task]):
                raise BadInputError(f"{task}: no training picture has a label; they lie in labels/train")
    for task in config.tasks:
        counts = f"{len(training[task])} pictures to train on, {len(validation[task])} to evaluate on"
        console.print(f"{task}: {counts}")
    return training, validation


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _summary(trainer: Trainer) -> str:
    progress = trainer.progress
    best = f", best mAP {progress.best_map:.3f}" if progress.best_map >= 0 else ""
    return f"epoch {progress.epoch}, step {progress.step}, {progress.elapsed_s / 60:.1f} min{best}"


def _blend_summary(blend: Blend) -> str:
    figures = f"mAP50 {blend.map50:.3f}, mAP {blend.map50_95:.3f}"
    return f"{1 - blend.share:.2f} of the start, {blend.share:.2f} of the end: {figures}"


@contextmanager
def _stop_on_signal(trainer: Trainer) -> Iterator[None]:
    """Lets SIGTERM and SIGINT end the training after its step, and restores their handlers."""

    def stop(number: int, frame: FrameType | None) -> None:
        trainer.stop_requested = True

    former = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
