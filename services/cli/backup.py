"""`sightline backup` and `sightline restore`: everything that lasts, between any two databases."""

import asyncio
import importlib.metadata
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from services.cli.backup_file import BackupSummary, read_backup, verify_backup, write_backup
from services.cli.console import notes, progress
from services.cli.data_folder import announced_database, default_data_folder
from services.cli.embedded_database import start_database
from services.common.database import Repository
from services.common.database_link import DatabaseLink
from services.common.database_schema import LASTING, META, PENDING, SCHEMA_VERSION, SESSIONS
from services.core.errors import BadInputError

URI_VARIABLE = "SIGHTLINE_MONGODB_URI"

DataOption = Annotated[
    Path | None,
    typer.Option(help="Data folder of `up` (default: the same as there).", show_default=False),
]
MongodbOption = Annotated[
    str | None,
    typer.Option(
        help="Database to use in place of the data folder's; its password is better given in "
        f"{URI_VARIABLE}.",
        show_default=False,
    ),
]


def backup_command(
    file: Annotated[Path, typer.Argument(help="File to write, for example sightline.backup.")],
    data: DataOption = None,
    mongodb: MongodbOption = None,
) -> None:
    """Write everything that lasts into one file. Sightline may run meanwhile."""
    with _database(data, mongodb, may_be_running=True) as uri:
        summary = asyncio.run(_backup(uri, file.absolute()))
    notes.print(f"{file}: {_described(summary)}", highlight=False)


def restore_command(
    file: Annotated[Path, typer.Argument(help="File that `sightline backup` wrote.")],
    data: DataOption = None,
    mongodb: MongodbOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete first what the database holds now.")
    ] = False,
) -> None:
    """Restore a backup into an empty database, or with --replace in place of what is there."""
    with notes.status("checking the file"):
        summary = verify_backup(file)
    with _database(data, mongodb, may_be_running=False) as uri:
        asyncio.run(_restore(uri, file, summary, replace))
    notes.print(f"restored {_described(summary)}", highlight=False)


@contextmanager
def _database(data: Path | None, mongodb: str | None, may_be_running: bool) -> Iterator[str]:
    """Give the address of the database that was asked for, started where it does not run."""
    uri = mongodb or (None if data else os.environ.get(URI_VARIABLE))
    folder = data or default_data_folder()
    if uri is None and may_be_running:
        uri = announced_database(folder)
    if uri is not None:
        yield uri
        return
    with notes.status("starting the database"):
        running = start_database(folder)
    try:
        yield running.uri
    finally:
        running.close()


@asynccontextmanager
async def _repository(uri: str) -> AsyncIterator[Repository]:
    repository = Repository(uri)
    try:
        await repository.ping()
        yield repository
    finally:
        await repository.close()


async def _backup(uri: str, file: Path) -> BackupSummary:
    header = {
        "schema_version": SCHEMA_VERSION,
        "sightline": importlib.metadata.version("sightline"),
        "created": datetime.now(UTC),
    }
    async with _repository(uri) as repository:
        with progress("documents", None) as on_progress:
            return await write_backup(file, repository.export_documents(), header, on_progress)


async def _restore(uri: str, file: Path, summary: BackupSummary, replace: bool) -> None:
    async with _repository(uri) as repository:
        if await _holds_anything(repository):
            if not replace:
                raise BadInputError("the database is not empty: give --replace to delete what it holds now")
            await _clear(uri)
        await repository.prepare()
        with progress("documents", summary.total) as on_progress:
            await repository.import_documents(read_backup(file, on_progress))


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
