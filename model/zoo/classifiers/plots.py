"""Plots of the table of classifiers; each of the same figures is the same file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.core.types import MASK_CLASSES

SHORT = dict(zip(MASK_CLASSES, ("mask", "no mask", "badly worn"), strict=True))
COLUMNS = 4


def _figure(width: float, height: float) -> Any:
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    rcParams["svg.hashsalt"] = "sightline"
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})


def draw_confusions(matrices: Mapping[str, npt.NDArray[np.int64]], path: Path) -> None:
    """Draw a matrix (classes, classes) for each title, in shares of its rows."""
    rows = -(-len(matrices) // COLUMNS)
    figure = _figure(3.1 * COLUMNS, 2.8 * rows)
    fields = figure.subplots(rows, COLUMNS, squeeze=False).reshape(-1)
    for axes in fields[len(matrices) :]:
        axes.set_axis_off()
    names = [SHORT[name] for name in MASK_CLASSES]
    for axes, (title, counts) in zip(fields, matrices.items(), strict=False):
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_title(title, fontsize=9)
        axes.set_xticks(range(len(names)), names, fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
        for (row, column), share in np.ndenumerate(shares):
            colour = "w" if share > 0.5 else "k"
            axes.text(column, row, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=8)
    figure.supxlabel("classified as", fontsize=9)
    figure.supylabel("is", fontsize=9)
    _save(figure, path)


def draw_curves(histories: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> None:
    """Draw loss and accuracy by epoch, solid while training, dashed on the validation part."""
    figure = _figure(12, 4.5)
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for number, (title, rows) in enumerate(histories.items()):
            epochs = [row["epoch"] for row in rows]
            colour = f"C{number}"
            axes.plot(epochs, [row[name] for row in rows], color=colour, label=title)
            axes.plot(epochs, [row[f"val_{name}"] for row in rows], color=colour, linestyle="--")
        axes.set(xlabel="epoch (as many crops as there are)", ylabel=name)
        axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    _save(figure, path)


def draw_accuracy(points: Mapping[str, tuple[float, float]], path: Path, what: str) -> None:
    """Draw accuracy against milliseconds of one thread, a named point for each row."""
    figure = _figure(8, 5)
    axes = figure.subplots()
    for title, (time_ms, share) in points.items():
        axes.plot(time_ms, share, "o")
        axes.annotate(title, (time_ms, share), textcoords="offset points", xytext=(5, 4), fontsize=8)
    axes.set(xscale="log", xlabel="processor ms, one thread", ylabel=what)
    axes.grid(alpha=0.3, which="both")
    _save(figure, path)
