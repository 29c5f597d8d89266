"""`sightline set-password` opens an account whose password is lost, and ends its sessions."""

import asyncio
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from services.cli.embedded_database import start_database
from services.cli.set_password import set_password_command
from services.common.access.accounts import Token, User, UserRole
from services.common.access.passwords import hash_password, verify_password
from services.core.errors import BadInputError
from tests.tables import Tables

OLD, NEW = "the first password", "another password"


def _set(uri: str, name: str, typed: str, *options: str) -> None:
    app = typer.Typer()
    app.command()(set_password_command)
    result = CliRunner().invoke(app, [name, "--mongodb", uri, *options], input=typed)
    if isinstance(result.exception, BadInputError):
        raise result.exception
    assert result.exit_code == 0, result.output
    assert typed.strip() not in result.output


async def _begin(uri: str) -> None:
    tables = Tables(uri)
    admin = await tables.accounts.add_user("admin", UserRole.ADMIN, hash_password(OLD))
    await tables.accounts.add_session("ab" * 32, admin)
    await tables.close()


async def _found(uri: str) -> tuple[User | None, bool, list[str]]:
    tables = Tables(uri)
    user, session, entries = (
        await tables.accounts.user("admin"),
        await tables.accounts.session("ab" * 32),
        await tables.audit.audit(10),
    )
    await tables.close()
    return user, session is not None, [f"{entry.action} {entry.target} {entry.by}" for entry in entries]


def test_the_new_password_opens_the_account_and_its_sessions_end(tmp_path: Path) -> None:
    database = start_database(tmp_path)
    try:
        asyncio.run(_begin(database.uri))
        with pytest.raises(BadInputError, match="12 to 200 characters"):
            _set(database.uri, "admin", "short\n")
        with pytest.raises(BadInputError, match="no account 'anna'"):
            _set(database.uri, "anna", f"{NEW}\n")
        user, has_session, entries = asyncio.run(_found(database.uri))
        assert user is not None and verify_password(OLD, user.password_hash) and has_session and not entries

        _set(database.uri, "admin", f"{NEW}\n")
        user, has_session, entries = asyncio.run(_found(database.uri))
        assert user is not None and verify_password(NEW, user.password_hash)
        assert user.role is UserRole.ADMIN
        assert not verify_password(OLD, user.password_hash)
        assert not has_session
        assert entries == ["user.change admin command line"]
    finally:
        database.close()


async def _add_token(uri: str) -> None:
    tables = Tables(uri)
    admin = await tables.accounts.user("admin")
    assert admin is not None
    await tables.accounts.add_token(Token("robot", UserRole.ADMIN, "cd" * 32, 1.0, None, "admin", admin.id))
    await tables.close()


async def _is_valid(uri: str) -> bool:
    tables = Tables(uri)
    found = await tables.accounts.token("cd" * 32)
    await tables.close()
    return found is not None


def test_its_tokens_end_unless_they_are_to_stay(tmp_path: Path) -> None:
    database = start_database(tmp_path)
    try:
        asyncio.run(_begin(database.uri))
        asyncio.run(_add_token(database.uri))
        _set(database.uri, "admin", f"{NEW}\n", "--keep-tokens")
        assert asyncio.run(_is_valid(database.uri))
        _set(database.uri, "admin", f"{NEW} again\n")
        assert not asyncio.run(_is_valid(database.uri))
    finally:
        database.close()
