"""Cameras as people give them: what may be set, and which video files may be cameras.

Files are looked for only within folders that the settings name, so that no answer shows whether there is
something elsewhere.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from services.common.files import is_file
from services.core.camera_address import AddressKind, check_address, kind_of
from services.core.errors import BadInputError
from services.core.evidence.rate import check_fps
from services.core.identifiers import clean_name, is_id
from services.core.model_classes import may_be_verified
from services.core.tiles import Tiles
from services.core.types import Camera


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
            raise BadInputError("file-outside")

    def real_path(self, path: str) -> Path:
        """Give where a file really lies; BadInputError when a link leads out of the folders."""
        self.check_path(path)
        whole = whole_path(path)
        real = os.path.realpath(whole)
        if whole not in self.files and not any(_lies_in(real, os.path.realpath(one)) for one in self.folders):
            raise BadInputError("file-outside")
        return Path(real)


def whole_path(path: str) -> str:
    """Give a path from the root on, without `..`: links are not followed for it."""
    return os.path.abspath(path)


def _lies_in(path: str, folder: str) -> bool:
    return Path(path) != Path(folder) and Path(path).is_relative_to(folder)


Patience = Annotated[float, Field(ge=2, le=60)]
"""The setting `camera_patience_s`: how long a camera may take for an answer, and for its first picture."""

MAX_NAME_LENGTH = 200
MAX_MODEL_LENGTH = 200


def check_name(name: str) -> str:
    """Give the name of a camera as it is kept; BadInputError where it cannot be one."""
    kept = clean_name(name, MAX_NAME_LENGTH)
    if not kept:
        raise BadInputError("camera-name-invalid", most=MAX_NAME_LENGTH)
    return kept


def validate_camera(camera: Camera, check_model: Callable[[str], object]) -> Camera:
    """Check all settings of a camera but its address, and give it with its name as it is kept.

    BadInputError names the first that cannot be used.
    """
    if not is_id(camera.id):
        raise BadInputError("camera-id-invalid", camera=camera.id[:80])
    name = check_name(camera.name)
    check_fps(camera.fps)
    Tiles.parse(camera.tiles)
    if len(camera.model) > MAX_MODEL_LENGTH:
        raise BadInputError("model-name-too-long", most=MAX_MODEL_LENGTH)
    check_model(camera.model)
    if camera.verify and not may_be_verified(camera.model):
        raise BadInputError("verify-not-masks", model=camera.model[:80])
    return replace(camera, name=name)


def check_url(url: str, *, sees_files: bool, files: CameraFiles | None = None) -> None:
    """Check the address of a stream; BadInputError says what may stand there, and shows nothing of it.

    `sees_files`: the files of this machine are those that `ingest` will open. `files`: those that may be
    cameras; None when whoever gives the address may open any. No other file is looked for.
    """
    check_address(url)
    if kind_of(url) is not AddressKind.FILE:
        return
    if not sees_files and not Path(url).is_absolute():
        raise BadInputError("file-not-whole")
    if files is not None:
        files.check_path(url)
    if sees_files and not is_file(files.real_path(url) if files is not None else Path(url)):
        raise BadInputError("file-missing")


def default_name(id: str | None) -> str:
    """Name a camera that has no name."""
    return id or "Camera"
