"""What lock files pin, with the hashes of the files that may be installed."""

import re
from pathlib import Path

from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[\w.+!-]+)(?: \\)?$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")

Pins = dict[str, str]


def read_lock(path: Path) -> dict[str, tuple[str, int]]:
    """The version of each package and how many files of it may be installed, by canonical name.

    AssertionError for a line that is neither comment, pin nor hash.
    """
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if pinned := PINNED.match(line):
            name = str(canonicalize_name(pinned["name"]))
            found[name] = (pinned["version"], 0)
        elif HASH.match(line):
            version, count = found[name]
            found[name] = (version, count + 1)
        else:
            assert line.startswith("#"), f"{path.name}: {line}"
    return found


def pins_of(*locks: str) -> Pins:
    """The versions that lock files pin, by canonical name; their paths are those in the repository."""
    return {name: pin[0] for lock in locks for name, pin in read_lock(REPOSITORY / lock).items()}
