"""The data folder: everything of one machine's Sightline that lasts, used by one process at a time."""

import errno
import fcntl
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from services.core.errors import BadInputError, DatabaseUnavailableError, SightlineError
from services.core.sentences.sentence import Sentence, sentence

MINIMUM_FREE_BYTES = 64 * 2**20
"""Below this the database cannot even begin: its journal alone takes tens of megabytes."""

LONGEST_LOG_BYTES = 16 * 2**20
"""A database that fails writes a page for each question that it is asked."""

DATA_VARIABLE = "SIGHTLINE_DATA"
DATABASE_FOLDER, PASSWORD_FILE, ENGINE_FOLDER = "database", "password", "engines"
_OWN_NAMES = {"lock", "database.log", DATABASE_FOLDER, "admin-password", ENGINE_FOLDER}
_DAMAGE = re.compile(
    r'_wiredtiger|wiredtiger_open|\bWT_[A-Z]+:|"s":"[EF]".*(?:WiredTiger|STORAGE)|corrupt|checksum error'
)
"""What the last words of a database sound like that cannot read its files."""
_NO_ROOM = re.compile("no space left on device|disk quota exceeded", re.IGNORECASE)
_LAST_WORDS_BYTES = 8192


def default_data_folder() -> Path:
    """Give the folder that is used where no option names one: SIGHTLINE_DATA, else one of the user's own."""
    named = os.environ.get(DATA_VARIABLE)
    if named:
        return Path(named)
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
            _close_to_others(path)
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
            os.fchmod(self._lock, 0o600)
            self.log_path.write_bytes(b"")
            self.log_path.chmod(0o600)
            self.database_path.mkdir(mode=0o700, exist_ok=True)
            self.database_path.chmod(0o700)
        except OSError as error:
            raise BadInputError(_why_not(self.path, error)) from error

    def announce_database(self, address: str) -> None:
        """Publish to other commands of this user where the database of this folder answers; no password."""
        os.pwrite(self._lock, f"{self.owner_pid}\n{address}\n".encode(), 0)

    @property
    def database_path(self) -> Path:
        """The folder of the database's own files, which nobody else may enter."""
        return self.path / DATABASE_FOLDER

    @property
    def password_path(self) -> Path:
        """The file with the database's password."""
        return password_path(self.path)

    @property
    def log_path(self) -> Path:
        """What the database has to say, from this start on."""
        return self.path / "database.log"

    def bound_log(self) -> None:
        """Begin the log anew when it has grown too long; the database appends to it and does not mind."""
        if self.log_path.stat().st_size > LONGEST_LOG_BYTES:
            os.truncate(self.log_path, 0)

    def last_log_line(self) -> str:
        """Give the database's last word."""
        lines = self._last_words().strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _last_words(self) -> str:
        with self.log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LAST_WORDS_BYTES))
            return log.read().decode("utf-8", errors="replace")

    def damage_or(self, text: str) -> SightlineError:
        """Give the error of a database that ended: files that it cannot read, or what it said."""
        if not (_DAMAGE.search(self._last_words()) or self._had_no_room):
            return DatabaseUnavailableError(text)
        return BadInputError(self.damaged(self.last_log_line()))

    def damaged(self, last: str) -> Sentence:
        """Name files that the database cannot use, and the way out."""
        if self._had_no_room:
            return sentence("database-no-room", folder=str(self.path))
        return sentence(
            "database-damaged", folder=str(self.database_path), reason=last[:200], log=str(self.log_path)
        )

    @property
    def _had_no_room(self) -> bool:
        """Whether the database was refused room though the disk seems to have some, as by a quota."""
        return _NO_ROOM.search(self._last_words()) is not None

    @property
    def free_bytes(self) -> int:
        """What is free on the disk of this folder."""
        return shutil.disk_usage(self.path).free

    def check_space(self) -> None:
        """BadInputError when too little of the disk is free to write anything."""
        free_bytes = self.free_bytes
        if free_bytes < MINIMUM_FREE_BYTES:
            raise BadInputError(
                f"data folder {self.path}: the disk is full ({free_bytes // 2**20} MB free, "
                f"{MINIMUM_FREE_BYTES // 2**20} MB needed); make room, or give another folder with --data"
            )

    def unusable(self, error: OSError) -> BadInputError:
        """Give the error of a folder that refuses a file, with what to do."""
        return BadInputError(_why_not(self.path, error))

    def close(self) -> None:
        """Give the folder free. Safe to call again."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def full_disk(path: Path) -> str | None:
    """Say that the disk of a folder is full; None while it is not, or cannot be asked."""
    try:
        free_bytes = shutil.disk_usage(path.expanduser()).free
    except OSError:
        return None
    if free_bytes >= MINIMUM_FREE_BYTES:
        return None
    return f"the disk of {path} is full ({free_bytes // 2**20} MB free): make room, and run this again"


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


def engine_folder(folder: Path | None = None) -> Path:
    """Give where a data folder, by default that of this user, keeps which engines were chosen."""
    return (folder or default_data_folder()).expanduser().absolute() / ENGINE_FOLDER


def password_path(folder: Path) -> Path:
    """Give the file with the password of a data folder's database."""
    return folder.expanduser() / DATABASE_FOLDER / PASSWORD_FILE


def _close_to_others(folder: Path) -> None:
    """Keep other accounts out of a folder that holds nothing but ours; one that is shared stays as it is."""
    found = folder.stat()
    is_open = found.st_mode & 0o077 and not found.st_mode & stat.S_ISVTX
    if is_open and found.st_uid == os.geteuid() and {item.name for item in folder.iterdir()} <= _OWN_NAMES:
        folder.chmod(0o700)


def _why_not(path: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"data folder {path}: the disk is full; make room, or give another folder with --data"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"data folder {path} is not writable{_owners(path, error)}; give another folder with --data"
    return f"data folder {path} cannot be used: {error.strerror}"


def _owners(path: Path, error: OSError) -> str:
    """Say whose the folder is where it is another account's, as one often is that a container is given."""
    own = os.geteuid()
    owner = next((uid for place in (error.filename, path) if (uid := _owner(place)) is not None), own)
    if error.errno == errno.EROFS or owner == own:
        return ""
    # Nothing here needs root, so that nobody is told to run it so.
    as_owner = f", or this as its owner (docker run --user {owner}:{owner})" if owner else ""
    way_out = f" by user {own}, since it belongs to user {owner}: run `chown -R {own} FOLDER` on the machine"
    return way_out + as_owner


def _owner(place: str | Path | None) -> int | None:
    try:
        return None if place is None else Path(place).stat().st_uid
    except OSError:
        return None
