"""What a run leaves to read: metrics.csv and curves.png."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CSV_NAME, CURVES_NAME = "metrics.csv", "curves.png"
COLUMNS = (
    "epoch",
    "step",
    "minutes",
    "learning_rate",
    "pictures_per_s",
    "box",
    "objectness",
    "class",
    "map50",
    "map50_95",
)


def append_row(run: Path, row: dict[str, Any], classes: Sequence[str]) -> None:
    """Adds a line to metrics.csv, with its head when it is new; what the row lacks stays empty."""
    path = run / CSV_NAME
    columns = [*COLUMNS, *(f"ap50_{name}" for name in classes)]
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        if fresh:
            writer.writeheader()
        writer.writerow({name: _short(value) for name, value in row.items()})


def _short(value: Any) -> Any:
    return f"{value:.5g}" if isinstance(value, float) else value


def draw_curves(run: Path) -> None:
    """Draws losses and average precision over the epochs into curves.png."""
    from matplotlib.figure import Figure

    with (run / CSV_NAME).open(newline="") as file:
        rows = list(csv.DictReader(file))
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    losses, precision = figure.subplots(1, 2)
    for name in ("box", "objectness", "class"):
        losses.plot(*_series(rows, name), label=name)
    for name in [column for column in rows[0] if column.startswith(("map", "ap50_"))] if rows else []:
        precision.plot(*_series(rows, name), label=name, linewidth=2.5 if name.startswith("map") else 1)
    for axes, title in ((losses, "loss (training)"), (precision, "average precision (validation)")):
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    figure.savefig(run / CURVES_NAME, dpi=110)


def _series(rows: Sequence[dict[str, str]], name: str) -> tuple[list[int], list[float]]:
    filled = [row for row in rows if row[name] not in ("", "nan")]
    return [int(row["epoch"]) for row in filled], [float(row[name]) for row in filled]
