"""Who gets into the embedded database: the owner of the data folder, and no other account of the machine."""

import os
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from services.cli.database_choice import chosen_database
from services.cli.embedded_account import address_of, with_login
from services.cli.embedded_database import RunningDatabase, start_database
from services.core.errors import BadInputError
from tests.database_server import DatabaseServer

REPOSITORY = Path(__file__).resolve().parents[3]
NOBODY = 65534

MONGOD = f"""#!{sys.executable}
import argparse, os, sys
from pathlib import Path
sys.path.insert(0, {str(REPOSITORY)!r})
from services.cli.embedded_program import _SOCKET_LAUNCHER
parser = argparse.ArgumentParser()
for name in ("port", "bind_ip", "filePermissions", "dbpath"):
    parser.add_argument("--" + name)
for name in ("auth", "quiet", "nounixsocket"):
    parser.add_argument("--" + name, action="store_true")
given = parser.parse_args()
program = str(Path(sys.executable).with_name("secantusd-py"))
command = [program, "--storage-path", given.dbpath, "--sync-on-commit", "--log-level", "WARNING"]
if "/" in given.bind_ip:
    assert given.port is None and not given.auth
    launcher = [sys.executable, "-c", _SOCKET_LAUNCHER, str(os.getppid()), given.bind_ip]
    os.execv(sys.executable, [*launcher, *command])
assert given.auth and given.nounixsocket and given.bind_ip == "127.0.0.1"
os.execv(program, [*command, "--auth", "--port", given.port, "--host", given.bind_ip])
"""
"""A program that takes mongod's options, and nothing else."""


