"""Questions about files whose names strangers give."""

from pathlib import Path


def is_file(path: str | Path) -> bool:
    """Tell whether a file is there; a name that no file can have, or a closed folder, hides none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False
