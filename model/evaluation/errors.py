"""The errors of a model on labelled pictures: how many of which kind, and the worst of each to look at."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from model.data.samples import Labels, Picture, Sample
from model.evaluation.judging import greedy, without_ignored
from model.evaluation.predictions import Found
from services.core.boxes import overlaps

KINDS = {
    "missed": "an object that nothing overlaps",
    "misnamed": "an object that is found with another class",
    "misplaced": "a detection that overlaps an object by less than half",
    "double": "a second detection of an object",
    "false": "a detection where nothing is labelled",
}
TOUCHES = 0.1
"""From this overlap on a detection means a labelled object."""
SAME = 0.5
CSV_NAME, TABLE_NAME = "errors.csv", "errors.md"
COLUMNS = (
    "kind",
    "number",
    "score",
    "found",
    "side_px",
    "folder",
    "picture",
    "class",
    "x",
    "y",
    "width",
    "height",
)
"""From `folder` on as in the list of label corrections."""
TILE_PX, TILES_A_ROW, WORST = 120, 10, 80


@dataclass(frozen=True)
class ModelError:
    """One error; `label` and `found` are class indices or -1, the box (4,) are corners in the picture."""

    kind: str
    sample: Sample
    label: int
    found: int
    score: float
    box: npt.NDArray[np.float32]

    @property
    def side_px(self) -> float:
        """The box's longer side, in a picture with a long side of 640."""
        height, width = self.sample.picture.shape[:2]
        return float((self.box[2:] - self.box[:2]).max()) * 640 / max(int(height), int(width))

    @property
    def weight(self) -> float:
        """How bad it is among those of its kind: what is missed by its size, all else by its score."""
        return self.side_px if self.kind == "missed" else self.score


def find_errors(sample: Sample, found: Found, labels: Labels) -> Iterator[ModelError]:
    """The errors in one picture.

    `found` are its sure detections and `labels` (n, 5) its true boxes, both in pixels of its picture.
    """
    found, labels = without_ignored(found, labels)
    overlap = overlaps(found.boxes, labels[:, 1:])
    pairs = greedy(overlap, SAME) if overlap.size else []
    for row, index in pairs:
        true, named = int(labels[index, 0]), int(found.classes[row])
        if true != named:
            yield ModelError("misnamed", sample, true, named, float(found.scores[row]), labels[index, 1:])
    for index in set(range(len(labels))) - {index for _, index in pairs}:
        yield ModelError("missed", sample, int(labels[index, 0]), -1, 0.0, labels[index, 1:])
    for row in set(range(len(found.scores))) - {row for row, _ in pairs}:
        nearest = float(overlap[row].max(initial=0))
        kind = "double" if nearest >= SAME else "misplaced" if nearest >= TOUCHES else "false"
        yield ModelError(
            kind, sample, -1, int(found.classes[row]), float(found.scores[row]), found.boxes[row]
        )


def write_errors(errors: Sequence[ModelError], classes: Sequence[str], folder: Path) -> None:
    """Writes errors.csv, a table of the kinds, and a sheet of the worst of each kind into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["| error | number | share |", "| --- | ---: | ---: |"]
    with (folder / CSV_NAME).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for kind, meaning in KINDS.items():
            worst = sorted((one for one in errors if one.kind == kind), key=lambda one: -one.weight)
            writer.writerows(_row(number, one, classes) for number, one in enumerate(worst))
            if worst:
                sheet = draw_sheet(worst[:WORST], classes)
                cv2.imwrite(str(folder / f"{kind}.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 85])
            share = len(worst) / max(1, len(errors))
            lines.append(f"| {kind}: {meaning} | {len(worst)} | {share:.2f} |")
    (folder / TABLE_NAME).write_text("\n".join(lines) + "\n")


def _row(number: int, error: ModelError, classes: Sequence[str]) -> tuple[object, ...]:
    height, width = error.sample.picture.shape[:2]
    box = error.box / np.array((width, height, width, height), np.float32)
    placed = (*((box[:2] + box[2:]) / 2), *(box[2:] - box[:2]))
    source, _, picture = error.sample.file.rpartition("/")
    found = classes[error.found] if error.found >= 0 else ""
    label = error.label if error.label >= 0 else error.found
    known = (error.kind, number, f"{error.score:.2f}", found, round(error.side_px), source, picture, label)
    return (*known, *(f"{value:.5f}" for value in placed))


def draw_sheet(errors: Sequence[ModelError], classes: Sequence[str]) -> Picture:
    """Tiles of the places with their number, true class and found class, row by row."""
    tiles = [_tile(number, error, classes) for number, error in enumerate(errors)]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % TILES_A_ROW)
    rows = [np.hstack(tiles[start : start + TILES_A_ROW]) for start in range(0, len(tiles), TILES_A_ROW)]
    return np.vstack(rows)


def _tile(number: int, error: ModelError, classes: Sequence[str]) -> Picture:
    """The box and as much again around it, cut out and enlarged."""
    x1, y1, x2, y2 = (float(value) for value in error.box)
    half = max(x2 - x1, y2 - y1, 12.0)
    corner = np.array(((x1 + x2) / 2 - half, (y1 + y2) / 2 - half))
    scale = TILE_PX / (2 * half)
    matrix = np.array(((scale, 0, -corner[0] * scale), (0, scale, -corner[1] * scale)))
    tile = np.asarray(cv2.warpAffine(error.sample.picture, matrix, (TILE_PX, TILE_PX)), np.uint8)
    first, second = ((error.box.reshape(2, 2) - corner) * scale).round().astype(int).tolist()
    cv2.rectangle(tile, first, second, (80, 200, 80), 1)
    names = [classes[index] if index >= 0 else "-" for index in (error.label, error.found)]
    for row, text in enumerate((f"{number} {error.score:.2f}", f"{names[0]}>{names[1]}")):
        place = (2, 10 if row == 0 else TILE_PX - 4)
        cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.32, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.32, (255, 255, 255), 1, cv2.LINE_AA)
    return tile
