"""Command lines of the database programs: who is let in where, and nothing secret."""

import sys
from pathlib import Path

import pytest

from services.cli.embedded_account import address_of, read_password, secret_password, with_login
from services.cli.embedded_program import Program
from services.common.database.link import DatabaseLink
from services.core.errors import BadInputError

MONGOD = Path("/usr/bin/mongod")
GOOD = "a" * 43


def test_mongod_at_work_listens_on_loopback_alone_and_wants_a_login(tmp_path: Path) -> None:
    command = Program("mongod", MONGOD, tmp_path).command(27099)
    assert command == [
        "/usr/bin/mongod",
        *("--port", "27099"),
        *("--bind_ip", "127.0.0.1"),
        "--nounixsocket",
        "--auth",
        *("--dbpath", str(tmp_path)),
        "--quiet",
    ]


def test_mongod_has_no_port_and_no_login_while_its_account_is_made(tmp_path: Path) -> None:
    command = Program("mongod", MONGOD, tmp_path).setup_command(Path("/tmp/private/database.sock"))
    assert command == [
        "/usr/bin/mongod",
        *("--bind_ip", "/tmp/private/database.sock"),
        *("--filePermissions", "0600"),
        *("--dbpath", str(tmp_path)),
        "--quiet",
    ]


def test_secantus_wants_a_login_at_work_and_syncs_each_commit(tmp_path: Path) -> None:
    program = Program("SecantusDB", Path(sys.executable).with_name("secantusd-py"), tmp_path)
    command = program.command(27099)
    assert command[1:6] == ["--port", "27099", "--host", "127.0.0.1", "--auth"]
    assert "--sync-on-commit" in command and "--sync-on-commit" in program.setup_command(tmp_path / "s")
    assert "--auth" not in program.setup_command(tmp_path / "s")


def test_the_address_with_a_login_shows_no_password_where_it_is_told() -> None:
    uri = with_login(address_of(27099), GOOD)
    assert uri == (
        f"mongodb://sightline:{GOOD}@127.0.0.1:27099/"
        "?directConnection=true&authSource=admin&authMechanism=SCRAM-SHA-256&tls=false"
    )
    assert DatabaseLink(uri).address == "127.0.0.1:27099"


def test_the_certificates_of_a_cluster_are_not_asked_of_the_embedded_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGHTLINE_CLUSTER_CA_FILE", "/nowhere/ca.crt")
    assert DatabaseLink(with_login(address_of(27099), GOOD)).address == "127.0.0.1:27099"
    with pytest.raises(BadInputError, match="SIGHTLINE_CLUSTER_CA_FILE: /nowhere"):
        DatabaseLink("mongodb://127.0.0.1:27099/")


def test_a_password_that_nobody_else_could_read_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "password"
    assert read_password(file) is None
    file.write_text(f"{GOOD}\n")
    file.chmod(0o600)
    assert read_password(file) == secret_password(file) == GOOD


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_password_that_others_could_read_is_not_used_any_more(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text(GOOD)
    file.chmod(mode)
    assert secret_password(file) is None
    assert read_password(file) == GOOD, "a database that runs has it still"


@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"with a space in it ......", b"\xff\xfe" * 20])
def test_a_file_without_a_password_is_told_with_the_way_out(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(BadInputError, match="holds no password of the database: put the right file back, or"):
        read_password(file)