@pytest.fixture(params=["SecantusDB", "mongod"])
def kind(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each kind of program; mongod by a stand-in with its options."""
    monkeypatch.delenv("SIGHTLINE_MONGODB_URI", raising=False)
    if request.param == "mongod":
        program = tmp_path / "bin" / "mongod"
        program.parent.mkdir()
        program.write_text(MONGOD)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return str(request.param)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RunningDatabase]:
    with closing(start_database(tmp_path / "data")) as running:
        yield running


def _read(uri: str) -> list[str]:
    client: MongoClient[dict[str, str]]
    with MongoClient(uri, serverSelectionTimeoutMS=5000) as client:
        return [document["name"] for document in client.sightline.cameras.find()]


def _write(uri: str, name: str) -> None:
    with MongoClient(uri, serverSelectionTimeoutMS=5000) as client:
        client.sightline.cameras.insert_one({"name": name})


def test_without_the_password_nothing_is_read_written_or_made(kind: str, database: RunningDatabase) -> None:
    assert database.kind == kind
    _write(database.uri, "gate")
    assert _read(database.uri) == ["gate"]
    for uri in (address_of(database.port), with_login(address_of(database.port), "x" * 43)):
        with pytest.raises(OperationFailure) as refused:
            _read(uri)
        assert refused.value.code in (13, 18)
    with MongoClient(address_of(database.port)) as client:
        for command in (
            {"createUser": "me", "pwd": "x", "roles": ["root"]},
            {"usersInfo": 1},
            {"getLog": "global"},
        ):
            with pytest.raises(OperationFailure) as refused:
                client.admin.command(command)
            assert refused.value.code == 13, command


def test_its_account_may_use_its_database_alone(database: RunningDatabase) -> None:
    with MongoClient(database.uri) as client:
        assert client.sightline.command({"collMod": "meta"})["ok"] == 1
        with pytest.raises(OperationFailure):
            client.other.things.insert_one({})
        with pytest.raises(OperationFailure):
            client.admin.command({"createUser": "me", "pwd": "x", "roles": ["root"]})


def test_files_are_closed_to_other_accounts(database: RunningDatabase) -> None:
    for path in (database.folder, database.folder / "database"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
    for name in ("lock", "database.log", "database/password"):
        assert stat.S_IMODE((database.folder / name).stat().st_mode) == 0o600, name


def test_an_open_folder_is_closed_when_it_holds_nothing_else(tmp_path: Path) -> None:
    for name, files, mode in (("ours", (), 0o700), ("shared", ("holiday.jpg",), 0o755)):
        folder = tmp_path / name
        folder.mkdir()
        folder.chmod(0o755)
        for file in files:
            (folder / file).touch()
        start_database(folder).close()
        assert stat.S_IMODE(folder.stat().st_mode) == mode
        assert stat.S_IMODE((folder / "database").stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform != "linux", reason="not Linux")
def test_another_account_of_this_machine_gets_nothing(database: RunningDatabase) -> None:
    if os.geteuid() != 0:
        pytest.skip("files of another group need root: this account cannot become another")
    code = (
        "import os, sys; from pathlib import Path\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        print('read', Path(path).read_bytes()[:20])\n"
        "    except OSError as error:\n"
        "        print(type(error).__name__)\n"
    )
    for parent in (database.folder.parent, *database.folder.parents):
        if "pytest" in parent.name:
            parent.chmod(0o755)
    paths = [str(database.folder / name) for name in ("database/password", "lock", "database.log")]
    told = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["PermissionError"] * 3


class _Listeners(threading.Thread):
    """Looks all the time which new children of this process listen on the network, and with what options."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.commands: set[tuple[str, ...]] = set()
        self.open: list[tuple[str, ...]] = []
        self.done = threading.Event()
        self._others = set(psutil.Process().children(recursive=True))
        """Such as a database that other tests share."""

    def run(self) -> None:
        while not self.done.is_set():
            for child in set(psutil.Process().children(recursive=True)) - self._others:
                try:
                    command = tuple(child.cmdline())
                    self.commands.add(command)
                    if child.net_connections("inet") and "--auth" not in command:
                        self.open.append(command)
                except psutil.Error:
                    continue
            time.sleep(0.005)


def test_nobody_can_reach_it_while_its_account_is_made_and_no_command_line_holds_the_password(
    kind: str, tmp_path: Path
) -> None:
    listeners = _Listeners()
    listeners.start()
    with closing(start_database(tmp_path / "data")) as database:
        listeners.done.set()
        listeners.join()
        password = (database.folder / "database" / "password").read_text().strip()
        assert listeners.open == []
        setups = [
            command for command in listeners.commands if any("database.sock" in part for part in command)
        ]
        assert setups, "the making of the account was seen"
        told = [" ".join(command) for command in listeners.commands]
        told += [(database.folder / name).read_text() for name in ("lock", "database.log")]
        told.append(repr(database))
        assert password and not [text for text in told if password in text]
        sockets = [Path(part) for command in setups for part in command if part.endswith("database.sock")]
        assert not [path for path in sockets if path.parent.exists()], "nothing is left of it"


def test_what_was_there_without_a_password_is_taken_along_and_strange_accounts_are_not(
    tmp_path: Path,
) -> None:
    old = DatabaseServer(tmp_path / "data" / "database" / "secantus")
    old.start()
    _write(old.uri, "gate")
    with MongoClient(old.uri) as client:
        for name in ("admin", "sightline", "elsewhere"):
            client[name].command(
                {"createUser": "me", "pwd": "x" * 43, "roles": [{"role": "root", "db": "admin"}]}
            )
    old.end()
    with closing(start_database(tmp_path / "data")) as database:
        assert _read(database.uri) == ["gate"]
        for name in ("admin", "sightline", "elsewhere"):
            strange = f"mongodb://me:{'x' * 43}@127.0.0.1:{database.port}/?authSource={name}"
            with pytest.raises(OperationFailure, match="uthentication failed"):
                _read(strange)


def test_a_lost_password_is_made_anew_and_the_data_stays(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "data" / "database" / "password"
    with closing(start_database(tmp_path / "data")) as database:
        _write(database.uri, "gate")
        first = database.uri
    passwords = {file.read_text()}
    for spoil in (file.unlink, lambda: file.chmod(0o644)):
        spoil()
        with closing(start_database(tmp_path / "data")) as database:
            assert _read(database.uri) == ["gate"]
            passwords.add(file.read_text())
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            with pytest.raises(PyMongoError):
                _read(first.replace(first.partition("127.0.0.1:")[2].partition("/")[0], str(database.port)))
    assert len(passwords) == 3


def test_a_wrong_password_is_told_with_the_way_out(kind: str, tmp_path: Path) -> None:
    start_database(tmp_path / "data").close()
    file = tmp_path / "data" / "database" / "password"
    right = file.read_text()
    file.write_text("y" * 43)
    with pytest.raises(
        BadInputError, match=r"refuses the password in .*: one of the two .*; put the right file back"
    ):
        start_database(tmp_path / "data")
    file.write_text(right)
    start_database(tmp_path / "data").close()


def test_other_commands_find_the_running_database_with_its_password(
    database: RunningDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGHTLINE_MONGODB_URI", raising=False)
    _write(database.uri, "gate")
    assert database.uri not in (database.folder / "lock").read_text()
    with chosen_database(database.folder, None, may_be_running=True) as uri:
        assert _read(uri) == ["gate"]


def test_a_password_that_was_lost_while_the_database_runs_is_told_with_the_way_out(
    database: RunningDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGHTLINE_MONGODB_URI", raising=False)
    file = database.folder / "database" / "password"
    file.write_text("y" * 43)
    with pytest.raises(BadInputError, match=r"refuses the password in .*; put the right file back"):
        chosen_database(database.folder, None, may_be_running=True).__enter__()
    file.unlink()
    with pytest.raises(BadInputError, match=r"there is no .*/password .*: put it back, or end Sightline"):
        chosen_database(database.folder, None, may_be_running=True).__enter__()


def test_a_stranger_who_takes_the_port_learns_no_password(tmp_path: Path) -> None:
    """SCRAM lets the server prove itself: who listens at the port of a dead database sees no password."""
    heard = bytearray()
    with closing(start_database(tmp_path / "data")) as database:
        password = (database.folder / "database" / "password").read_text().strip()
        uri, port = database.uri, database.port
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(5)

        def listen() -> None:
            with listener.accept()[0] as connection:
                connection.settimeout(2)
                with suppress(TimeoutError):
                    heard.extend(connection.recv(65_536))

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        with pytest.raises(PyMongoError), MongoClient(uri, serverSelectionTimeoutMS=1000) as client:
            client.sightline.cameras.find_one()
        thread.join(10)
    assert heard and password.encode() not in heard
