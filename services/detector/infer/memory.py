"""Remembers over the end of a process which engine was chosen for a model, in one file of a folder."""

import logging
from dataclasses import replace
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter, ValidationError

from services.common.files import locked_folder, read_text, write_whole
from services.core.costs import EngineChoice

log = logging.getLogger(__name__)

FILE = "engines.json"
LARGEST_BYTES = 1_000_000
MOST_CHOICES = 64
"""The newest ones are kept."""


_FORM = TypeAdapter(dict[str, EngineChoice], config=ConfigDict(allow_inf_nan=False))


class EngineMemory:
    """The choices in a folder. A file that cannot be read is one that holds none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def recall(self, key: str) -> EngineChoice | None:
        """Give what was chosen under a key."""
        choice = self._read().get(key)
        if choice is None or not choice.is_bounded:
            return None
        return replace(choice, is_remembered=True)

    def remember(self, key: str, choice: EngineChoice) -> None:
        """Keep a choice; a folder that takes no file costs a measurement at the next start."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked_folder(self._path.parent):
                others = [(known, found) for known, found in self._read().items() if known != key]
                kept = dict([*others, (key, choice)][-MOST_CHOICES:])
                write_whole(self._path, _FORM.dump_json(kept, indent=1).decode() + "\n")
        except OSError as error:
            log.info("the choice of an engine is not remembered: %s: %s", self._path, error.strerror)

    def _read(self) -> dict[str, EngineChoice]:
        try:
            return _FORM.validate_json(read_text(self._path, LARGEST_BYTES))
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError, ValidationError):
            log.warning("%s cannot be read: engines are measured anew", self._path)
            return {}
