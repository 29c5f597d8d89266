"""The classes of a person's own pictures: said on the command line, or by the folder's data.yaml."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from services.core.errors import BadInputError
from services.core.model_classes import checked_class_names
from services.core.texts import text_of

FILE_NAME = "data.yaml"
LARGEST_FILE_BYTES = 1_000_000


def own_classes(folders: Iterable[Path], said: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of the classes in the order of their numbers in the label files.

    `said` on the command line; without it data.yaml of each folder that has one says `names`, as a list or by
    number. BadInputError where nobody says them, where two folders say others, and for what is no name.
    """
    if said:
        return checked(said, "--classes")
    by_folder = {folder: names_of(folder) for folder in folders if (folder / FILE_NAME).is_file()}
    if not by_folder:
        raise BadInputError(
            "which classes? Give --classes helmet,head in the order of their numbers, or names in the "
            f"{FILE_NAME} of the folder"
        )
    (first, names), *others = by_folder.items()
    for folder, other in others:
        if other != names:
            raise BadInputError(f"{folder / FILE_NAME} names other classes than {first / FILE_NAME}")
    return names


def names_of(folder: Path) -> tuple[str, ...]:
    """The classes that a folder's data.yaml names; BadInputError where it names none."""
    path = folder / FILE_NAME
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise BadInputError(f"{path} is larger than {LARGEST_FILE_BYTES} bytes")
    try:
        content = yaml.safe_load(text_of(path.read_bytes()))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadInputError(f"{path} is no YAML: {str(error)[:200]}") from error
    names: Any = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, Mapping):
        numbers = list(range(len(names)))
        if sorted(names, key=str) != sorted(numbers, key=str):
            raise BadInputError(f"{path}: the names have the numbers 0, 1, 2 and so on, without a gap")
        names = [names[number] for number in numbers]
    if not isinstance(names, list) or not names:
        raise BadInputError(f"{path} says no names: write names: [helmet, head]")
    found = checked(names, str(path))
    if content.get("nc", len(found)) != len(found):
        raise BadInputError(f"{path} says nc: {str(content['nc'])[:20]} and names {len(found)} classes")
    return found


def checked(names: Iterable[object], place: str) -> tuple[str, ...]:
    """The names as a model keeps them; BadInputError with the place for one that is none or twice."""
    given = list(names)
    for name in given:
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise BadInputError(f"{place}: a class is called {name!r}, which is no text: write it in quotes")
    try:
        return checked_class_names(str(name) for name in given)
    except BadInputError as error:
        raise BadInputError(f"{place}: {error}") from error
