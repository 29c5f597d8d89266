"""Plots of a table: figures only, as SVG files that are the same whenever the figures are.

Matplotlib names what a file repeats by chance and dates the file; here both follow from the content.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.evaluation.judging import Judged
from model.training.plots import confusion, precision_and_recall

HASH_SALT = "sightline"
COLUMNS = 4
"""Of small plots side by side."""


@dataclass(frozen=True)
class PlotPoint:
    """A method in the plot of accuracy against time."""

    title: str
    time_ms: float
    accuracy: float


def draw_accuracy(points: Sequence[PlotPoint], path: Path, measure: str, time: str = "ms a picture") -> None:
    """Draw accuracy against time, a point a method; the time is logarithmic."""
    with _figure(path, 7, 4.5) as figure:
        axes = figure.subplots()
        for index, point in enumerate(points):
            axes.plot(point.time_ms, point.accuracy, _marker(index), color=f"C{index % 10}")
            axes.annotate(
                point.title,
                (point.time_ms, point.accuracy),
                xytext=(5, 4),
                textcoords="offset points",
                fontsize=8,
            )
        axes.set(xscale="log", xlabel=time, ylabel=measure)
        axes.margins(x=0.3)
        axes.grid(alpha=0.3, which="both")


def draw_precision(rows: Mapping[str, Sequence[Judged]], classes: Sequence[str], path: Path) -> None:
    """Draw precision against recall at half overlap, a plot for each class, a curve for each method."""
    with _figure(path, 4.2 * len(classes), 4.4) as figure:
        plots = figure.subplots(1, len(classes), sharey=True, squeeze=False)[0]
        for index, (axes, name) in enumerate(zip(plots, classes, strict=True)):
            for number, (row, judged) in enumerate(rows.items()):
                curve = precision_and_recall(judged, index)
                axes.plot(*curve, label=row, linewidth=1.2, color=f"C{number % 10}", linestyle=_dash(number))
            axes.set(xlabel="recall", xlim=(0, 1), ylim=(0, 1.02), title=name)
            axes.grid(alpha=0.3)
        plots[0].set_ylabel("precision")
        plots[-1].legend(fontsize=7)


def draw_confusions(rows: Mapping[str, Sequence[Judged]], classes: Sequence[str], path: Path) -> None:
    """Draw for each method what the true boxes were taken for, as shares of each class."""
    counts = {row: confusion(judged, len(classes)) for row, judged in rows.items()}
    draw_shares(counts, classes, (*classes, "not found"), path)


def draw_shares(counts: Mapping[str, Any], lines: Sequence[str], columns: Sequence[str], path: Path) -> None:
    """Draw matrices (lines, columns) of counts by method, as shares of each line."""
    height = -(-len(counts) // COLUMNS)
    with _figure(path, 3.1 * COLUMNS, 2.9 * height) as figure:
        plots = figure.subplots(height, COLUMNS, squeeze=False).ravel()
        for axes, (row, matrix) in zip(plots, counts.items(), strict=False):
            shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
            axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
            axes.set_title(row, fontsize=9)
            axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right", fontsize=7)
            axes.set_yticks(range(len(lines)), lines, fontsize=7)
            for (line, column), share in np.ndenumerate(shares):
                colour = "w" if share > 0.5 else "k"
                axes.text(column, line, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=7)
        for axes in plots[len(counts) :]:
            axes.set_axis_off()


def draw_histories(histories: Mapping[str, Path], path: Path, column: str, measure: str) -> None:
    """Draw the loss and another column of each method's history.csv by epoch.

    Losses of different methods are different sums: each is drawn as a share of its first.
    """
    with _figure(path, 11, 4.4) as figure:
        losses, accuracies = figure.subplots(1, 2)
        for number, (row, file) in enumerate(histories.items()):
            style = {"label": row, "color": f"C{number % 10}", "linestyle": _dash(number), "linewidth": 1.2}
            epochs, loss = read_history(file, "loss")
            losses.plot(epochs, [value / loss[0] for value in loss], **style)
            accuracies.plot(*read_history(file, column), **style)
        losses.set(xlabel="epoch", ylabel="loss, as a share of the first epoch's")
        accuracies.set(xlabel="epoch", ylabel=measure)
        for axes in (losses, accuracies):
            axes.grid(alpha=0.3)
        accuracies.legend(fontsize=7)


def read_history(file: Path, column: str) -> tuple[list[int], list[float]]:
    """The epochs of a history.csv, and a column of it, where it has a value."""
    with file.open(newline="", encoding="utf-8") as opened:
        filled = [row for row in csv.DictReader(opened) if row.get(column, "") not in ("", "nan")]
    return [int(row["epoch"]) for row in filled], [float(row[column]) for row in filled]


@contextmanager
def _figure(path: Path, width: float, height: float) -> Iterator[Any]:
    """A figure in inches that is written to the path at the end."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": HASH_SALT, "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _marker(index: int) -> str:
    return "os^DvPX*"[index % 8]


def _dash(index: int) -> str:
    return "-" if index < 10 else "--"
