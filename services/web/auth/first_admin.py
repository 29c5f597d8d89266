"""The first account: without it nobody could log in to make one."""

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from services.common.access.accounts import UserRole
from services.common.access.passwords import check_new_password, hash_password
from services.common.database.accounts import Accounts
from services.common.files import read_text
from services.core.errors import BadInputError, ConflictError, DatabaseUnavailableError

log = logging.getLogger(__name__)

ADMIN = "admin"
PASSWORD_VARIABLE = "SIGHTLINE_ADMIN_PASSWORD"
PASSWORD_FILE_VARIABLE = f"{PASSWORD_VARIABLE}_FILE"
PASSWORD_FILE = "admin-password"
RETRY_S = 1.0


async def ensure_first_admin(
    accounts: Accounts,
    folder: Path | None,
    environment: Mapping[str, str] = os.environ,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Make the account `admin` where there is no user at all; waits for the database.

    Its password comes from the environment, or is generated into a file of `folder` that only its owner
    can read. BadInputError says what to set when there is neither.
    """
    is_logged = False
    while True:
        try:
            if not await accounts.users():
                await _make(accounts, folder, environment)
            return
        except DatabaseUnavailableError as error:
            if not is_logged:
                log.warning("the first account waits for the database: %s", error)
            is_logged = True
        await sleep(RETRY_S)


async def _make(accounts: Accounts, folder: Path | None, environment: Mapping[str, str]) -> None:
    password, source = _given(environment) or _generated(folder)
    password_hash = await asyncio.to_thread(hash_password, password)
    try:
        await accounts.add_user(ADMIN, UserRole.ADMIN, password_hash)
    except ConflictError:
        return  # another replica was faster, with the same secret
    log.info("the first account is %r, its password is in %s", ADMIN, source)


def _given(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Give the password of the environment and where it stands."""
    password, name = environment.get(PASSWORD_VARIABLE), environment.get(PASSWORD_FILE_VARIABLE)
    if password:
        return _checked(password, PASSWORD_VARIABLE), PASSWORD_VARIABLE
    if not name:
        return None
    try:
        text = read_text(name)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInputError(f"{PASSWORD_FILE_VARIABLE}: {name} cannot be read: {reason}") from None
    return _checked(text.rstrip("\r\n"), name), name


def _checked(password: str, source: str) -> str:
    try:
        return check_new_password(password)
    except BadInputError as error:
        raise BadInputError(f"{source}: {error}") from None


def _generated(folder: Path | None) -> tuple[str, str]:
    """Give the password of the file, which is written before the account exists.

    Should the process end in between, the file is there the next time, and nobody is locked out.
    """
    if folder is None:
        raise BadInputError(
            f"there is no account yet to log in with: set {PASSWORD_VARIABLE}, or "
            f"{PASSWORD_FILE_VARIABLE} to a file with the password of the first one"
        )
    path = folder / PASSWORD_FILE
    try:
        if not path.exists():
            _write(path, secrets.token_urlsafe(24))
        path.chmod(0o600)
        return _checked(path.read_text(encoding="utf-8").strip(), str(path)), str(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise BadInputError(f"the first password cannot be kept in {path}: {reason}") from None


def _write(path: Path, password: str) -> None:
    """Write the file whole or not at all; of two writers the first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(password + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
