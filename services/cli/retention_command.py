"""`sightline retention`: how long records are kept, and a word to what waits for one."""

import asyncio
import json
from typing import Annotated

import typer

from services.cli.console import notes
from services.cli.database_choice import (
    DataOption,
    MongodbOption,
    chosen_database,
    open_repository,
    record_command,
)
from services.common.database.repository import Repository
from services.common.database.retention_words import told_doubt, told_retention
from services.common.wire import JsonObject
from services.core.errors import BadInputError


def retention_command(
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Apply the shorter retention that waits, which deletes records.")
    ] = False,
    confirm_clock: Annotated[
        bool, typer.Option("--confirm-clock", help="Say that a clock in doubt is right as it is now.")
    ] = False,
    data: DataOption = None,
    mongodb: MongodbOption = None,
) -> None:
    """Show how long records are kept and what waits, as JSON. The running store acts within half a minute."""
    with chosen_database(data, mongodb, may_be_running=True) as uri:
        told = asyncio.run(_retention(uri, confirm, confirm_clock))
    typer.echo(json.dumps(told, indent=2))


async def _retention(uri: str, confirm: bool, confirm_clock: bool) -> JsonObject:
    async with open_repository(uri) as repository:
        told: JsonObject = {
            "retention": told_retention(await repository.retention_state()),
            "clock": told_doubt(await repository.clock_mark()),
            "set_aside": await repository.set_aside_number(),
        }
        if confirm:
            await _confirm_retention(repository, told["retention"]["pending"])
        if confirm_clock:
            await _confirm_clock(repository, told["clock"]["doubt"])
    return told


async def _confirm_retention(repository: Repository, pending: JsonObject | None) -> None:
    if pending is None:
        raise BadInputError("no shorter retention waits: there is nothing to confirm")
    await repository.confirm_retention(pending["id"])
    await record_command(repository, "system.change", "retention")
    notes.print("confirmed: the store applies it within half a minute", highlight=False)


async def _confirm_clock(repository: Repository, doubt: JsonObject | None) -> None:
    if doubt is None:
        raise BadInputError("the clock is not in doubt: there is nothing to confirm")
    await repository.confirm_clock(doubt["id"])
    await record_command(repository, "system.change", "clock")
    notes.print("confirmed: the store believes the clock within half a minute", highlight=False)
