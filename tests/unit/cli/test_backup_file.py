"""The backup file: what was written is read, and anything less than a whole file is refused."""

import asyncio
import errno
import gzip
import io
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bson import Int64, ObjectId

from services.cli.backup_file import read_backup, readable_backup, verify_backup, write_backup
from services.common.database.schema import SCHEMA_VERSION
from services.core.errors import BadInputError, DatabaseUnavailableError

DOCUMENTS: list[tuple[str, dict[str, Any]]] = [
    ("cameras", {"_id": "gate", "time": datetime(2026, 11, 21, 20, 43, 29, 169000, UTC), "fps": 10.0}),
    ("crossings", {"_id": ObjectId(), "number": 3, "large": Int64(2**40), "along": 1e-17, "none": None}),
    ("crossings", {"_id": "b", "classes": ["car", "Straße"], "counts": {"car": 2}}),
]


async def _documents() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    for pair in DOCUMENTS:
        yield pair


def _ignore(_: int) -> None:
    pass


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.backup"
    asyncio.run(write_backup(path, _documents(), {"schema_version": 1}, _ignore))
    return path


async def _read(path: Path) -> list[tuple[str, dict[str, Any]]]:
    return [pair async for pair in read_backup(path, _ignore)]


def test_what_was_written_is_read(file: Path) -> None:
    assert verify_backup(file).counts == {"cameras": 1, "crossings": 2}
    read = asyncio.run(_read(file))
    assert read == DOCUMENTS
    assert type(read[1][1]["large"]) is Int64
    assert type(read[1][1]["number"]) is int
    assert [path.name for path in file.parent.iterdir()] == ["a.backup"]
    assert file.stat().st_mode & 0o077 == 0


def test_every_truncation_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        file.write_bytes(whole[:length])
        with pytest.raises(BadInputError):
            verify_backup(file)


def test_missing_and_changed_lines_are_refused(file: Path) -> None:
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    for changed in (
        lines[:-1],
        [lines[0], *lines[2:]],
        [*lines[:1], lines[1].replace(b"gate", b"gote"), *lines[2:]],
        [*lines, lines[1]],
        [b'{"format": "other"}\n', *lines[1:]],
        [b'{"format": "sightline-backup", "format_version": 2}\n', *lines[1:]],
        [b"[]\n"],
        [b"\xff\n"],
    ):
        file.write_bytes(gzip.compress(b"".join(changed)))
        with pytest.raises(BadInputError):
            verify_backup(file)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, None])
def test_what_a_newer_version_wrote_is_refused_before_anything_is_deleted(
    version: int | None, tmp_path: Path
) -> None:
    path = tmp_path / "a.backup"
    asyncio.run(write_backup(path, _documents(), {"schema_version": version}, _ignore))
    with pytest.raises(BadInputError, match="made by a newer Sightline"):
        verify_backup(path)


def test_a_collection_of_a_newer_version_is_refused_before_anything_is_deleted(tmp_path: Path) -> None:
    async def documents() -> AsyncIterator[tuple[str, dict[str, Any]]]:
        yield "weather", {"_id": 1}

    path = tmp_path / "a.backup"
    asyncio.run(write_backup(path, documents(), {"schema_version": 1}, _ignore))
    with pytest.raises(BadInputError, match="made by a newer Sightline"):
        verify_backup(path)


def test_no_backup_at_all(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    with pytest.raises(BadInputError, match="no backup of Sightline"):
        verify_backup(tmp_path / "x")
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        verify_backup(tmp_path / "y")


def test_a_failed_backup_leaves_the_old_file(file: Path) -> None:
    async def failing() -> AsyncIterator[tuple[str, dict[str, Any]]]:
        yield DOCUMENTS[0]
        raise DatabaseUnavailableError("away")

    whole = file.read_bytes()
    with pytest.raises(DatabaseUnavailableError):
        asyncio.run(write_backup(file, failing(), {}, _ignore))
    assert file.read_bytes() == whole
    assert [path.name for path in file.parent.iterdir()] == ["a.backup"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be written"):
        asyncio.run(write_backup(tmp_path / "no" / "a", _documents(), {}, _ignore))


class _FullOutput(io.RawIOBase):
    """What standard output is where the disk behind it is full, or its reader has gone."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize(
    ("number", "kind", "told"),
    [
        (errno.ENOSPC, BadInputError, "standard output cannot be written: No space left on device"),
        (errno.EPIPE, BrokenPipeError, "Broken pipe"),
    ],
)
def test_a_standard_output_that_takes_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], told: str
) -> None:
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=_FullOutput(number)))
    with pytest.raises(kind, match=told):
        asyncio.run(write_backup(Path("-"), _documents(), {"schema_version": 1}, _ignore))


def test_a_standard_input_that_finds_no_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(BadInputError, match="none cannot be written"), readable_backup(Path("-")):
        pass
