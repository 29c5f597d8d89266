"""The address of a camera on the command line: itself, in a file, or in an environment variable.

Everybody on a machine can read the command lines of its processes, and with them a password that stands
there. A file or a variable can be read by their owner alone.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.cli.console import notes
from services.core.camera_address import LONGEST_ADDRESS, secrets_of
from services.core.errors import BadInputError
from services.core.texts import text_of

HELP = (
    "rtsp://…, rtsps://…, a video file, demo://traffic, demo://masks. An address with a password is better "
    "given as @FILE or '$VARIABLE' (in single quotes, or the shell puts it in): everybody on this machine "
    "can read what stands on a command line."
)
OTHERS_READ = 0o004
LONGEST_FILE_BYTES = 4 * (LONGEST_ADDRESS + 3)
"""A multiple of what a character takes in each encoding."""


@dataclass(frozen=True, slots=True)
class GivenAddress:
    """An address and where it was found."""

    url: str
    is_open: bool = False
    """Whether its secrets can be read by others on this machine."""
    advice: str = ""


def read_address(text: str, environment: Mapping[str, str] = os.environ) -> GivenAddress:
    """Read an address from where it is kept; BadInputError in one line that shows nothing of it."""
    text = text.strip()
    if text.startswith("@"):
        return _from_file(Path(text[1:]).expanduser())
    if text.startswith("$"):
        return GivenAddress(_from_environment(text[1:].removeprefix("{").removesuffix("}"), environment))
    return GivenAddress(
        text, bool(secrets_of(text[:LONGEST_ADDRESS])), "give @FILE or $VARIABLE in its place"
    )


def read_camera_option(text: str, environment: Mapping[str, str] = os.environ) -> tuple[str, GivenAddress]:
    """Read `NAME=URL`, `NAME=@FILE` or `NAME=$VARIABLE`; BadInputError says what is wrong."""
    name, separator, rest = text.partition("=")
    if not separator or not name.strip() or not rest.strip() or "://" in name:
        raise BadInputError(
            "--camera wants NAME=URL, NAME=@FILE or NAME=$VARIABLE, such as gate=rtsp://10.0.0.5/stream"
        )
    try:
        return name.strip(), read_address(rest, environment)
    except BadInputError as error:
        raise BadInputError(f"camera {name.strip()[:80]!r}: {error}") from None


def warn_of_open_secrets(what: str, address: GivenAddress) -> None:
    """Warn on stderr when others on the machine can read the password that was given."""
    if address.is_open:
        notes.print(
            f"warning: others on this machine can read the password of {what}: {address.advice}",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _from_file(path: Path) -> GivenAddress:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            address = text_of(file.read(LONGEST_FILE_BYTES))[: LONGEST_ADDRESS + 2].strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInputError(f"the file {path} cannot be read: {reason}") from None
    if not address:
        raise BadInputError(f"the file {path} is empty: write the camera's address into it")
    if "\n" in address:
        raise BadInputError(
            f"the file {path} holds more than one line: write only the camera's address into it"
        )
    is_open = bool(mode & OTHERS_READ) and bool(secrets_of(address))
    return GivenAddress(address, is_open, f"chmod 600 {path}")


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if not name:
        raise BadInputError("$ wants the name of an environment variable behind it")
    address = environment.get(name, "").strip()
    if not address:
        raise BadInputError(f"the environment variable {name[:80]} is not set, or empty")
    return address
