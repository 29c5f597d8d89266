"""`sightline set-password`: a new password straight into the database, for whoever cannot log in."""

import asyncio
import sys
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
from services.common.access.passwords import check_new_password, hash_password
from services.common.database.accounts import Accounts, AuditTrail
from services.common.database.schema import Schema
from services.core.errors import BadInputError


def set_password_command(
    name: Annotated[str, typer.Argument(help="Name of the account, such as admin.")],
    data: DataOption = None,
    mongodb: MongodbOption = None,
    keep_tokens: Annotated[
        bool | None,
        typer.Option(
            "--keep-tokens/--end-tokens",
            help="Whether tokens that the account made stay valid; without it a person is asked, and "
            "otherwise they end.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Give an account the password on standard input; its sessions and tokens end.

    Sightline may run meanwhile.
    """
    password = check_new_password(_read_password())
    if keep_tokens is None:
        keep_tokens = sys.stdin.isatty() and not typer.confirm("End its tokens too?", default=True, err=True)
    with chosen_database(data, mongodb, may_be_running=True) as uri:
        asyncio.run(_set_password(uri, name, password, keep_tokens))
    tokens = "tokens go on" if keep_tokens else "its tokens have ended"
    notes.print(f"{name} has a new password; {tokens}", highlight=False)


def _read_password() -> str:
    if sys.stdin.isatty():
        typed: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    return sys.stdin.readline().removeprefix("\ufeff").rstrip("\r\n")


async def _set_password(uri: str, name: str, password: str, keep_tokens: bool) -> None:
    async with open_database(uri) as link:
        schema = Schema(link)
        accounts = Accounts(link, schema, time.time)
        user = await accounts.user(name)
        if user is None:
            raise BadInputError(f"there is no account {name[:80]!r}")
        await accounts.change_user(user, password_hash=hash_password(password), keep_tokens=keep_tokens)
        await record_command(AuditTrail(link, schema, time.time), "user.change", user.name)
