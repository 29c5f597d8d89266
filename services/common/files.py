"""Files: questions about names that strangers give, and writing that leaves a whole file or none."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path

from services.core.texts import text_of

PIECE_BYTES = 1_000_000
"""What is read at once of a file whose length nobody knows."""


def is_file(path: str | Path) -> bool:
    """Return whether a file is there; a name that no file can have, or a closed folder, hides none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_same_file(one: Path, other: Path) -> bool:
    """Return whether two names lead to one place, whether there is a file yet or not."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return os.path.realpath(one) == os.path.realpath(other)


def read_text(path: str | Path, limit_bytes: int = 64_000_000) -> str:
    """Read a text that a person wrote, see `text_of`; raises OSError and UnicodeDecodeError.

    What is longer than `limit_bytes` is no such text: a device may have no end.
    """
    with Path(path).open("rb") as file:
        data = b"".join(islice(iter(partial(file.read, PIECE_BYTES), b""), limit_bytes // PIECE_BYTES + 1))
    if len(data) > limit_bytes:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return text_of(data)


def file_url(path: str | Path) -> str:
    """Give a file as FFmpeg takes it for nothing else, whatever it is called: `rtsp:a.mp4`, `-a.mp4`."""
    return f"file:{os.path.abspath(path)}"


@contextmanager
def replacing(path: Path, mode: int = 0o600, unfinished: Path | None = None) -> Iterator[Path]:
    """Give a file of a folder to write to, which takes the name `path` at the end: whole, and on the disk.

    Where the body or the disk fails, nothing of it is left and `path` is what it was. Until its end only this
    account may read the file. `unfinished` is its name meanwhile, in the same folder, so that a run that was
    killed leaves at most one; without it the name is a new one. Raises OSError, also for a folder, a pipe and
    a device: none of them is replaced.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "there is something that is no ordinary file")
    if unfinished is None:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        unfinished = Path(name)
    else:
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.close(handle)
    try:
        yield unfinished
        unfinished.chmod(mode)
        _sync(unfinished)
        unfinished.replace(path)
        _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


def write_whole(path: Path, text: str, mode: int = 0o600, unfinished: Path | None = None) -> None:
    """Write a text file whole or not at all, see `replacing`; raises OSError."""
    with replacing(path, mode, unfinished) as draft:
        draft.write_text(text, encoding="utf-8")


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes in a folder under this lock; what the body wrote is on the disk then.

    Raises OSError.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        _sync_folder(folder)
    finally:
        os.close(handle)


def _sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where its file system can be asked for that."""
    try:
        _sync(folder)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES):
            raise


def _sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
