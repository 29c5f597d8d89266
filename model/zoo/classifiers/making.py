"""The table of classifiers: trained where they are not, measured on the same faces, timed side by side."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import torch

from model.data.samples import Sample, load_split, validation_sources
from model.evaluation.evaluate import find_all, load_onnx
from model.evaluation.predictions import Found
from model.evaluation.speed import interleaved
from model.zoo.classifiers import contenders, words
from model.zoo.classifiers.crops import PICTURE_PX, Sides
from model.zoo.classifiers.exporting import export_classifier
from model.zoo.classifiers.finders import CaffeFinder, onnx_cost, surest
from model.zoo.classifiers.lessons import labels_of, probabilities
from model.zoo.classifiers.measuring import (
    LARGE_PX,
    CropFigures,
    PictureFigures,
    confusion_of,
    measure_pictures,
    time_pictures,
)
from model.zoo.classifiers.networks import NetworkKind
from model.zoo.classifiers.plots import draw_accuracy, draw_confusions, draw_curves
from model.zoo.classifiers.training import read_history
from model.zoo.classifiers.two_stage import TwoStage, load_kind, session_of, sides_of
from model.zoo.classifiers.window_row import WindowRow
from model.zoo.rival import Cost
from model.zoo.table import Plot, Table, TableSettings
from services.core.errors import BadInputError

TIMED_PICTURES = 3
LEAST_SCORE = 0.01


@dataclass(frozen=True)
class ClassifierRow:
    """A trained classifier with all that the first block says of it."""

    kind: NetworkKind
    cost: Cost
    val: CropFigures
    large: CropFigures | None
    """Of the faces of the validation part that are as large as those of papers."""
    unseen: CropFigures | None
    confusion: np.ndarray[Any, np.dtype[np.int64]]
    samples_ms: tuple[float, ...]


@dataclass(frozen=True)
class PictureRow:
    """What the second block says of a finder and a classifier, or of a model of one stage."""

    title: str
    cost: Cost
    figures: PictureFigures
    samples_ms: tuple[float, ...]


class OneStage:
    """A shipped detector, which finds and classifies at once, in ONNX Runtime with one thread."""

    def __init__(self, path: Path, title: str) -> None:
        self.title, self._path = title, path
        self._model = load_onnx(path, threads=1)

    def predict(self, picture_bgr: np.ndarray[Any, np.dtype[np.uint8]]) -> Found:
        """Faces in a picture's pixels."""
        sample = Sample("", picture_bgr, np.zeros((0, 5), np.float32))
        return surest(next(iter(find_all(self._model, [sample]))), LEAST_SCORE)

    def cost(self) -> Cost:
        """Count what it costs at its input size."""
        return onnx_cost(self._path)


def check_rows(only: Sequence[str]) -> None:
    """Raise BadInputError, before anything is made ready, for the name of a row that there is not."""
    contenders.check_wanted(only)


def make_table(settings: TableSettings, step: Callable[[str, float], None]) -> Table:
    """Train what is missing, measure every row, draw the plots beside the document, and give the table.

    `step` is called with the name of the row and its share. BadInputError for a row that there is not,
    and where no row has weights.
    """
    wanted = contenders.check_wanted(settings.only)
    if settings.finder_file is not None:
        CaffeFinder(settings.finder_file)  # before hours of training
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(settings.threads)
    shown = settings.shown or contenders.SHOWN
    if settings.trains:
        contenders.train_missing(wanted, settings.data, settings.runs, shown, settings.seed, step)
    ready = contenders.trained(wanted, settings.runs)
    if not ready:
        raise BadInputError("no row of the table has weights: leave --no-train out")
    sides = sides_of(tuple(settings.data))
    classifiers = measure_classifiers(ready, sides, settings, step)
    pictures = measure_two_stages(ready, settings, step)
    if settings.samples_file is not None:
        write_samples(settings.samples_file, classifiers, pictures)
    folder = settings.document.parent / settings.document.stem
    return Table(
        key="classifiers",
        title="Two-stage classifiers",
        introduction=words.introduction(sides, shown, settings),
        columns=words.CROP_COLUMNS,
        rows=[words.crop_row(row) for row in classifiers],
        notes=words.notes(classifiers, pictures, [name for name in wanted if name not in ready]),
        plots=draw_plots(folder, classifiers, pictures, settings.runs),
    )


