"""Cameras as people give them: checked, with an answer that says what to do."""

import math
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from services.common.files import is_file
from services.common.secrets import redact
from services.core.errors import BadInputError
from services.core.lines import is_id
from services.core.types import Camera

LEAST_FPS, MOST_FPS = 1.0, 60.0
MAX_NAME_LENGTH = 200
MAX_URL_LENGTH = 2000
DEMOS = ("traffic", "masks")
MOST_SEED_DIGITS = 9


def validate_camera(camera: Camera, check_model: Callable[[str], object], *, sees_files: bool) -> Camera:
    """Check all settings of a camera; BadInputError names the first that cannot be used.

    `sees_files`: the files of this machine are those that `ingest` will open.
    """
    if not is_id(camera.id):
        raise BadInputError(f"camera id {camera.id!r}: use 1 to 63 of a-z, 0-9 and -, not beginning with -")
    if not camera.name or len(camera.name) > MAX_NAME_LENGTH or not camera.name.isprintable():
        raise BadInputError(f"the name is a printable text of 1 to {MAX_NAME_LENGTH} characters")
    if not (math.isfinite(camera.fps) and LEAST_FPS <= camera.fps <= MOST_FPS):
        raise BadInputError(
            f"fps is {camera.fps:g}: give {LEAST_FPS:g} to {MOST_FPS:g} frames to analyse a second"
        )
    check_url(camera.url, sees_files=sees_files)
    check_model(camera.model)
    return camera


def check_url(url: str, *, sees_files: bool) -> None:
    """Check the address of a stream; BadInputError says what may stand there, and shows no password."""
    if not url or len(url) > MAX_URL_LENGTH or not url.isprintable() or url != url.strip():
        raise BadInputError(f"url is an address of 1 to {MAX_URL_LENGTH} printable characters")
    scheme, separator, rest = url.partition("://")
    if not separator:
        _check_file(url, sees_files)
    elif scheme == "demo":
        _check_demo(rest)
    elif scheme.lower() in ("rtsp", "rtsps"):
        _check_rtsp(url)
    else:
        raise BadInputError(
            f"{scheme[:20]}:// is not supported: give rtsp://, rtsps://, a file path, demo://traffic "
            "or demo://masks"
        )


def _check_file(path: str, sees_files: bool) -> None:
    """A file of another machine can only be tried there: its camera then says what is wrong."""
    there = is_file(path) if sees_files else Path(path).is_absolute()
    if not there:
        wanted = "no file" if sees_files else "no full path of a file"
        raise BadInputError(f"there is {wanted} {redact(path)!r}; an address begins with rtsp://")


def _check_demo(rest: str) -> None:
    name, _, query = rest.partition("?")
    key, separator, value = query.partition("=")
    is_seed = key == "seed" and value.isascii() and value.isdigit() and len(value) <= MOST_SEED_DIGITS
    if name not in DEMOS or (query and not (separator and is_seed)):
        raise BadInputError("there is no such demo: give demo://traffic or demo://masks")


def _check_rtsp(url: str) -> None:
    """Check host and port as libraries will read them.

    A password with `/`, `?` or `#` in it must be percent-encoded, else what follows is no host.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        if "@" in url:
            raise BadInputError(
                f"{redact(url)!r} cannot be read: write / ? # @ in a password as %2F %3F %23 %40"
            ) from None
    if not host or port == 0:
        raise BadInputError(f"{redact(url)!r} names no host: give rtsp://HOST/PATH")


def default_name(id: str | None) -> str:
    """Name a camera that has no name."""
    return id or "Camera"
