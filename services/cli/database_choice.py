"""Which database a command works on: the one that is named, the environment's, or a data folder's."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.cli.camera_option import read_address, warn_of_open_secrets
from services.cli.console import notes
from services.cli.data_folder import announced_database, default_data_folder, full_disk, password_path
from services.cli.embedded_account import check_login, read_password, with_login
from services.cli.embedded_database import start_database
from services.common.access.accounts import AuditEntry
from services.common.database.accounts import AuditTrail
from services.common.database.link import DatabaseLink
from services.common.settings.service import MONGODB_URI_VARIABLE, given_mongodb_uri
from services.core.errors import BadInputError, DatabaseUnavailableError, DiskFullError, HalfRestoredError

DataOption = Annotated[
    Path | None,
    typer.Option(help="Data folder of `up`; needed where that was given another one.", show_default=False),
]
MongodbOption = Annotated[
    str | None,
    typer.Option(
        help="Database to use in place of the data folder's: its address, or better @FILE or '$VARIABLE': "
        "everybody on this machine can read a password that stands on a command line. "
        f"{MONGODB_URI_VARIABLE} and the file that {MONGODB_URI_VARIABLE}_FILE names are taken too.",
        show_default=False,
    ),
]


@contextmanager
def chosen_database(data: Path | None, mongodb: str | None, may_be_running: bool) -> Iterator[str]:
    """Give the address of the database that was asked for, started where it does not run.

    One that may be running has its folder: BadInputError where that is missing.
    """
    if mongodb:
        address = read_address(mongodb)
        warn_of_open_secrets("the database", address)
        mongodb = address.url
    uri = mongodb or (None if data else given_mongodb_uri())
    folder = data or default_data_folder()
    if uri is None and may_be_running:
        if not folder.expanduser().is_dir():
            raise BadInputError(f"there is no data folder {folder}: name that of `up` with --data")
        uri = _running_database(folder)
        if uri is not None:
            with _full_disk_explained(folder):
                yield uri
            return
    if uri is not None:
        yield uri
        return
    with notes.status("starting the database"):
        running = start_database(folder)
    try:
        with _full_disk_explained(folder):
            yield running.uri
    finally:
        running.close()


@contextmanager
def _full_disk_explained(folder: Path) -> Iterator[None]:
    """Say that the disk is full where a database fails for it and can only say that something did."""
    try:
        yield
    except HalfRestoredError:
        raise
    except DatabaseUnavailableError as error:
        full = full_disk(folder)
        if full is None:
            raise
        raise DiskFullError(full) from error


def _running_database(folder: Path) -> str | None:
    """Give the address of a folder's database with its password; None where it does not run."""
    address = announced_database(folder)
    if address is None:
        return None
    path = password_path(folder)
    password = read_password(path)
    uri = address if password is None else with_login(address, password)
    check_login(uri, path)
    return uri


@asynccontextmanager
async def open_database(uri: str) -> AsyncIterator[DatabaseLink]:
    """Give the link to a database that answers; DatabaseUnavailableError when it does not."""
    link = DatabaseLink(uri)
    try:
        await link.ping()
        yield link
    finally:
        await link.close()


COMMAND_LINE = "command line"


async def record_command(trail: AuditTrail, action: str, target: str = "") -> None:
    """Write that a command did something; one that did is not undone where the log cannot be written."""
    try:
        await trail.add_audit(AuditEntry(action, target[:200], by=COMMAND_LINE))
    except DatabaseUnavailableError as error:
        notes.print(f"{action} is not in the audit log: {error}", highlight=False)