def measure_classifiers(
    ready: Sequence[str], sides: Sides, settings: TableSettings, step: Callable[[str, float], None]
) -> list[ClassifierRow]:
    """The first block: each trained classifier on faces that are cut out."""
    kinds = [kind for kind in contenders.CLASSIFIERS if kind.name in ready]
    said: list[_Said] = []
    costs, runs = [], []
    with TemporaryDirectory() as folder:
        for kind in kinds:
            step(f"measuring {kind.name}", 0.0)
            network = load_kind(kind, settings.runs / kind.name)
            said.append(_say(network, kind, sides))
            path = Path(folder) / f"{kind.name}.onnx"
            export_classifier(network, path, kind.side_px, kind.name, kind.title)
            costs.append(onnx_cost(path))
            crop = np.random.default_rng(0).random((1, 3, kind.side_px, kind.side_px), np.float32)
            runs.append(partial(session_of(path), crop))
        samples = interleaved(runs, settings.rounds)
    return [
        ClassifierRow(kind, cost, one.val, one.large, one.unseen, one.confusion, times)
        for kind, cost, one, times in zip(kinds, costs, said, samples, strict=True)
    ]


@dataclass(frozen=True)
class _Said:
    """What a network says of the faces of all sides."""

    confusion: np.ndarray[Any, np.dtype[np.int64]]
    val: CropFigures
    large: CropFigures | None
    unseen: CropFigures | None


def _say(network: torch.nn.Module, kind: NetworkKind, sides: Sides) -> _Said:
    large = [crop for crop in sides.val if float((crop.box[2:] - crop.box[:2]).max()) >= LARGE_PX]
    counts = [
        confusion_of(probabilities(network, crops, kind.side_px), labels_of(crops)) if crops else None
        for crops in (sides.val, large, sides.unseen)
    ]
    figures = [None if one is None else CropFigures.of(one) for one in counts]
    if counts[0] is None or figures[0] is None:
        raise BadInputError("the validation part has no face to classify")
    return _Said(counts[0], figures[0], figures[1], figures[2])


def measure_two_stages(
    ready: Sequence[str], settings: TableSettings, step: Callable[[str, float], None]
) -> list[PictureRow]:
    """The second block: finders with classifiers on whole pictures, beside models of one stage."""
    found = contenders.finders(ready, settings.runs, settings.finder_file)
    rows: list[Any] = [
        OneStage(contenders.SHIPPED_FINDER.with_stem(f"mask-{size}"), f"GB-YOLO {size}, one stage (ships)")
        for size in ("n", "s")
    ]
    rows += contenders.two_stage_rows(ready, settings.runs, found)
    if WindowRow.name in ready:
        windows = WindowRow()
        windows.load(settings.runs / WindowRow.name)
        rows.append(windows)
    samples = load_split(validation_sources(settings.data)[:1], "val", PICTURE_PX)
    figures = []
    for number, row in enumerate(rows):
        step(f"measuring {row.title}", number / len(rows))
        figures.append(measure_pictures(row, samples))
    predicts = [row.predict_sure if isinstance(row, TwoStage) else row.predict for row in rows]
    timed = time_pictures(predicts, [one.picture for one in samples[:TIMED_PICTURES]], settings.rounds)
    return [
        PictureRow(row.title, row.cost(), figure, times)
        for row, figure, times in zip(rows, figures, timed, strict=True)
    ]


def write_samples(path: Path, classifiers: Sequence[ClassifierRow], pictures: Sequence[PictureRow]) -> None:
    """Write every sample of the times as JSON."""
    content = {
        "clock": "processor time",
        "threads": 1,
        "crop_ms": {row.kind.name: row.samples_ms for row in classifiers},
        "picture_ms": {row.title: row.samples_ms for row in pictures},
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def draw_plots(
    folder: Path, classifiers: Sequence[ClassifierRow], pictures: Sequence[PictureRow], runs: Path
) -> list[Plot]:
    """Draw what the table's figures look like; nothing where no classifier is trained."""
    if not classifiers:
        return []
    draw_confusions(
        {row.kind.title: row.confusion for row in classifiers}, folder / "classifiers-confusion.svg"
    )
    histories: Mapping[str, Sequence[Mapping[str, float]]] = {
        row.kind.title: read_history(runs / row.kind.name) for row in classifiers
    }
    draw_curves(histories, folder / "classifiers-curves.svg")
    crops = {row.kind.title: (median(row.samples_ms), row.val.accuracy) for row in classifiers}
    draw_accuracy(crops, folder / "classifiers-accuracy.svg", "accuracy on faces cut out")
    whole = {row.title: (median(row.samples_ms), row.figures.map50) for row in pictures}
    draw_accuracy(whole, folder / "classifiers-map50.svg", "mAP50 on whole pictures")
    return [
        Plot("classifiers-accuracy.svg", "Accuracy of classifiers on faces cut out, against their time"),
        Plot("classifiers-map50.svg", "mAP50 on whole pictures, against the time of a picture"),
        Plot(
            "classifiers-confusion.svg", "What each class of faces is classified as, as shares of the class"
        ),
        Plot("classifiers-curves.svg", "Loss and accuracy by epoch, solid in training, dashed on validation"),
    ]
