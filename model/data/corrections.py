"""Label errors that were found by looking, listed in a file and put right whenever pictures are read.

The labelled data itself stays as its authors made it. Nothing of a test part may be listed.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services.core.boxes import corners, overlaps
from services.core.errors import BadInputError

LIST_PATH = Path(__file__).parent / "label_corrections.csv"
COLUMNS = ("folder", "picture", "change", "class", "x", "y", "width", "height")
CHANGES = ("class", "remove", "add")
"""Another class; no object; an object that was not labelled."""
IGNORED_LABEL = -1
"""The class of what is neither object nor background, such as a face that nobody can name."""
SAME_BOX = 0.8
"""Least IoU of the box in the list with the labelled box that it means."""

Rows = npt.NDArray[np.float32]
"""Rows of a label file (n, 5): class, and centre x, y, width, height as shares of the picture."""


@dataclass(frozen=True)
class Correction:
    """One change of one box; `box` as in Rows."""

    folder: str
    picture: str
    change: str
    label: int
    box: tuple[float, float, float, float]


def read_corrections(path: Path = LIST_PATH) -> dict[tuple[str, str], list[Correction]]:
    """The list by folder and picture; raises BadInputError, with the line, for one that says nothing.

    A picture is known by its name without the suffix, since the same one is kept in several forms.
    """
    found: dict[tuple[str, str], list[Correction]] = {}
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise BadInputError(f"{path.name}: the columns are {', '.join(COLUMNS)}")
        for number, row in enumerate(reader, 2):
            correction = _parse(row, f"{path.name}, line {number}")
            found.setdefault((correction.folder, Path(correction.picture).stem), []).append(correction)
    return found


@cache
def shipped_corrections() -> Mapping[tuple[str, str], Sequence[Correction]]:
    """The list that belongs to this program."""
    return read_corrections()


def _parse(row: Mapping[str, str], place: str) -> Correction:
    try:
        x, y, width, height = (float(row[name]) for name in COLUMNS[4:])
        label = int(row["class"])
    except (TypeError, ValueError) as error:
        raise BadInputError(f"{place}: a class and a box are numbers") from error
    if row["change"] not in CHANGES:
        raise BadInputError(f"{place}: a change is one of {', '.join(CHANGES)}")
    return Correction(row["folder"], row["picture"], row["change"], label, (x, y, width, height))


def correct(rows: Rows, corrections: Sequence[Correction]) -> Rows:
    """The labels of a picture with its corrections.

    Raises BadInputError when a correction means a box that is not there: data and list do not belong
    together.
    """
    result, gone = rows.copy(), np.zeros(len(rows), np.bool_)
    added = []
    for one in corrections:
        if one.change == "add":
            added.append((one.label, *one.box))
            continue
        overlap = overlaps(corners(rows[:, 1:]), corners(np.array([one.box], np.float32)))
        if not len(overlap) or overlap.max() < SAME_BOX:
            raise BadInputError(f"{one.picture}: the label corrections mean a box that it does not have")
        index = int(overlap.argmax())
        gone[index] = one.change == "remove"
        result[index, 0] = one.label
    return np.concatenate((result[~gone], np.array(added, np.float32).reshape(-1, 5)))
