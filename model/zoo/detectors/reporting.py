"""The table of detectors as Markdown and plots, from what was measured."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from model.data.samples import Sample
from model.evaluation.judging import Judged
from model.evaluation.metrics import SIZES
from model.evaluation.report import shown
from model.zoo.detectors.network_rival import HISTORY_NAME
from model.zoo.measuring import DetectorFigures, Failures, Timing
from model.zoo.plots import (
    PlotPoint,
    draw_accuracy,
    draw_confusions,
    draw_histories,
    draw_precision,
    read_history,
)
from model.zoo.rival import Cost
from model.zoo.table import Plot, Table, TableSettings
from services.core.types import MASK_CLASSES

PAPER = {
    "yolov4": "95.12 / 95.12 / 74",
    "yolov5-n": "96.62 / 97.87 / 107",
    "yolov5-s": "96.62 / 97.87 / 107",
    "faster-rcnn": "95.78 / 95.31 / 71",
    "ssd": "95.98 / 96.63 / 96",
    "gbyolo-n": "97.08 / 97.85 / 128",
    "gbyolo-s": "97.08 / 97.85 / 128",
}
"""The GB-YOLO paper's table as printed: accuracy in two columns, in percent, and frames a second."""

SHOWN_ALIKE = (
    "Faces with a mask, without one, and with a badly worn one. All rows begin with random weights and "
    "are shown the same pictures, cut and coloured alike and in the same order, as many as the column "
    "`shown` says. The weights are those of the end: none are chosen by how well they do."
)
ONE_ROW = (
    "One row alone: the same with `--only faster-rcnn`, and so on. On one machine the accuracy of a row"
    " follows from its seed (`--seed`), also where its training was stopped on the way."
)
BY_ULTRALYTICS = (
    "YOLO26 n and s are trained by Ultralytics' own trainer, which cuts and colours pictures in its own way."
)
WITHOUT_ULTRALYTICS = (
    "The rows YOLO26 n and s are trained by Ultralytics (AGPL-3.0) in an environment of its own: after "
    "`scripts/setup.sh --ultralytics` the same command has them too."
)
HOW_TAKEN = (
    "The accuracy of a class is the share of its *found* faces that were given it, followed by the "
    "share of its faces that were found at all: without the second the first says little. Precision, "
    "recall, F1 and accuracy are taken at the confidence at which F1 on `val` is highest, for each "
    "method its own. AP50 by size is the mean over the classes, by the longer side of a face in a "
    "picture whose long side is 640. GFLOPs are those of one picture of 320x320."
)
COMPARABLE = (
    "**What can be compared:** the rows with each other, in accuracy, size and, where the engine is the"
    " same, in time; a row in torch would be faster in an engine. **What cannot:** the column *in the "
    "paper* (accuracy / accuracy / frames a second, as the GB-YOLO paper prints them, without the size "
    "of its YOLOv5 and its GB-YOLO, so that they stand beside both) with ours. Its pictures are others;"
    " it does not say what becomes of faces that were not found; its frames a second are of another "
    "machine. What can be held against our rows is its order."
)

FAILURES = (
    "**Where each fails**, on `val` at the confidence of its figures: the share of the true faces that are "
    "found and named right, found with another class (misnamed), or missed; then, for each true face, the "
    "detections that overlap one by a tenth to a half (misplaced), those of a face that is found already "
    "(double), and those where nothing is (false). AP50 without names takes all classes for one: what is "
    "above mAP50 is lost by naming, or in rare classes. The last column is what the last tenth of the "
    "schedule brought to mAP50: a method that still gains much had not learned all that it can."
)
FAILURE_COLUMNS = (
    "method",
    "right",
    "misnamed",
    "missed",
    "misplaced",
    "double",
    "false",
    "AP50 without names",
    "mAP50",
    "gained last",
)

SCHEDULE_NAME = "schedule.json"
"""What a training was to be, in the folder of its run."""

COST_COLUMNS = ("M parameters", "GFLOPs", "MB", "engine", "ms", "frames/s")
ACCURACY_COLUMNS = (
    "mAP50",
    "mAP50-95",
    "precision",
    "recall",
    "F1",
    "accuracy of mask",
    "accuracy of no mask",
    *(f"AP50 {size} px" for size in SIZES),
)
COLUMNS = ("method", *COST_COLUMNS, *ACCURACY_COLUMNS, "shown", "in the paper")


@dataclass(frozen=True)
class DetectorRow:
    """One method with all that was measured of it, by split where it says so."""

    name: str
    title: str
    run: Path
    cost: Cost
    figures: Mapping[str, DetectorFigures]
    judged: Mapping[str, Sequence[Judged]]
    failures: Failures
    """Those on the split val."""


def table_of(
    rows: Sequence[DetectorRow],
    timings: Mapping[str, Timing],
    measured: Mapping[str, Sequence[Sample]],
    settings: TableSettings,
    left_out: Sequence[str],
    has_ultralytics: bool,
) -> Table:
    """The table, its plots drawn into the folder beside the document that has its name."""
    return Table(
        key="detectors",
        title="Detectors",
        introduction=_introduction(measured, settings, left_out, has_ultralytics),
        columns=COLUMNS,
        rows=[_cells(row, timings[row.name]) for row in rows],
        notes=_notes(rows, measured, settings),
        plots=_draw(rows, timings, settings.document.parent / settings.document.stem),
    )


