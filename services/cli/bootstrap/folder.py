"""Secrets as files: one folder a secret, which may be a volume of its own."""

import json
from pathlib import Path

from services.cli.bootstrap.material import Secret
from services.common.files import locked_folder, write_whole
from services.core.errors import BadInputError

FILE_MODE = 0o440
"""Other containers read the files by their group."""

FOLDER_MODE = 0o750

JOURNAL = ".journal"
"""All files of a secret while they are being written: a run that died is completed from it by the next."""

UNFINISHED = ".unfinished"
"""The file that is being written."""


class FolderSink:
    """Writes secrets that nobody has put there yet. Two at once, or one that dies half-way, do no harm."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadInputError(f"{folder} is not a folder: make it, or mount it")
        self._folder = folder

    def create(self, secret: Secret) -> bool:
        """Write all files of a secret unless one of them is there; BadInputError when that is impossible."""
        folder = self._folder / secret.name
        try:
            folder.mkdir(FOLDER_MODE, exist_ok=True)
            with locked_folder(folder):
                return _create(folder, secret)
        except OSError as error:
            raise BadInputError(f"{folder} cannot be written: {error.strerror}") from error


def _create(folder: Path, secret: Secret) -> bool:
    journal = folder / JOURNAL
    if not journal.exists():
        if any((folder / name).exists() for name in secret.files):
            return False
        _write(journal, json.dumps(dict(secret.files)))
    for name, text in json.loads(journal.read_text(encoding="utf-8")).items():
        _write(folder / name, text)
    journal.unlink()
    return True


def _write(path: Path, text: str) -> None:
    """Write a file whole, and on the disk, or not at all."""
    write_whole(path, text, FILE_MODE, path.with_name(UNFINISHED))
