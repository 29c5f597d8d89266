"""What a person looks at after a training: precision against recall, what is taken for what, examples."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from model.data.samples import Sample
from model.evaluation.judging import Judged
from model.evaluation.metrics import Detections
from model.evaluation.predictions import Found, letterbox

PRECISION_NAME, CONFUSION_NAME, EXAMPLES_NAME = "precision_recall.png", "confusion.png", "examples.jpg"
EXAMPLES, COLUMNS, TILE_PX = 12, 4, 320
TRUE_COLOUR, FOUND_COLOUR = (80, 200, 80), (60, 110, 255)


def precision_and_recall(
    judged: Sequence[Judged], index: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Recall and precision of a class at every confidence, best detections first, at half overlap."""
    detections = Detections.of(judged)
    right = detections.right[detections.classes == index, 0]
    boxes = max(1, int((detections.labels == index).sum()))
    hits = right.cumsum()
    return hits / boxes, hits / np.arange(1, len(right) + 1)


def confusion(judged: Sequence[Judged], class_count: int) -> npt.NDArray[np.int64]:
    """(classes, classes + 1): how often a true box of the row's class was given which; last: not found."""
    counts = np.zeros((class_count, class_count + 1), np.int64)
    for one in judged:
        np.add.at(counts, (one.labels.astype(np.int64), np.where(one.named < 0, class_count, one.named)), 1)
    return counts


def draw_precision(judged: Sequence[Judged], classes: Sequence[str], path: Path) -> None:
    """Draws precision against recall, a curve a class."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    for index, name in enumerate(classes):
        axes.plot(*precision_and_recall(judged, index), label=name)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="IoU 0.5")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


def draw_confusion(judged: Sequence[Judged], classes: Sequence[str], path: Path) -> None:
    """Draws what the true boxes were taken for, as shares of each row."""
    from matplotlib.figure import Figure

    counts = confusion(judged, len(classes))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(1.6 + len(classes), 1.4 + 0.8 * len(classes)), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(classes) + 1), [*classes, "not found"], rotation=30, ha="right")
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="found as", ylabel="is")
    for (row, column), share in np.ndenumerate(shares):
        axes.text(column, row, f"{share:.2f}", ha="center", va="center", color="w" if share > 0.5 else "k")
    figure.savefig(path, dpi=110)


def draw_examples(
    samples: Sequence[Sample], found: Sequence[Found], classes: Sequence[str], path: Path
) -> None:
    """Draws pictures, each with its true boxes (green) and what was found in it (orange), into a sheet.

    The boxes of `found` are in pixels of the picture letterboxed into a square of TILE_PX.
    """
    tiles = []
    for sample, of_picture in zip(samples, found, strict=True):
        tile, labels = letterbox(sample, TILE_PX, TILE_PX)
        for box in labels[:, 1:]:
            _box(tile, box, TRUE_COLOUR)
        for box, score, index in zip(of_picture.boxes, of_picture.scores, of_picture.classes, strict=True):
            _box(tile, box, FOUND_COLOUR, f"{classes[index]} {score:.2f}")
        tiles.append(tile)
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[start : start + COLUMNS]) for start in range(0, len(tiles), COLUMNS)]
    cv2.imwrite(str(path), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 80])


def _box(
    picture: npt.NDArray[np.uint8], box: npt.NDArray[np.float32], colour: tuple[int, int, int], text: str = ""
) -> None:
    x1, y1, x2, y2 = (round(float(value)) for value in box)
    cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 1)
    if text:
        cv2.putText(
            picture, text, (x1, max(8, y1 - 2)), cv2.FONT_HERSHEY_SIMPLEX, 0.3, colour, 1, cv2.LINE_AA
        )
