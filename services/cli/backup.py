"""`sightline backup` and `sightline restore`: everything that lasts, between any two databases."""

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.backup_file import BackupSummary, read_backup, readable_backup, verify_backup, write_backup
from services.cli.console import notes, progress
from services.cli.database_choice import (
    DataOption,
    MongodbOption,
    chosen_database,
    open_repository,
    record_command,
)
from services.common.database.link import DatabaseLink, Document
from services.common.database.repository import Repository
from services.common.database.schema import LASTING, META, PENDING, SCHEMA_VERSION, SESSIONS
from services.core.camera_address import check_address
from services.core.errors import BadInputError, StoppedError


def backup_command(
    file: Annotated[
        Path, typer.Argument(help="File to write, for example sightline.backup; - is standard output.")
    ],
    data: DataOption = None,
    mongodb: MongodbOption = None,
) -> None:
    """Write everything that lasts into one file. Sightline may run meanwhile."""
    with chosen_database(data, mongodb, may_be_running=True) as uri:
        summary = asyncio.run(_backup(uri, file))
    notes.print(f"{file}: {_described(summary)}", highlight=False)


def restore_command(
    file: Annotated[Path, typer.Argument(help="File that `sightline backup` wrote; - is standard input.")],
    data: DataOption = None,
    mongodb: MongodbOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete first what the database holds now.")
    ] = False,
) -> None:
    """Restore a backup into an empty database, or with --replace in place of what is there."""
    with readable_backup(file) as readable:
        with notes.status("checking the file"):
            summary = verify_backup(readable)
        with chosen_database(data, mongodb, may_be_running=False) as uri:
            asyncio.run(_restore(uri, readable, summary, replace))
    notes.print(f"restored {_described(summary)}", highlight=False)


async def _backup(uri: str, file: Path) -> BackupSummary:
    header = {
        "schema_version": SCHEMA_VERSION,
        "sightline": importlib.metadata.version("sightline"),
        "created": datetime.now(UTC),
    }
    async with open_repository(uri) as repository:
        with progress("documents", None) as on_progress:
            summary = await write_backup(file, _whole(repository), header, on_progress)
        await record_command(repository, "backup", file.name)
        return summary


async def _whole(repository: Repository) -> AsyncIterator[tuple[str, Document]]:
    """Give everything that lasts; HalfRestoredError when a restore has not ended, or begins meanwhile."""
    await repository.ensure_whole()
    async for item in repository.export_documents():
        yield item
    await repository.ensure_whole()


async def _restore(uri: str, file: Path, summary: BackupSummary, replace: bool) -> None:
    async with open_repository(uri) as repository:
        if not replace and await _holds_anything(repository):
            raise BadInputError("the database is not empty: give --replace to delete what it holds now")
        await repository.begin_restore()
        try:
            if replace:
                await _clear(uri)
            await repository.prepare()
            with progress("documents", summary.total) as on_progress:
                await repository.import_documents(read_backup(file, on_progress))
            await record_command(repository, "restore", "in place of what was there" if replace else "")
            await repository.end_restore()
        except asyncio.CancelledError:
            raise StoppedError(
                "stopped: the database holds a part of the backup; restore it with --replace for the whole"
            ) from None
        await _tell_of_addresses(repository)


async def _tell_of_addresses(repository: Repository) -> None:
    """Name the cameras whose address could not be given today: it is kept as it was."""
    for stored in await repository.cameras():
        try:
            check_address(stored.camera.url)
        except BadInputError as error:
            text = f"edit camera {stored.camera.id}: {error}"
            notes.print(text, highlight=False, markup=False, soft_wrap=True)


async def _holds_anything(repository: Repository) -> bool:
    async for collection, _ in repository.export_documents():
        if collection != META:
            return True
    return False


async def _clear(uri: str) -> None:
    link = DatabaseLink(uri)
    try:
        with link.guarded():
            for collection in (*LASTING, PENDING, SESSIONS):
                await link.collection(collection).drop()
    finally:
        await link.close()


def _described(summary: BackupSummary) -> str:
    parts = [f"{number} {name}" for name, number in summary.counts.items() if name != META]
    return ", ".join(parts) or "nothing, since the database is empty"
