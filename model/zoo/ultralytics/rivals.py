"""Ultralytics' detectors as rows of a table: trained by it in its own environment, computed in ours."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch

from model.data.samples import DataSource, Sample
from model.evaluation.evaluate import Model, find_all, load_onnx
from model.evaluation.predictions import Found
from model.export.writing import DEFAULT_CONFIDENCE, DEFAULT_IOU, METADATA_KEY
from model.files import replacing
from model.training.computing import computes_bf16
from model.training.config import RARE_CLASSES
from model.zoo.measuring import Evaluated
from model.zoo.rival import Cost, Schedule
from model.zoo.ultralytics.data import write_data
from model.zoo.ultralytics.job import PARTS, Job, parts_done
from model.zoo.ultralytics.onnx_cost import onnx_cost
from services.core.errors import BadInputError
from services.core.frames import Picture
from services.core.model_classes import TASK_CLASSES

REPOSITORY = Path(__file__).resolve().parents[3]
PYTHON = REPOSITORY / ".venv-ultralytics" / "bin" / "python"
PROGRAM = "model.zoo.ultralytics.program"
MODEL_NAME, DATA_NAME, LOG_NAME = "model.onnx", "pictures", "training.log"
UNTRAINED_PX = 320


@dataclass(frozen=True)
class Definition:
    """One of Ultralytics' model definitions."""

    name: str
    title: str
    file: str


DEFINITIONS = (
    Definition("yolo26-n", "YOLO26n", "yolo26n.yaml"),
    Definition("yolo26-s", "YOLO26s", "yolo26s.yaml"),
    Definition("yolo11-n", "YOLO11n", "yolo11n.yaml"),
)


def rivals(task: str = "mask") -> Sequence["UltralyticsRival"]:
    """The rows. What they do is refused with BadInputError where the environment is missing."""
    return [UltralyticsRival(one, task) for one in DEFINITIONS]


class UltralyticsRival(Evaluated):
    """Implements `Rival`: a program of the other environment trains and exports, our engine computes."""

    def __init__(self, definition: Definition, task: str) -> None:
        self._definition, self._task = definition, task
        self.classes = TASK_CLASSES[task]
        self._model: Model | None = None
        self._file = b""

    @property
    def name(self) -> str:
        """Names the row and the folder of its run."""
        return self._definition.name

    @property
    def title(self) -> str:
        """As papers write it."""
        return self._definition.title

    def build(self, seed: int) -> None:
        """Make the network anew, with weights that follow from the seed."""
        with TemporaryDirectory() as folder:
            job = self._job(Path(folder), Schedule(0, UNTRAINED_PX, seed))
            self._export(job)
            self._open(Path(job.output))

    def train(
        self,
        sources: Sequence[DataSource],
        run: Path,
        schedule: Schedule,
        step: Callable[[float], None],
    ) -> None:
        """Train to the end of the schedule; killed, the same call goes on after the last finished part."""
        run.mkdir(parents=True, exist_ok=True)
        if (run / MODEL_NAME).is_file():
            step(1.0)
            return
        job = self._job(run, schedule)
        if parts_done(run) < PARTS:
            rare = {self.classes.index(name): times for name, times in RARE_CLASSES[self._task].items()}
            write_data(Path(job.data), sources, self.classes, rare)
            _run("train", job, run / LOG_NAME, step)
            if parts_done(run) < PARTS:
                raise BadInputError(f"Ultralytics ended {self.title} early: {run / LOG_NAME} says why")
        self._export(job)
        shutil.rmtree(job.data, ignore_errors=True)
        step(1.0)

    def load(self, run: Path) -> None:
        """Take the weights that a training has kept; BadInputError where there are none."""
        path = run / MODEL_NAME
        if not path.is_file():
            raise BadInputError(f"{run} holds no trained {self.title}")
        self._open(path)

    def predict(self, picture_bgr: Picture) -> Found:
        """Find objects in a picture, in its pixels, however unsure."""
        sample = Sample("", np.asarray(picture_bgr, np.uint8), np.zeros((0, 5), np.float32))
        (found,) = find_all(self._ready(), [sample])
        return found

    def export(self, path: Path) -> None:
        """Write the network as ONNX with Sightline's metadata."""
        self._ready()
        with replacing(path) as partial:
            partial.write_bytes(self._file)

    def cost(self) -> Cost:
        """Count what it costs, in its exported file."""
        self._ready()
        with TemporaryDirectory() as folder:
            path = Path(folder) / MODEL_NAME
            path.write_bytes(self._file)
            return onnx_cost(path)

    def _job(self, run: Path, schedule: Schedule) -> Job:
        return Job(
            definition=self._definition.file,
            run=str(run.resolve()),
            data=str((run / DATA_NAME).resolve()),
            shown=schedule.shown,
            input_px=schedule.input_px,
            classes=len(self.classes),
            seed=schedule.seed,
            threads=schedule.threads,
            bf16=computes_bf16(torch.device("cpu")),
            output=str((run / MODEL_NAME).resolve()),
        )

    def _export(self, job: Job) -> None:
        """Write the run's weights; what stands there in the end is whole, metadata included."""
        final = Path(job.output)
        made = final.with_name(f"without-metadata-{final.name}")
        _run("export", replace(job, output=str(made)), Path(job.run) / LOG_NAME, lambda share: None)
        graph = onnx.load(str(made))
        values = {
            "name": self.name,
            "task": self._task,
            "classes": list(self.classes),
            "architecture": self._definition.file.removesuffix(".yaml"),
            "size": self.name[-1],
            "input": [job.input_px, job.input_px],
            "confidence": DEFAULT_CONFIDENCE,
            "iou": DEFAULT_IOU,
            "trained_by": "sightline bench models",
        }
        onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(values)})
        with replacing(final) as partial:
            onnx.save(graph, str(partial))
        made.unlink()

    def _open(self, path: Path) -> None:
        self._model, self._file = load_onnx(path, threads=1), path.read_bytes()

    def _ready(self) -> Model:
        if self._model is None:
            raise BadInputError(f"{self.title} has no weights: build, train or load it first")
        return self._model


def _run(what: str, job: Job, log: Path, step: Callable[[float], None]) -> None:
    """Run the program to its end, and keep what it says; BadInputError names that file where it fails."""
    if not PYTHON.is_file():
        raise BadInputError(
            "Ultralytics is missing: run scripts/setup.sh --ultralytics in Sightline's folder"
        )
    environment = os.environ | {"OMP_NUM_THREADS": str(job.threads), "YOLO_VERBOSE": "false"}
    command = [str(PYTHON), "-m", PROGRAM, what, job.to_json()]
    with (
        log.open("a", encoding="utf-8") as written,
        subprocess.Popen(
            command, cwd=log.parent, env=environment, stdout=subprocess.PIPE, stderr=written, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                step(float(line))
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise BadInputError(f"Ultralytics could not {what} {job.definition}: {log} says why")
