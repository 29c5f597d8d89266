"""The one account of the embedded database, and the file with its password.

The password is made here, and stands in a file that only the owner of the data folder can read; it is never
part of a command line, of a log or of the announced address. Whoever can read the database's own files could
change it, and nobody else can: without the file a new password is made at the next start.
"""

import logging
import os
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from services.cli.data_folder import DataFolder
from services.cli.embedded_program import Program, end_process
from services.common.connections.addresses import host_and_port, loopback
from services.common.database.link import DATABASE_NAME, LOGIN_REFUSED, NOT_ALLOWED
from services.common.database.probe import PROBE_ID
from services.common.database.schema import META
from services.common.files import replacing
from services.core.errors import BadInputError, DatabaseUnavailableError

log = logging.getLogger(__name__)

USER, USERS_DATABASE = "sightline", "admin"
ROLES = [{"role": role, "db": DATABASE_NAME} for role in ("readWrite", "dbAdmin")]
"""Records, and the spans of expiring indexes; no other database, no other account, no setting."""

SETUP_DEADLINE_S = 60.0
_PASSWORD = re.compile(r"[A-Za-z0-9_-]{20,200}")
_LONGEST_FILE = 1000


def address_of(port: int) -> str:
    """Give the database's address without a login."""
    return f"mongodb://{host_and_port(loopback(), port)}/?directConnection=true"


def with_login(address: str, password: str) -> str:
    """Give an address with the login of the one account; TLS is that of a cluster, and stays out of this."""
    login = f"{USER}:{quote(password, safe='')}"
    mechanism = f"authSource={USERS_DATABASE}&authMechanism=SCRAM-SHA-256&tls=false"
    return f"{address.replace('://', f'://{login}@', 1)}&{mechanism}"


def read_password(path: Path) -> str | None:
    """Give the password; None where none is kept. BadInputError when the file cannot be used."""
    try:
        with path.open(encoding="ascii") as file:
            password = file.read(_LONGEST_FILE).strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        password = ""
    except OSError as error:
        raise BadInputError(
            f"the password of the database in {path} cannot be read: {error.strerror}; "
            "run this as the account that runs `sightline up`"
        ) from None
    if not _PASSWORD.fullmatch(password):
        raise BadInputError(f"{path} holds no password of the database: {_WAY_OUT}")
    return password


def secret_password(path: Path) -> str | None:
    """Give the password; None where none is kept, or where others could have read it: make a new one then."""
    password = read_password(path)
    if password is not None and stat.S_IMODE(path.stat().st_mode) & 0o077:
        log.warning("others could read %s: the database gets a new password", path)
        return None
    return password


_WAY_OUT = "put the right file back, or remove it, and a new password is made at the next start"


def wrong_password(path: Path) -> BadInputError:
    """Give the error of a file whose password the database refuses."""
    return BadInputError(
        f"the database refuses the password in {path}: one of the two was exchanged or damaged; {_WAY_OUT}"
    )


def check_login(address: str, path: Path) -> None:
    """BadInputError when a running database refuses what the password's file holds, or that there is none."""
    client: MongoClient[dict[str, object]]
    with MongoClient(address, serverSelectionTimeoutMS=2000, socketTimeoutMS=10_000) as client:
        try:
            client[DATABASE_NAME][META].find_one({"_id": PROBE_ID})
        except OperationFailure as error:
            if error.code in (LOGIN_REFUSED, NOT_ALLOWED):
                raise (wrong_password(path) if path.exists() else _no_password(path)) from None
        except PyMongoError:
            return  # Whoever works with it reports that better.


def _no_password(path: Path) -> BadInputError:
    return BadInputError(
        f"there is no {path} with the password of the running database: put it back, or end Sightline and "
        "start it again, which makes a new one"
    )


def make_account(program: Program, folder: DataFolder) -> str:
    """Make the account, or give it a new password, and keep the password; any other account is removed.

    The file is there only when the database knows its password. What the database holds stays.
    DatabaseUnavailableError when the database does not answer.
    """
    password = secrets.token_urlsafe(32)
    path = folder.password_path
    try:
        with replacing(path, unfinished=path.with_suffix(".new")) as draft:
            draft.write_text(f"{password}\n", encoding="ascii")
            _at_private_socket(program, folder, password)
    except OSError as error:
        place = error.filename or folder.password_path
        raise BadInputError(
            f"the database's account cannot be made: {place} cannot be written: {error.strerror}"
        ) from None
    log.info("the database has a new password, which is in %s", folder.password_path)
    return password


def _at_private_socket(program: Program, folder: DataFolder, password: str) -> None:
    """Let the database listen where only this account can go, and make the account there."""
    # A path of its own: that of the data folder may be longer than a socket's may be.
    private = Path(tempfile.mkdtemp(prefix="sightline-", dir="/tmp" if os.access("/tmp", os.W_OK) else None))
    process = None
    try:
        address = private / "database.sock"
        process = program.start_setup(address, folder)
        _make_user(process, address, folder, password)
    finally:
        if process is not None:
            end_process(process)
        shutil.rmtree(private, ignore_errors=True)


def _make_user(process: subprocess.Popen[bytes], address: Path, folder: DataFolder, password: str) -> None:
    deadline_s = time.monotonic() + SETUP_DEADLINE_S
    uri = f"mongodb://{quote(str(address), safe='')}/?directConnection=true"
    client: MongoClient[dict[str, object]]
    with MongoClient(uri, serverSelectionTimeoutMS=500, socketTimeoutMS=20_000) as client:
        while True:
            try:
                return _set_password(client, password)
            except PyMongoError as error:
                if process.poll() is not None:
                    raise folder.damage_or(
                        f"the database ended while its account was made: {folder.last_log_line()}"
                    ) from None
                if time.monotonic() > deadline_s:
                    # The text of the error could hold the command, which holds the password.
                    raise DatabaseUnavailableError(
                        f"the database's account could not be made ({type(error).__name__}); "
                        f"{folder.log_path} may say why"
                    ) from None
                time.sleep(0.05)


def _set_password(client: MongoClient[dict[str, object]], password: str) -> None:
    users = client[USERS_DATABASE]
    is_there = False
    for user in list(users["system.users"].find({}, {"user": 1, "db": 1})):
        if (user["user"], user["db"]) == (USER, USERS_DATABASE):
            is_there = True
        else:
            client[str(user["db"])].command({"dropUser": user["user"]})
    change = "updateUser" if is_there else "createUser"
    users.command({change: USER, "pwd": password, "roles": ROLES, "mechanisms": ["SCRAM-SHA-256"]})
