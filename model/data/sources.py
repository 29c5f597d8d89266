"""Where the pictures of a labelled folder come from."""

import csv
from pathlib import Path

from services.core.errors import BadInputError

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
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or ()
        name = next((one for one in NAME_COLUMNS if one in columns), None)
        if name is None or "source" not in columns:
            raise BadInputError(f"{path} needs the columns {' or '.join(NAME_COLUMNS)}, and source")
        return {Path(row[name]).stem: row["source"] for row in reader}


def source_of(name: str, sources: dict[str, str]) -> str:
    """The source of a picture: that of the manifest, else what its name begins with, up to the first `_`."""
    return sources.get(name) or name.partition("_")[0]
