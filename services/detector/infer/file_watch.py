"""Notices that a model's file has been replaced, while its network is in memory."""

from collections.abc import Callable
from pathlib import Path

LOOK_S = 2.0
"""So often the file is looked at."""

Stamp = tuple[int, int]
"""When a file was changed, in ns, and its bytes."""


def stamp_of(path: Path) -> Stamp | None:
    """Give what tells a file from the one that replaces it; None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


class FileWatch:
    """Watches one file from now on.

    One that is gone is no other: who has loaded it goes on with it. One that is being written is awaited.
    """

    def __init__(self, path: Path, steady_s: Callable[[], float]) -> None:
        self._path, self._steady_s = path, steady_s
        self._first = self._last = stamp_of(path)
        self._looked_s = steady_s()

    def has_changed(self) -> bool:
        """Return whether there is another file now, the same at two looks. It looks now and then only."""
        if self._steady_s() - self._looked_s < LOOK_S:
            return False
        self._looked_s = self._steady_s()
        last, self._last = self._last, stamp_of(self._path)
        return self._last is not None and self._last == last and self._last != self._first
