"""`sightline backup` and `sightline restore`: everything that lasts, between any two databases."""

import asyncio
import importlib.metadata
import time
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
    open_database,
    record_command,
)
from services.common.database.accounts import AuditTrail
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import META, SCHEMA_VERSION, Schema, check_whole
from services.common.database.setups import Setups
from services.common.database.transfer import Export, Restore
from services.core.camera_address import check_address
from services.core.errors import BadInputError, StoppedError

SETTLE_S = 1.0
"""Before anything is deleted: services that are writing come to where they see the mark of the restore."""


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
    async with open_database(uri) as link:
        with progress("documents", None) as on_progress:
            summary = await write_backup(file, _whole(link), header, on_progress)
        await record_command(AuditTrail(link, Schema(link), time.time), "backup", file.name)
        return summary


async def _whole(link: DatabaseLink) -> AsyncIterator[tuple[str, Document]]:
    """Give everything that lasts; HalfRestoredError when a restore has not ended, or begins meanwhile."""
    await check_whole(link)
    async for item in Export(link, time.time).export_documents():
        yield item
    await check_whole(link)


async def _restore(uri: str, file: Path, summary: BackupSummary, replace: bool) -> None:
    async with open_database(uri) as link:
        if not replace and await _holds_anything(link):
            raise BadInputError("the database is not empty: give --replace to delete what it holds now")
        restore = Restore(link, time.time)
        trail = AuditTrail(link, restore.schema, time.time)
        await restore.begin_restore()
        try:
            if replace:
                await asyncio.sleep(SETTLE_S)
                await restore.clear()
            with progress("documents", summary.total) as on_progress:
                await restore.import_documents(read_backup(file, on_progress))
            await record_command(trail, "restore", "in place of what was there" if replace else "")
            await restore.end_restore()
        except asyncio.CancelledError:
            raise StoppedError(
                "stopped: the database holds a part of the backup; restore it with --replace for the whole"
            ) from None
        await _name_unusable_addresses(Setups(link, restore.schema, time.time))


async def _name_unusable_addresses(setups: Setups) -> None:
    """Name the cameras whose address could not be given today: it is kept as it was."""
    for stored in await setups.cameras():
        try:
            check_address(stored.camera.url)
        except BadInputError as error:
            text = f"edit camera {stored.camera.id}: {error}"
            notes.print(text, highlight=False, markup=False, soft_wrap=True)


async def _holds_anything(link: DatabaseLink) -> bool:
    async for collection, _ in Export(link, time.time).export_documents():
        if collection != META:
            return True
    return False


def _described(summary: BackupSummary) -> str:
    parts = [f"{number} {name}" for name, number in summary.counts.items() if name != META]
    return ", ".join(parts) or "nothing, since the database is empty"
