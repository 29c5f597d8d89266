"""Where the pictures of a labelled folder come from, and which whole sources no training sees.

Of those that are set aside some choose weights, others only measure them.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from services.core.errors import BadInputError
from services.core.texts import text_of

MANIFEST = "manifest.csv"
NAME_COLUMNS = ("file", "name")


def sources_of(folder: Path) -> dict[str, str]:
    """The source of each picture that the folder's manifest.csv names, by stem.

    Its columns are `file` or `name`, and `source`. Empty where there is no manifest; BadInputError where it
    lacks a column.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    reader = csv.DictReader(text_of(path.read_bytes()).splitlines())
    columns = reader.fieldnames or ()
    name = next((one for one in NAME_COLUMNS if one in columns), None)
    if name is None or "source" not in columns:
        raise BadInputError(f"{path} needs the columns {' or '.join(NAME_COLUMNS)}, and source")
    return {Path(row[name]).stem: row["source"] for row in reader}


def source_of(name: str, sources: dict[str, str]) -> str:
    """The source of a picture: that of the manifest, else what its name begins with, up to the first `_`."""
    return sources.get(name) or name.partition("_")[0]


LIST_PATH = Path(__file__).parent / "set_aside.csv"
COLUMNS = ("folder", "pictures", "split", "source")
SPLITS = ("val", "unseen")
"""`val` chooses weights; `unseen` stands in cards and chooses nothing."""


@dataclass(frozen=True)
class SetAside:
    """The pictures of one source: those of a folder whose file name has a pattern, such as `kit_*`."""

    folder: str
    pictures: str
    split: str
    source: str


def read_set_aside(path: Path = LIST_PATH) -> list[SetAside]:
    """The list; raises BadInputError, with the line, for one that says nothing."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise BadInputError(f"{path.name}: the columns are {', '.join(COLUMNS)}")
        found = []
        for number, row in enumerate(reader, 2):
            if row["split"] not in SPLITS or not row["folder"] or not row["pictures"]:
                raise BadInputError(
                    f"{path.name}, line {number}: a folder, a pattern, and {' or '.join(SPLITS)}"
                )
            found.append(SetAside(*(row[name] for name in COLUMNS)))
    return found


@cache
def shipped_set_aside() -> Sequence[SetAside]:
    """The list that belongs to this program."""
    return read_set_aside()


def split_of(folder: str, name: str) -> str:
    """The split of a picture that lies among the training pictures of a folder: `train`, else as listed."""
    for one in shipped_set_aside():
        if one.folder == folder and fnmatchcase(name, one.pictures):
            return one.split
    return "train"