def _cells(row: DetectorRow, timing: Timing) -> list[str]:
    cost = (
        f"{row.cost.parameters / 1e6:.2f}",
        f"{row.cost.gflops:.2f}",
        f"{row.cost.size_bytes / 1e6:.1f}",
        timing.engine,
        f"{timing.median_ms:.1f}",
        f"{timing.frames_per_s:.0f}",
    )
    return [row.title, *cost, *_accuracy(row.figures["val"]), _shown(row.run), PAPER.get(row.name, "–")]


def _accuracy(figures: DetectorFigures) -> list[str]:
    metrics = figures.report.metrics
    means = (metrics.map50, metrics.map50_95, figures.precision, figures.recall, figures.f1)
    accuracies = (figures.accuracy("mask"), figures.accuracy("no_mask"))
    return [*map(shown, means), *accuracies, *(shown(figures.by_size(size)) for size in SIZES)]


def _shown(run: Path) -> str:
    """How many pictures a training has shown, as its history says, else its schedule."""
    path = run / HISTORY_NAME
    counts = read_history(path, "shown")[1] if path.is_file() else []
    if counts:
        return f"{counts[-1]:.0f}"
    return str(json.loads((run / SCHEDULE_NAME).read_text(encoding="utf-8"))["shown"])


def _command(settings: TableSettings) -> str:
    """The command that makes the table anew, its data in the folder `data`."""
    weights = (f"@{one.repeat:g}" if one.repeat != 1 else "" for one in settings.data)
    folders = (f"--data data/{one.folder.name}{w}" for one, w in zip(settings.data, weights, strict=True))
    options = [f"--shown {settings.shown}"] if settings.shown else []
    options += [f"--seed {settings.seed}"] if settings.seed else []
    return " ".join(("sightline bench models --table detectors", *folders, *options))


def _introduction(
    measured: Mapping[str, Sequence[Sample]],
    settings: TableSettings,
    left_out: Sequence[str],
    has_ultralytics: bool,
) -> str:
    counts = ", ".join(f"{len(samples)} of the split `{split}`" for split, samples in measured.items())
    parts = [
        f"{SHOWN_ALIKE} Measured on pictures that no training shows: {counts}.",
        f"```console\n{_command(settings)}\n```",
        ONE_ROW,
    ]
    if left_out:
        parts.append(f"Left out, since they have no weights here: {', '.join(left_out)}.")
    parts.append(BY_ULTRALYTICS if has_ultralytics else WITHOUT_ULTRALYTICS)
    return "\n\n".join(parts)


def _notes(
    rows: Sequence[DetectorRow], measured: Mapping[str, Sequence[Sample]], settings: TableSettings
) -> str:
    threads = "one thread" if settings.threads == 1 else f"{settings.threads} threads"
    times = (
        f"Times are processor times of {threads} for all from the picture to the boxes of at least that "
        f"confidence, the median of {settings.rounds} rounds, in each of which every method does the same "
        "picture."
    )
    parts = [f"{HOW_TAKEN} {times}", COMPARABLE]
    if "unseen" in measured:
        lines = [(row.title, *_accuracy(row.figures["unseen"])) for row in rows]
        parts += ["The same on pictures of a source that no training has seen (`unseen`):"]
        parts += [_markdown(("method", *ACCURACY_COLUMNS), lines)]
    parts += [FAILURES, _markdown(FAILURE_COLUMNS, [_failed(row) for row in rows])]
    return "\n\n".join(parts)


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = (head, ["---"] * len(head), *lines)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _failed(row: DetectorRow) -> list[str]:
    """The shares of errors of a row, of its true faces."""
    numbers, boxes = row.failures.numbers, max(1, row.failures.boxes)
    shares = [numbers[kind] / boxes for kind in ("misnamed", "missed", "misplaced", "double", "false")]
    values = (1 - shares[0] - shares[1], *shares, row.failures.ap50_unnamed)
    map50 = row.figures["val"].report.metrics.map50
    return [row.title, *map(shown, (*values, map50)), _gained(row.run / HISTORY_NAME)]


def _gained(history: Path) -> str:
    """What the last of the epochs, a tenth of the schedule each, brought to mAP50."""
    values = read_history(history, "map50")[1] if history.is_file() else []
    return f"{values[-1] - values[-2]:+.3f}" if len(values) > 1 else "–"


def _draw(rows: Sequence[DetectorRow], timings: Mapping[str, Timing], folder: Path) -> list[Plot]:
    points = [
        PlotPoint(row.title, timings[row.name].median_ms, row.figures["val"].report.metrics.map50)
        for row in rows
    ]
    judged = {row.title: row.judged["val"] for row in rows}
    histories = {row.title: row.run / HISTORY_NAME for row in rows if (row.run / HISTORY_NAME).is_file()}
    plots = [
        Plot("detectors-accuracy.svg", "Accuracy against time"),
        Plot("detectors-precision.svg", "Precision against recall by class"),
        Plot("detectors-confusion.svg", "What the true faces were taken for"),
        Plot("detectors-history.svg", "Loss and accuracy by epoch, a tenth of the schedule"),
    ]
    accuracy, precision, confusions, history = (folder / plot.file for plot in plots)
    draw_accuracy(points, accuracy, "mAP50 on val")
    draw_precision(judged, MASK_CLASSES, precision)
    draw_confusions(judged, MASK_CLASSES, confusions)
    draw_histories(histories, history, "map50", "mAP50 on val")
    return plots
