"""The program that trains and exports in Ultralytics' environment: `train` or `export`, and a job's JSON.

Ultralytics trains as it does by itself, but for what is the same for all rows of a table: random weights, so
many pictures shown, drawn by the same counts, one step of the optimiser for each batch, one size, one seed,
and the averaged weights at the end, which nothing has chosen.
"""

import csv
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import WeightedRandomSampler

from model.export.writing import INPUT_NAME, OPSET, OUTPUT_NAME
from model.files import replacing
from model.zoo.ultralytics import plugin  # noqa: F401
from model.zoo.ultralytics.job import PARTS, WEIGHTS_NAME, Job, parts_done, results_of

# isort: split

from ultralytics.data.build import InfiniteDataLoader
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.nn import tasks

BATCH = 8
MOSAIC_PARTS_LEFT_OUT = 2
LAST = "weights/last.pt"
HISTORY_NAME = "history.csv"
HISTORY = {
    "epoch": "epoch",
    "map50": "metrics/mAP50(B)",
    "map50_95": "metrics/mAP50-95(B)",
    "seconds": "time",
}
"""Columns of history.csv, and of the results.csv of Ultralytics; the loss is the sum of its parts."""


class RowTrainer(DetectionTrainer):  # type: ignore[misc]
    """Ultralytics' own, which draws pictures by their weights, and says how far it is."""

    def __init__(self, job: Job, step: Callable[[float], None]) -> None:
        last = Path(job.run) / LAST
        super().__init__(overrides=settings(job) | ({"resume": str(last)} if last.is_file() else {}))
        self.job, self._step, self._batches_done, self._parent = job, step, 0, os.getppid()
        self.add_callback("on_train_batch_end", RowTrainer.after_batch)
        self.add_callback("on_fit_epoch_end", lambda trainer: write_history(Path(job.run)))

    def get_dataloader(self, path: str, batch_size: int, rank: int = 0, mode: str = "train") -> Any:
        """Batches of a part of the training, or of all pictures to validate with."""
        loader = super().get_dataloader(path, batch_size, rank, mode)
        if mode != "train":
            return loader
        weights = json.loads((Path(self.job.data) / WEIGHTS_NAME).read_text(encoding="utf-8"))
        chances = [weights[file] for file in loader.dataset.im_files]
        chance = torch.Generator().manual_seed(self.job.seed * PARTS + parts_done(Path(self.job.run)))
        return InfiniteDataLoader(
            dataset=loader.dataset,
            batch_size=BATCH,
            sampler=WeightedRandomSampler(chances, -(-self.job.shown // PARTS), generator=chance),
            collate_fn=loader.dataset.collate_fn,
            generator=chance,
        )

    def after_batch(self) -> None:
        """Say how far it is; ends where nobody listens any more."""
        if os.getppid() != self._parent:
            sys.exit("what started this training has ended")
        # Ultralytics sets it to a number of its own when it chooses the device.
        torch.set_num_threads(self.job.threads)
        self._batches_done += 1
        self._step(min((self.start_epoch + self._batches_done / len(self.train_loader)) / PARTS, 1.0))


def train(job: Job, step: Callable[[float], None]) -> None:
    """Train to the end; a run that was broken off goes on after its last finished part.

    `step` is called with the share that is done.
    """
    if job.bf16:
        compute_in_bf16()
    RowTrainer(job, step).train()


def compute_in_bf16() -> None:
    """Let networks that are trained here compute in bfloat16, which Ultralytics does on GPUs alone.

    Losses stay in single precision.
    """
    of_predictions = tasks.DetectionModel.loss

    def loss(network: Any, batch: dict[str, Any], predictions: Any = None) -> Any:
        if predictions is None:
            with torch.autocast("cpu", torch.bfloat16):
                predictions = single_precision(network(batch["img"]))
        return of_predictions(network, batch, predictions)

    tasks.DetectionModel.loss = loss


def single_precision(values: Any) -> Any:
    """The tensors in dictionaries and lists as float32."""
    if isinstance(values, dict):
        return {name: single_precision(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(single_precision(value) for value in values)
    return values.float()


def settings(job: Job) -> dict[str, Any]:
    """Ultralytics' settings of a training."""
    run = Path(job.run)
    return {
        "model": job.definition,
        "data": str(Path(job.data) / "data.yaml"),
        # Also where a checkpoint says another place: its folder may have been moved.
        "save_dir": str(run),
        "exist_ok": True,
        "pretrained": False,
        "epochs": PARTS,
        "batch": BATCH,
        "nbs": BATCH,
        "imgsz": job.input_px,
        "close_mosaic": MOSAIC_PARTS_LEFT_OUT,
        "warmup_epochs": 1.0,
        "patience": 0,
        "seed": job.seed,
        "amp": False,
        "device": "cpu",
        "workers": 0,
        "plots": False,
        "verbose": False,
    }


def write_history(run: Path) -> None:
    """Write history.csv from what Ultralytics says of its parts."""
    with replacing(run / HISTORY_NAME) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*HISTORY, "loss"])
        writer.writeheader()
        for row in results_of(run):
            loss = sum(float(value) for name, value in row.items() if name.startswith("train/"))
            writer.writerow({name: row[source] for name, source in HISTORY.items()} | {"loss": f"{loss:.6g}"})


class Rows(nn.Module):
    """A detector of Ultralytics with the output that Sightline's engines read."""

    def __init__(self, network: nn.Module, class_count: int) -> None:
        super().__init__()
        self.network, self.class_count = network, class_count

    def forward(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) to rows (B, N, 4 + classes): centre, width, height in pixels, scores."""
        found: Tensor = self.network(pictures)
        if found.shape[1] == 4 + self.class_count:
            return found.transpose(1, 2)
        # Without suppression inside: corners, score and class of the best.
        low, high, score, label = found[..., :2], found[..., 2:4], found[..., 4:5], found[..., 5:6]
        is_class = (label == torch.arange(self.class_count).to(label)).to(score)
        return torch.cat(((low + high) / 2, high - low, score * is_class), -1)


def export(job: Job, step: Callable[[float], None]) -> None:
    """Write the weights of a run, or those that follow from the seed, as ONNX without metadata."""
    last = Path(job.run) / LAST
    torch.manual_seed(job.seed)
    if last.is_file():
        network = tasks.load_checkpoint(str(last))[0]
    else:
        network = tasks.DetectionModel(tasks.yaml_model_load(job.definition), nc=job.classes, verbose=False)
    network = network.float().eval().fuse()
    head = network.model[-1]
    head.export, head.format, head.dynamic = True, "onnx", False
    side = job.input_px
    with replacing(Path(job.output)) as partial:
        torch.onnx.export(
            Rows(network, job.classes),
            (torch.zeros(1, 3, side, side),),
            str(partial),
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
        )
    step(1.0)


def main() -> None:
    """Do a job; the output has a line for each step, the share that is done, and nothing else."""
    with os.fdopen(os.dup(1), "w") as output:
        os.dup2(2, 1)
        job = Job(**json.loads(sys.argv[2]))
        {"train": train, "export": export}[sys.argv[1]](
            job, lambda share: print(share, file=output, flush=True)
        )


if __name__ == "__main__":
    main()
