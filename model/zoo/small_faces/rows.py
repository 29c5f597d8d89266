"""The rows of the table: RetinaNet with all of its parts and without one each, and GB-YOLO n."""

import csv
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import onnx
import torch
from torch import nn

from model.data.samples import DataSource, Picture, Sample, load_split
from model.evaluation.evaluate import Model, find_all, network_predict
from model.evaluation.predictions import Found
from model.export.reading import read_export, unfold
from model.export.writing import DEFAULT_CONFIDENCE, DEFAULT_IOU, METADATA_KEY, write_onnx
from model.files import replacing
from model.network.build import (
    DetectionNetwork,
    TaskHead,
    build,
    build_joint,
    multiplications,
    parameter_count,
)
from model.network.checkpoint import (
    FILE_NAME,
    CheckpointDescription,
    Progress,
    averaged_network,
    read_checkpoint,
    write_checkpoint,
)
from model.training.records import CSV_NAME
from model.training.train import DETAIL
from model.training.trainer import Trainer
from model.zoo.measuring import Evaluated
from model.zoo.rival import Cost, Rival, Schedule
from model.zoo.small_faces.network import SmallFacesNetwork
from model.zoo.small_faces.schedule import (
    BACKBONE,
    BATCH,
    START,
    TASK,
    scaled_samples,
    seed_all,
    start_weights,
    train_config,
    training_samples,
)
from model.zoo.small_faces.training import (
    HISTORY_NAME,
    FacesVariant,
    SmallFacesTrainer,
    has_ended,
    write_history,
)
from services.core.errors import BadInputError, ConflictError
from services.core.model_classes import TASK_CLASSES
from services.core.types import MASK_CLASSES

INPUT_PX = 480
"""The side of the pictures that all rows are trained on and measured with."""
NO_LABELS = np.zeros((0, 5), np.float32)
SHIPPED = START.with_name("mask-n.onnx")
BACKBONE_NAME, SETTINGS_NAME = "backbone.pt", "settings.json"

FacesNetwork = SmallFacesNetwork | DetectionNetwork


class FacesRow(Evaluated):
    """What the rows have in common: a network of one input and one form of output."""

    architecture: str

    def __init__(self, name: str, title: str, input_px: int = INPUT_PX) -> None:
        self._name, self._title, self.input_px = name, title, input_px
        self._network: FacesNetwork | None = None
        self._model: Model | None = None

    @property
    def name(self) -> str:
        """Names the row in commands, and the folder of its run."""
        return self._name

    @property
    def title(self) -> str:
        """As a reader of the table knows it."""
        return self._title

    def begin(
        self, sources: Sequence[DataSource], run: Path, schedule: Schedule
    ) -> tuple[list[Sample], float]:
        """Give the pictures of a training and their repeat, none where it has ended; errors as `train`."""
        use_threads(schedule.threads)
        self.input_px = schedule.input_px
        keep_settings(run, schedule)
        if has_ended(run):
            return [], 0.0
        side_px = round(self.input_px * DETAIL)
        return scaled_samples(training_samples(tuple(sources), side_px), schedule.shown)

    def network(self) -> FacesNetwork:
        """The network; raises BadInputError before it was built or loaded."""
        if self._network is None:
            raise BadInputError(f"{self.name} has no weights yet: build or load it")
        return self._network

    def take(self, network: FacesNetwork) -> None:
        """Detect with this network from now on; it is fused."""
        network.eval().fuse()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._network = network
        self._model = Model(network_predict(network), MASK_CLASSES, (self.input_px, self.input_px))

    def predict(self, picture_bgr: Picture) -> Found:
        """Find faces in a picture, in its pixels, however unsure; BadInputError before `load`."""
        if self._model is None:
            raise BadInputError(f"{self.name} has no weights yet: load it")
        return next(find_all(self._model, [Sample("", picture_bgr, NO_LABELS)]))

    def export(self, path: Path) -> None:
        """Write the loaded network as ONNX, with what a detector has to know of it."""
        metadata = {
            "name": path.stem,
            "task": TASK,
            "classes": list(MASK_CLASSES),
            "architecture": self.architecture,
            "size": "n",
            "input": [self.input_px, self.input_px],
            "confidence": DEFAULT_CONFIDENCE,
            "iou": DEFAULT_IOU,
            "trained_by": f"sightline bench models --table small-faces --only {self.name}",
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial_file:
            with warnings.catch_warnings():
                # Where anchors lie is a constant of the file, as the size of its pictures is.
                warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
                write_onnx(self.network(), partial_file, self.input_px, self.input_px)
            graph = onnx.load(str(partial_file))
            onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(metadata)})
            onnx.save(graph, str(partial_file))

    def cost(self) -> Cost:
        """Parameters as trained, operations of convolutions at the input size, size of the ONNX file."""
        network = self.unfused()
        gflops = 2 * multiplications(network, self.input_px, self.input_px) / 1e9
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"{self.name}.onnx"
            self.export(path)
            return Cost(parameter_count(network), gflops, path.stat().st_size)

    def unfused(self) -> nn.Module:
        """The network as it is trained, with any weights."""
        return build("gbyolo", "n", len(MASK_CLASSES))


