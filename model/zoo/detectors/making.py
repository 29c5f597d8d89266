"""The table of detectors: trained where they are not yet, measured on the same pictures, timed in one run."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import torch

from model.data.samples import DataSource, Sample
from model.zoo.detectors.networks import FasterRcnn, RetinaNet, Ssd
from model.zoo.detectors.reporting import SCHEDULE_NAME, DetectorRow, table_of
from model.zoo.detectors.showing import measured_samples
from model.zoo.detectors.torchvision_rival import TorchvisionRival
from model.zoo.detectors.yolo import Yolo
from model.zoo.measuring import (
    Evaluation,
    entrant,
    time_entrants,
    write_samples,
)
from model.zoo.rival import Rival, Schedule
from model.zoo.table import Table, TableSettings
from services.core.errors import BadInputError, ConflictError

Step = Callable[[str, float], None]
"""The name of the row at work, and the share of that work that is done."""

SHOWN, INPUT_PX = 8000, 320
TIMED_PICTURES = 8
SAMPLES_NAME = "samples.json"
REPOSITORY = Path(__file__).parents[3]
ULTRALYTICS_PACKAGE, ULTRALYTICS_ENVIRONMENT = "model.zoo.ultralytics", REPOSITORY / ".venv-ultralytics"


def rivals() -> list[Rival]:
    """The rows, in the order in which they are trained: the cheapest first."""
    own: list[Rival] = [
        Yolo("gbyolo-n", "GB-YOLO n", "gbyolo", "n"),
        Yolo("yolov5-n", "YOLOv5 n", "yolov5", "n"),
        Yolo("gbyolo-s", "GB-YOLO s", "gbyolo", "s"),
        Yolo("yolov5-s", "YOLOv5 s", "yolov5", "s"),
        TorchvisionRival("ssd", "SSD", Ssd),
        Yolo("yolov4", "YOLOv4 at half width", "yolov4", "s"),
        TorchvisionRival("retinanet", "RetinaNet", RetinaNet),
        TorchvisionRival("faster-rcnn", "Faster R-CNN", FasterRcnn),
    ]
    return [*own, *_of_ultralytics()] if has_ultralytics() else own


def has_ultralytics() -> bool:
    """Whether the rows of Ultralytics can be trained here: in an environment of their own."""
    return find_spec(ULTRALYTICS_PACKAGE) is not None and ULTRALYTICS_ENVIRONMENT.is_dir()


def _of_ultralytics() -> Sequence[Rival]:
    found: Sequence[Rival] = import_module(f"{ULTRALYTICS_PACKAGE}.rivals").rivals()
    return found


def make_table(settings: TableSettings, step: Step) -> Table:
    """Train what has no weights, measure all rows, and draw the plots beside the document.

    A training that was stopped goes on. Raises BadInputError for rows that there are not, for data without
    pictures to measure on, and where no row has weights; ConflictError where a folder holds another training.
    """
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(1)
    chosen = choose(rivals(), settings.only)
    measured = measured_samples(settings.data)
    schedule = Schedule(settings.shown or SHOWN, INPUT_PX, settings.seed, settings.threads)
    ready = [one for one in chosen if make_ready(one, settings, schedule, step)]
    if not ready:
        raise BadInputError("no row of the table has weights: leave --no-train out")
    rows = [_measure(one, settings.runs / one.name, measured, step) for one in ready]
    with TemporaryDirectory() as folder:
        entrants = [
            entrant(one, Path(folder), settings.threads, row.figures["val"].confidence)
            for one, row in zip(ready, rows, strict=True)
        ]
        pictures = [sample.picture for sample in measured["val"][:TIMED_PICTURES]]
        step("timing", 0.0)
        timings = time_entrants(entrants, pictures, settings.rounds)
    for path in filter(None, (settings.runs / SAMPLES_NAME, settings.samples_file)):
        write_samples(path, timings, settings.threads)
    left_out = [one.title for one in chosen if one not in ready]
    return table_of(rows, timings, measured, settings, left_out, has_ultralytics())


def check_rows(only: Sequence[str]) -> None:
    """Raise BadInputError, before anything is made ready, for the name of a row that there is not."""
    choose(rivals(), only)


def choose(rows: Sequence[Rival], only: Sequence[str]) -> list[Rival]:
    """The rows of the names, all without names; BadInputError names those that there are."""
    names = [one.name for one in rows]
    if unknown := [name for name in only if name not in names]:
        raise BadInputError(f"no row {unknown[0]!r}, there are {', '.join(names)}")
    return [one for one in rows if not only or one.name in only]


def make_ready(rival: Rival, settings: TableSettings, schedule: Schedule, step: Step) -> bool:
    """Load a row's weights, after a training where it has none; False where it must not be trained."""
    run = settings.runs / rival.name
    try:
        rival.load(run)
    except BadInputError:
        if not settings.trains:
            return False
    else:
        check_schedule(run, settings.data, schedule)
        return True
    check_schedule(run, settings.data, schedule)
    step(rival.name, 0.0)
    rival.build(schedule.seed)
    rival.train(settings.data, run, schedule, lambda share: step(rival.name, share))
    rival.load(run)
    return True


def check_schedule(run: Path, sources: Sequence[DataSource], schedule: Schedule) -> None:
    """Note the schedule and the data of a run; ConflictError where it has begun with others."""
    path = run / SCHEDULE_NAME
    folders = sorted(f"{one.folder.name}@{one.repeat:g}" for one in sources)
    wanted = {**asdict(schedule), "data": folders}
    del wanted["threads"]
    if not path.exists():
        run.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")
        return
    former = json.loads(path.read_text(encoding="utf-8"))
    if changes := ", ".join(name for name in wanted if wanted[name] != former.get(name)):
        raise ConflictError(f"{run} holds a training with other settings ({changes}): give another --runs")


def _measure(rival: Rival, run: Path, measured: dict[str, list[Sample]], step: Step) -> DetectorRow:
    """A row's answers and figures by split; the confidence is that of the split val."""
    done: dict[str, Evaluation] = {}
    confidence = None
    for split, samples in measured.items():
        advance = partial(step, f"{rival.name} on {split}")
        done[split] = rival.evaluate(samples, advance, confidence)
        confidence = done[split].figures.confidence
    figures = {split: one.figures for split, one in done.items()}
    judged = {split: one.judged for split, one in done.items()}
    return DetectorRow(rival.name, rival.title, run, rival.cost(), figures, judged, done["val"].failures)
