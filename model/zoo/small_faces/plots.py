"""What a reader of the table looks at: AP by size of face, precision and recall of small faces, losses."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.evaluation.metrics import SIZES, ap50_by_size
from model.zoo.small_faces.measuring import MEASURED_CLASSES, SMALL, FacesFigures, right_of_size
from model.zoo.table import Plot
from services.core.types import MASK_CLASSES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASS_TITLES = {"mask": "masked", "no_mask": "bare"}


def draw_plots(
    rows: Sequence[FacesFigures], histories: Mapping[str, Sequence[Mapping[str, float]]], folder: Path
) -> list[Plot]:
    """Draws all plots into a folder as SVG, the same bytes for the same figures."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = [
        _saved(_sizes(rows), folder, "small-faces-sizes.svg", "AP50 by size of the face, crowds and unseen"),
        _saved(
            _curves(rows), folder, "small-faces-curves.svg", "Precision and recall of faces of 8 to 32 px"
        ),
    ]
    if any(histories.values()):
        caption = "Loss by epoch, as a share of the first epoch's: the methods minimise different sums"
        plots.append(_saved(_losses(histories), folder, "small-faces-losses.svg", caption))
    return plots


def _saved(figure: "Figure", folder: Path, file: str, caption: str) -> Plot:
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": file}):
        figure.savefig(folder / file, metadata={"Date": None})
    return Plot(file, caption)


def _sizes(rows: Sequence[FacesFigures]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    width = 0.8 / len(rows)
    for axes, name in zip(figure.subplots(2, 1), MEASURED_CLASSES, strict=True):
        for number, row in enumerate(rows):
            shares = ap50_by_size(row.all_judged, MASK_CLASSES)[name]
            places = np.arange(len(SIZES)) + (number - (len(rows) - 1) / 2) * width
            axes.bar(places, [shares[size].share for size in SIZES], width, label=row.name)
        axes.set_xticks(range(len(SIZES)), [f"{size} px" for size in SIZES])
        axes.set(ylabel="AP50", ylim=(0, 1), title=CLASS_TITLES[name])
        axes.grid(axis="y", alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def _curves(rows: Sequence[FacesFigures]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.5), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), MEASURED_CLASSES, strict=True):
        for row in rows:
            right, boxes = right_of_size(row.all_judged, MASK_CLASSES.index(name), *SMALL)
            hits = right.cumsum()
            axes.plot(hits / max(1, boxes), hits / np.arange(1, len(right) + 1), label=row.name)
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=CLASS_TITLES[name])
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    return figure


def _losses(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> "Figure":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, history in histories.items():
        if history:
            losses = [row["loss"] / history[0]["loss"] for row in history]
            axes.plot([row["epoch"] for row in history], losses, marker="o", label=name)
    axes.set(xlabel="epoch", ylabel="loss, first epoch = 1")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