class RetinaNetRow(FacesRow):
    """RetinaNet for small faces in one of its variants."""

    architecture = "retinanet-faces"

    def __init__(self, name: str, title: str, variant: FacesVariant | None = None) -> None:
        super().__init__(name, title)
        self.variant = variant or FacesVariant()

    def build(self, seed: int) -> None:
        """Make the network anew; its backbone takes the weights of the start when it is trained."""
        seed_all(seed)
        self._network, self._model = self.variant.build(), None

    def train(
        self,
        sources: Sequence[DataSource],
        run: Path,
        schedule: Schedule,
        step: Callable[[float], None],
    ) -> None:
        """Train to the end of the schedule; ConflictError where the folder holds another run."""
        samples, repeat = self.begin(sources, run, schedule)
        if not samples:
            step(1.0)
            return
        self.build(schedule.seed)
        network = self.network()
        assert isinstance(network, SmallFacesNetwork)
        SmallFacesTrainer(self.variant, network, samples, train_config(sources, run, schedule, repeat)).run(
            step
        )

    def load(self, run: Path) -> None:
        """Take the averaged weights of the end of a training; BadInputError where there are none."""
        content = read_checkpoint(run / FILE_NAME)
        network = self.variant.build()
        try:
            network.load_state_dict(content["averaged"])
        except (KeyError, RuntimeError) as error:
            raise BadInputError(f"{run} holds weights of another network") from error
        self.input_px = int(content["settings"]["input_px"])
        self.take(network)

    def unfused(self) -> nn.Module:
        """The variant with random weights."""
        return self.variant.build()


class GbYoloRow(FacesRow):
    """GB-YOLO n, trained by our own trainer."""

    architecture = "gbyolo"

    def build(self, seed: int) -> None:
        """Make the network anew; its backbone takes the weights of the start when it is trained."""
        seed_all(seed)
        self._network, self._model = build("gbyolo", "n", len(MASK_CLASSES)), None

    def train(
        self,
        sources: Sequence[DataSource],
        run: Path,
        schedule: Schedule,
        step: Callable[[float], None],
    ) -> None:
        """Train to the end of the schedule; ConflictError where the folder holds another run."""
        samples, repeat = self.begin(sources, run, schedule)
        if not samples:
            step(1.0)
            return
        start = run / BACKBONE_NAME
        if not start.exists():
            write_start(start, samples, schedule)
        config = replace(train_config(sources, run, schedule, repeat), init=start)
        with_val = [one for one in sources if (one.folder / "images" / "val").is_dir()]
        validation = load_split(with_val[:1], "val", self.input_px)
        trainer = Trainer(config, {TASK: samples}, {TASK: validation}, f"bench models --only {self.name}")
        while not trainer.done:
            trainer.run_epoch(step)
            write_history(run / HISTORY_NAME, read_metrics(run / CSV_NAME))
        write_history(run / HISTORY_NAME, read_metrics(run / CSV_NAME))
        step(1.0)

    def load(self, run: Path) -> None:
        """Take the averaged weights of the end of a training; BadInputError where there are none."""
        network, description = averaged_network(run / FILE_NAME)
        self.input_px = description.input_px
        self.take(network)


