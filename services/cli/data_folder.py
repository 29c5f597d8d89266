"""The data folder: everything of one machine's Sightline that lasts, used by one process at a time."""

import errno
import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.core.errors import BadInputError

MINIMUM_FREE_BYTES = 64 * 2**20
"""Below this the database cannot even begin: its journal alone takes tens of megabytes."""


def default_data_folder() -> Path:
    """Give the folder that is used where none is named."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "sightline"


@dataclass(slots=True)
class DataFolder:
    """A claimed data folder; the claim ends with the process, however that ends."""

    path: Path
    owner_pid: int
    _lock: int

    @classmethod
    def claim(cls, path: Path) -> Self:
        """Make the folder where it is missing and lock it; BadInputError says why it cannot be used."""
        path = path.expanduser().absolute()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except (FileExistsError, NotADirectoryError):
            raise BadInputError(f"data folder {path}: that is a file, not a folder") from None
        except OSError as error:
            raise BadInputError(_why_not(path, error)) from error
        folder = cls(path, os.getpid(), lock)
        try:
            folder._take_lock()
            folder.check_space()
        except BaseException:
            folder.close()
            raise
        return folder

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._lock, 20).decode(errors="replace").split("\n")[0]
            raise BadInputError(
                f"data folder {self.path} is in use by another Sightline (process {holder or 'unknown'}): "
                "end it, or give another folder with --data"
            ) from None
        try:
            os.ftruncate(self._lock, 0)
            os.write(self._lock, f"{self.owner_pid}\n".encode())
            self.log_path.write_bytes(b"")
        except OSError as error:
            raise BadInputError(_why_not(self.path, error)) from error

    def announce_database(self, uri: str) -> None:
        """Tell other commands of this user where the database of this folder answers."""
        os.pwrite(self._lock, f"{self.owner_pid}\n{uri}\n".encode(), 0)

    @property
    def log_path(self) -> Path:
        """What the database has to say, from this start on."""
        return self.path / "database.log"

    def last_log_line(self) -> str:
        """Give the database's last word."""
        lines = self.log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def check_space(self) -> None:
        """BadInputError when too little of the disk is free to write anything."""
        free_bytes = shutil.disk_usage(self.path).free
        if free_bytes < MINIMUM_FREE_BYTES:
            raise BadInputError(
                f"data folder {self.path}: the disk is full ({free_bytes // 2**20} MB free, "
                f"{MINIMUM_FREE_BYTES // 2**20} MB needed); make room, or give another folder with --data"
            )

    def close(self) -> None:
        """Give the folder free. Safe to call again."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def announced_database(path: Path) -> str | None:
    """Give the address of a folder's database while its owner runs; None when nobody owns it."""
    try:
        with (path.expanduser() / "lock").open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                lines = file.read().splitlines()
                return lines[1] if len(lines) > 1 else None
    except OSError:
        pass
    return None


def _why_not(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"data folder {path}: the disk is full; make room, or give another folder with --data"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"data folder {path} is not writable; give another folder with --data"
    return f"data folder {path} cannot be used: {error.strerror}"
