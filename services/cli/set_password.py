"""`sightline set-password`: a new password straight into the database, for whoever cannot log in."""

import asyncio
import sys
from typing import Annotated

import typer

from services.cli.console import notes
from services.cli.database_choice import DataOption, MongodbOption, chosen_database, open_repository
from services.common.accounts import AuditEntry
from services.common.passwords import check_new_password, hash_password
from services.core.errors import BadInputError


def set_password_command(
    name: Annotated[str, typer.Argument(help="Name of the account, such as admin.")],
    data: DataOption = None,
    mongodb: MongodbOption = None,
) -> None:
    """Give an account the password on standard input; its sessions end. Sightline may run meanwhile."""
    password = check_new_password(_read_password())
    with chosen_database(data, mongodb, may_be_running=True) as uri:
        asyncio.run(_set_password(uri, name, password))
    notes.print(f"{name} has a new password", highlight=False)


def _read_password() -> str:
    if sys.stdin.isatty():
        typed: str = typer.prompt("New password", hide_input=True, confirmation_prompt=True, err=True)
        return typed
    return sys.stdin.readline().rstrip("\r\n")


async def _set_password(uri: str, name: str, password: str) -> None:
    async with open_repository(uri) as repository:
        user = await repository.user(name)
        if user is None:
            raise BadInputError(f"there is no account {name[:80]!r}")
        await repository.change_user(user, password_hash=hash_password(password))
        await repository.add_audit(AuditEntry("user.change", user.name, by="command line"))
