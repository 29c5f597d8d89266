"""Cameras as people give them: checked, with an answer that says what to do."""

from collections.abc import Callable
from pathlib import Path

from services.common.files import is_file
from services.common.settings.camera_files import CameraFiles
from services.core.camera_address import AddressKind, check_address, kind_of
from services.core.errors import BadInputError
from services.core.evidence.rate import check_fps
from services.core.identifiers import is_id
from services.core.types import Camera

MAX_NAME_LENGTH = 200
MAX_MODEL_LENGTH = 200


def validate_camera(camera: Camera, check_model: Callable[[str], object]) -> Camera:
    """Check all settings of a camera but its address; BadInputError names the first that cannot be used."""
    if not is_id(camera.id):
        raise BadInputError(
            f"camera id {camera.id[:80]!r}: use 1 to 63 of a-z, 0-9 and -, not beginning with -"
        )
    if not camera.name or len(camera.name) > MAX_NAME_LENGTH or not camera.name.isprintable():
        raise BadInputError(f"the name is a printable text of 1 to {MAX_NAME_LENGTH} characters")
    check_fps(camera.fps)
    if len(camera.model) > MAX_MODEL_LENGTH:
        raise BadInputError(f"model is a name or path of at most {MAX_MODEL_LENGTH} characters")
    check_model(camera.model)
    return camera


def check_url(url: str, *, sees_files: bool, files: CameraFiles | None = None) -> None:
    """Check the address of a stream; BadInputError says what may stand there, and shows nothing of it.

    `sees_files`: the files of this machine are those that `ingest` will open. `files`: those that may be
    cameras; None when whoever gives the address may open any. No other file is looked for.
    """
    check_address(url)
    if kind_of(url) is not AddressKind.FILE:
        return
    if not sees_files and not Path(url).is_absolute():
        raise BadInputError("there is no full path of a file here; an address begins with rtsp://")
    if files is not None:
        files.check_path(url)
    if sees_files and not is_file(files.real_path(url) if files is not None else Path(url)):
        raise BadInputError("there is no file at this path; an address begins with rtsp://")


def default_name(id: str | None) -> str:
    """Name a camera that has no name."""
    return id or "Camera"
