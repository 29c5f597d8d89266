"""Where the pictures of a labelled folder come from."""

import csv
from pathlib import Path

from services.core.errors import BadInputError

MANIFEST = "manifest.csv"


def sources_of(folder: Path) -> dict[str, str]:
    """The source of each picture that the folder's manifest.csv names (columns `file` and `source`), by stem.

    Empty where there is no manifest; BadInputError where it lacks a column.
    """
    path = folder / MANIFEST
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        try:
            return {Path(row["file"]).stem: row["source"] for row in csv.DictReader(file)}
        except KeyError as error:
            raise BadInputError(f"{path} has no column {error}") from error


def source_of(name: str, sources: dict[str, str]) -> str:
    """The source of a picture: that of the manifest, else what its name begins with, up to the first `_`."""
    return sources.get(name) or name.partition("_")[0]