class ShippedRow(FacesRow):
    """The detector that ships, trained far longer than the table's schedule, at the table's input size."""

    architecture = "gbyolo"

    def build(self, seed: int) -> None:
        """Take what ships: there is nothing that a seed could change."""
        self._network, self._model = unfold(read_export(SHIPPED), torch.zeros(1, 3, 64, 64)), None

    def train(
        self,
        sources: Sequence[DataSource],
        run: Path,
        schedule: Schedule,
        step: Callable[[float], None],
    ) -> None:
        """Nothing: it is trained."""
        self.input_px = schedule.input_px
        step(1.0)

    def load(self, run: Path) -> None:
        """Take what ships."""
        self.build(0)
        self.take(self.network())


def use_threads(threads: int) -> None:
    """Compute with so many threads, and read pictures with one."""
    torch.set_num_threads(threads)
    cv2.setNumThreads(1)


def keep_settings(run: Path, schedule: Schedule) -> None:
    """Write down in its folder what a run keeps to; ConflictError where it has another schedule."""
    run.mkdir(parents=True, exist_ok=True)
    path = run / SETTINGS_NAME
    own = json.dumps({"shown": schedule.shown, "input_px": schedule.input_px, "seed": schedule.seed})
    if path.exists() and path.read_text(encoding="utf-8") != own:
        raise ConflictError(f"{run} holds a run with other settings: name another folder")
    path.write_text(own, encoding="utf-8")


def write_start(path: Path, samples: Sequence[Sample], schedule: Schedule) -> None:
    """A checkpoint with the backbone that all rows start with, and a neck that follows from the seed."""
    start, backbone = start_weights(samples)
    seed_all(schedule.seed)
    head = TaskHead("traffic", TASK_CLASSES["traffic"], start.description.heads[0].anchors)
    weights = build_joint("gbyolo", "n", (head,)).state_dict() | backbone
    assert all(name.startswith(BACKBONE) for name in backbone)
    description = CheckpointDescription("gbyolo", "n", (head,), schedule.input_px, "backbone of traffic-n")
    write_checkpoint(path, description, Progress(), weights)


def read_metrics(path: Path) -> list[list[float]]:
    """Our trainer's metrics.csv as the lines of history.csv, the last of each epoch."""
    if not path.exists():
        return []
    rows = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            parts = {name: float(row[name]) for name in ("box", "objectness", "class")}
            shown = int(row["step"]) * BATCH
            rows[int(row["epoch"])] = [
                float(row["epoch"]),
                float(shown),
                sum(parts.values()),
                parts["class"] + parts["objectness"],
                parts["box"],
            ]
    return [rows[epoch] for epoch in sorted(rows)]


MAIN, GBYOLO, LONG = "retinanet", "gbyolo-n", "mask-n"


def make_rows() -> list[Rival]:
    """All rows, those first that are to be compared above all."""
    return [
        RetinaNetRow(MAIN, "RetinaNet for small faces"),
        GbYoloRow(GBYOLO, "GB-YOLO n"),
        ShippedRow(LONG, "GB-YOLO n as it ships (mask-n), trained longer"),
        RetinaNetRow("without-context", "RetinaNet without context modules", FacesVariant(context=False)),
        RetinaNetRow(
            "without-hard-negatives", "RetinaNet without hard negatives", FacesVariant(hard_negatives=False)
        ),
        RetinaNetRow(
            "without-multi-scale", "RetinaNet without multi-scale training", FacesVariant(multi_scale=False)
        ),
        RetinaNetRow(
            "cross-entropy", "RetinaNet with cross-entropy, not focal loss", FacesVariant(focal=False)
        ),
    ]
