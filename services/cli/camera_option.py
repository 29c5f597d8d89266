"""The address of a camera on the command line: itself, in a file, or in an environment variable.

Everybody on a machine can read the command lines of its processes, and with them a password that stands
there. A file or a variable can be read by their owner alone. So a container takes its cameras by variables.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
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

CAMERA_VARIABLE = "SIGHTLINE_CAMERA"
"""One camera; `SIGHTLINE_CAMERA_<NAME>` is a further one of that name."""
FILE_ENDING = "_FILE"
"""What a variable's name ends with that names a file with the address, such as a mounted secret."""
NAME_ALONE = re.compile(r"[^@$/\\:?&]{1,200}")
"""What stands before the first `=` of `NAME=URL`, and not of an address alone that has one."""


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


def variables_of(options: Iterable[str]) -> frozenset[str]:
    """Give the variables that `NAME=$VARIABLE` options take their addresses from."""
    ends = (option.partition("=")[2].strip() for option in options)
    return frozenset(end[1:].removeprefix("{").removesuffix("}") for end in ends if end.startswith("$"))


def environment_cameras(
    taken: Collection[str] = (), environment: Mapping[str, str] = os.environ
) -> list[tuple[str, GivenAddress]]:
    """Read the cameras that variables name, each with its address; an empty variable is none.

    `taken`: variables that are settings, or from which an option or a settings file reads an address; they
    name no cameras.
    BadInputError names the variable and shows nothing of the address.
    """
    found: dict[str, tuple[str, GivenAddress]] = {}
    for variable in sorted(environment.keys() - taken):
        is_camera = variable == CAMERA_VARIABLE or variable.startswith(f"{CAMERA_VARIABLE}_")
        text = environment[variable].strip()
        if not is_camera or not text:
            continue
        try:
            name, address = _environment_camera(variable, text, environment)
        except BadInputError as error:
            raise BadInputError(f"{variable}: {error}") from None
        if name in found:
            raise BadInputError(f"{found[name][0]} and {variable} both give camera {name!r}: leave one out")
        found[name] = (variable, address)
    return [(name, address) for name, (_, address) in found.items()]


def _environment_camera(variable: str, text: str, environment: Mapping[str, str]) -> tuple[str, GivenAddress]:
    is_file = variable.endswith(FILE_ENDING)
    label = variable.removeprefix(CAMERA_VARIABLE).removesuffix(FILE_ENDING if is_file else "").strip("_")
    name = label.replace("_", " ").capitalize() or "Camera"
    if is_file:
        # Whoever mounts a secret into a container chooses who reads it, and nobody else is in there.
        return name, GivenAddress(_from_file(Path(text)).url)
    given, separator, rest = text.partition("=")
    if not label and separator and rest.strip() and NAME_ALONE.fullmatch(given):
        name, text = given.strip(), rest.strip()
    # A variable is for its owner alone, unlike a command line; a file that it names may not be.
    return name, read_address(text, environment) if text.startswith(("@", "$")) else GivenAddress(text)


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
