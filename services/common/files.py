"""Files: questions about names that strangers give, and writing that leaves a whole file or none."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.core.texts import text_of


def is_file(path: str | Path) -> bool:
    """Return whether a file is there; a name that no file can have, or a closed folder, hides none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def read_text(path: str | Path) -> str:
    """Read a text that a person wrote, see `text_of`; raises OSError and UnicodeDecodeError."""
    return text_of(Path(path).read_bytes())


def file_url(path: str | Path) -> str:
    """Give a file as FFmpeg takes it for nothing else, whatever it is called: `rtsp:a.mp4`, `-a.mp4`."""
    return f"file:{os.path.abspath(path)}"


@contextmanager
def replacing(path: Path, mode: int = 0o600, unfinished: Path | None = None) -> Iterator[Path]:
    """Give a file of a folder to write to, which takes the name `path` at the end: whole, and on the disk.

    Where the body or the disk fails, nothing of it is left and `path` is what it was. Until its end only this
    account may read the file. `unfinished` is its name meanwhile, in the same folder, so that a run that was
    killed leaves at most one; without it the name is a new one. Raises OSError.
    """
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
