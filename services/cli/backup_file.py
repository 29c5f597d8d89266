"""The backup file: gzip over lines of MongoDB's extended JSON, between a header and a trailer.

The trailer holds the number of documents and a SHA-256 of all lines before it, so that a file that was
cut off or changed is known from a whole one before anything of it is used.
"""

import gzip
import hashlib
import json
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import IO, Any

from bson import json_util

from services.common.database.schema import LASTING, META, SCHEMA_VERSION
from services.common.files import replacing
from services.core.errors import BadInputError

FORMAT = "sightline-backup"
FORMAT_VERSION = 1
COMPRESSION_LEVEL = 6
STANDARD_STREAM = "-"
"""In place of a path: standard output to write to, standard input to read from."""

EXACT = json_util.CANONICAL_JSON_OPTIONS.with_options(tz_aware=True, tzinfo=UTC)

Document = dict[str, Any]
OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What a file holds: documents by collection."""

    counts: dict[str, int]

    @property
    def total(self) -> int:
        """All documents."""
        return sum(self.counts.values())


async def write_backup(
    path: Path, documents: AsyncIterable[tuple[str, Document]], header: Document, on_progress: OnProgress
) -> BackupSummary:
    """Write the file whole or not at all; BadInputError when its place cannot be written."""
    if str(path) == STANDARD_STREAM:
        try:
            return await _write_packed(sys.stdout.buffer, documents, header, on_progress)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _unwritable("standard output", error) from error
    try:
        with replacing(path) as draft, draft.open("wb") as raw:
            return await _write_packed(raw, documents, header, on_progress)
    except OSError as error:
        raise _unwritable(path, error) from error


async def _write_packed(
    raw: IO[bytes], documents: AsyncIterable[tuple[str, Document]], header: Document, on_progress: OnProgress
) -> BackupSummary:
    with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=COMPRESSION_LEVEL, filename="") as packed:
        summary = await _write_lines(packed, documents, header, on_progress)
    raw.flush()
    return summary


async def _write_lines(
    packed: gzip.GzipFile,
    documents: AsyncIterable[tuple[str, Document]],
    header: Document,
    on_progress: OnProgress,
) -> BackupSummary:
    digest = hashlib.sha256()
    counts: Counter[str] = Counter()

    def write(value: object) -> None:
        line = json_util.dumps(value, json_options=EXACT).encode() + b"\n"
        digest.update(line)
        packed.write(line)

    write({"format": FORMAT, "format_version": FORMAT_VERSION, **header})
    async for collection, document in documents:
        write({"collection": collection, "document": document})
        counts[collection] += 1
        on_progress(counts.total())
    trailer = {"end": FORMAT, "counts": dict(counts), "sha256": digest.hexdigest()}
    packed.write(json.dumps(trailer).encode() + b"\n")
    return BackupSummary(dict(counts))


@contextmanager
def readable_backup(path: Path) -> Iterator[Path]:
    """Give a file that can be read twice: what comes from standard input is kept in one meanwhile."""
    if str(path) != STANDARD_STREAM:
        yield path
        return
    with ExitStack() as stack:
        try:
            kept = stack.enter_context(tempfile.NamedTemporaryFile(prefix="standard-input."))
            shutil.copyfileobj(sys.stdin.buffer, kept)
            kept.flush()
        except OSError as error:
            raise _unwritable(f"a file in {tempfile.gettempdir()}", error) from error
        yield Path(kept.name)


def verify_backup(path: Path) -> BackupSummary:
    """Read the whole file once; BadInputError when it is not a whole backup of a known form."""
    digest = hashlib.sha256()
    trailer: Document | None = None
    for number, line in enumerate(_lines(path)):
        if trailer is not None:
            raise BadInputError(f"{path} is damaged: something follows its end")
        if number == 0:
            _check_header(path, line)
        if line.startswith(b'{"end":'):
            trailer = _parse(path, line)
        else:
            digest.update(line)
    if trailer is None:
        raise BadInputError(f"{path} is cut off: its end is missing; nothing was restored")
    if trailer.get("sha256") != digest.hexdigest():
        raise BadInputError(f"{path} is damaged: its checksum does not agree; nothing was restored")
    counts = dict(trailer["counts"])
    if not set(counts) <= {META, *LASTING}:
        raise _newer(path)
    return BackupSummary(counts)


async def read_backup(path: Path, on_progress: OnProgress) -> AsyncIterator[tuple[str, Document]]:
    """Give the documents of a verified file."""
    number = 0
    for line in _lines(path):
        value = _parse(path, line)
        if "collection" in value:
            yield value["collection"], value["document"]
            number += 1
            on_progress(number)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") as file:
            yield from file
    except EOFError:
        raise BadInputError(f"{path} is cut off; nothing was restored") from None
    except (gzip.BadGzipFile, zlib.error):
        raise BadInputError(f"{path} is no backup of Sightline, or damaged") from None
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}") from error


def _parse(path: Path, line: bytes) -> Document:
    try:
        value = json_util.loads(line.decode("utf-8"), json_options=EXACT)
    except (ValueError, TypeError):
        raise BadInputError(f"{path} is no backup of Sightline, or damaged") from None
    if not isinstance(value, dict):
        raise BadInputError(f"{path} is no backup of Sightline")
    return value


def _check_header(path: Path, line: bytes) -> None:
    header = _parse(path, line)
    if header.get("format") != FORMAT:
        raise BadInputError(f"{path} is no backup of Sightline")
    if header.get("format_version") != FORMAT_VERSION:
        raise _newer(path)
    version = header.get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise _newer(path)


def _newer(path: Path) -> BadInputError:
    return BadInputError(f"{path} was made by a newer Sightline: use that version to restore it")


def _unwritable(path: Path | str, error: OSError) -> BadInputError:
    return BadInputError(f"{path} cannot be written: {error.strerror}")
