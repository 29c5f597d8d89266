"""Which video files may be cameras: those within folders that the settings name.

Nothing outside of these folders is looked at, so that no answer shows whether something is there.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from services.core.errors import BadInputError

OUTSIDE = (
    "a file can be a camera only from the folders that the setting file_camera_folders names, and this path "
    "lies in none of them: put the file into one of them, or name its folder there"
)


def _split(value: object) -> object:
    """The environment gives one text: folders with a colon between them."""
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


def _whole_paths(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    for folder in folders:
        if not folder.is_absolute():
            raise ValueError("give the full path of each folder, from / on")
    return folders


Folders = Annotated[tuple[Path, ...], BeforeValidator(_split), AfterValidator(_whole_paths)]
"""The settings `file_camera_folders` and `model_folders`."""


@dataclass(frozen=True, slots=True)
class CameraFiles:
    """The files that may be cameras: all within some folders, and some by their own path."""

    folders: tuple[Path, ...] = ()
    files: frozenset[str] = frozenset()
    """Whole paths, as `whole_path` gives them; whoever started this service named them."""

    @classmethod
    def of(cls, folders: Iterable[Path], files: Iterable[str] = ()) -> "CameraFiles":
        """Take folders, and files by the paths that their cameras have for an address."""
        return cls(tuple(folders), frozenset(whole_path(file) for file in files))

    def check_path(self, path: str) -> None:
        """Refuse what does not lie in a folder by its name alone; BadInputError says what to do.

        It looks at no file: the folders may be those of another machine.
        """
        whole = whole_path(path)
        if whole not in self.files and not any(_lies_in(whole, whole_path(str(one))) for one in self.folders):
            raise BadInputError(OUTSIDE)

    def real_path(self, path: str) -> Path:
        """Give where a file really lies; BadInputError when a link leads out of the folders."""
        self.check_path(path)
        whole = whole_path(path)
        real = os.path.realpath(whole)
        if whole not in self.files and not any(_lies_in(real, os.path.realpath(one)) for one in self.folders):
            raise BadInputError(OUTSIDE)
        return Path(real)


def whole_path(path: str) -> str:
    """Give a path from the root on, without `..`: links are not followed for it."""
    return os.path.abspath(path)


def _lies_in(path: str, folder: str) -> bool:
    return Path(path) != Path(folder) and Path(path).is_relative_to(folder)
