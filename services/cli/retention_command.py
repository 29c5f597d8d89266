"""`sightline retention`: how long records are kept, and a word to what waits for one."""

import asyncio
import json
import time
from typing import Annotated

import typer

from services.cli.console import notes
from services.cli.database_choice import (
    DataOption,
    MongodbOption,
    chosen_database,
    open_database,
    record_command,
)
from services.common.database.accounts import AuditTrail
from services.common.database.retention_notices import RetentionNotices, clock_object, retention_object
from services.common.database.schema import Schema
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
        shown = asyncio.run(_retention(uri, confirm, confirm_clock))
    typer.echo(json.dumps(shown, indent=2))


async def _retention(uri: str, confirm: bool, confirm_clock: bool) -> JsonObject:
    async with open_database(uri) as link:
        schema = Schema(link)
        notices, trail = RetentionNotices(link, schema), AuditTrail(link, schema, time.time)
        shown: JsonObject = {
            "retention": retention_object(await notices.retention_state()),
            "clock": clock_object(await notices.clock_mark()),
            "set_aside": await notices.set_aside_number(),
        }
        if confirm:
            await _confirm_retention(notices, trail, shown["retention"]["pending"])
        if confirm_clock:
            await _confirm_clock(notices, trail, shown["clock"]["doubt"])
    return shown


async def _confirm_retention(
    notices: RetentionNotices, trail: AuditTrail, pending: JsonObject | None
) -> None:
    if pending is None:
        raise BadInputError("no shorter retention waits: there is nothing to confirm")
    await notices.confirm_retention(pending["id"])
    await record_command(trail, "system.change", "retention")
    notes.print("confirmed: the store applies it within half a minute", highlight=False)


async def _confirm_clock(notices: RetentionNotices, trail: AuditTrail, doubt: JsonObject | None) -> None:
    if doubt is None:
        raise BadInputError("the clock is not in doubt: there is nothing to confirm")
    await notices.confirm_clock(doubt["id"])
    await record_command(trail, "system.change", "clock")
    notes.print("confirmed: the store believes the clock within half a minute", highlight=False)
