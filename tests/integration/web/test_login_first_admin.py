"""The first account, made once, with a password that is told by a file or a secret alone."""

import asyncio
import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.common.access.passwords import verify_password
from services.core.errors import BadInputError
from services.web.auth.first_admin import ensure_first_admin
from tests.database_server import DatabaseServer
from tests.processes import REPOSITORY, free_port, wait_until
from tests.tables import Tables

SECRET = "the secret of the cluster"


async def _has_admin_with(tables: Tables, password: str) -> bool:
    (user,) = await tables.accounts.users()
    return (user.name, user.role) == ("admin", "admin") and verify_password(password, user.password_hash)


async def test_the_password_is_generated_into_a_file_of_its_owner(
    tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    folder = tmp_path / "data"
    await ensure_first_admin(tables.accounts, folder, {})
    path = folder / "admin-password"
    password = path.read_text().strip()
    assert len(password) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in folder.iterdir()] == ["admin-password"]
    assert await _has_admin_with(tables, password)
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert str(path) in told and password not in told
    await ensure_first_admin(tables.accounts, folder, {"SIGHTLINE_ADMIN_PASSWORD": SECRET})
    assert await _has_admin_with(tables, password), "made once"


async def test_a_file_that_is_there_already_is_used(tables: Tables, tmp_path: Path) -> None:
    path = tmp_path / "admin-password"
    path.write_text("from before the crash\n")
    path.chmod(0o644)
    await ensure_first_admin(tables.accounts, tmp_path, {})
    assert await _has_admin_with(tables, "from before the crash")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("by_file", [False, True])
async def test_the_password_of_the_environment(
    tables: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture, by_file: bool
) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n")
    given = {"SIGHTLINE_ADMIN_PASSWORD_FILE": str(file)} if by_file else {"SIGHTLINE_ADMIN_PASSWORD": SECRET}
    await asyncio.gather(*(ensure_first_admin(tables.accounts, None, given) for _ in range(4)))
    assert await _has_admin_with(tables, SECRET)
    assert SECRET not in "\n".join(record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "set SIGHTLINE_ADMIN_PASSWORD, or SIGHTLINE_ADMIN_PASSWORD_FILE"),
        ({"SIGHTLINE_ADMIN_PASSWORD": "sh0rt"}, "SIGHTLINE_ADMIN_PASSWORD: a password has 12 to 200"),
        ({"SIGHTLINE_ADMIN_PASSWORD_FILE": "/absent"}, "/absent cannot be read: No such file"),
    ],
)
async def test_what_to_set_is_said(tables: Tables, environment: dict[str, str], said: str) -> None:
    with pytest.raises(BadInputError) as error:
        await ensure_first_admin(tables.accounts, None, environment)
    assert said in str(error.value) and "sh0rt" not in str(error.value)
    assert await tables.accounts.users() == []


async def test_it_waits_for_the_database(own_server: DatabaseServer) -> None:
    own_server.kill()
    tables = Tables(own_server.uri)
    making = asyncio.create_task(
        ensure_first_admin(tables.accounts, None, {"SIGHTLINE_ADMIN_PASSWORD": SECRET})
    )
    await asyncio.sleep(0.3)
    assert not making.done()
    await asyncio.to_thread(own_server.start)
    await asyncio.wait_for(making, 30)
    assert await _has_admin_with(tables, SECRET)
    await tables.close()


def test_up_on_an_open_address_wants_a_login(tmp_path: Path) -> None:
    data, log, port = tmp_path / "data", tmp_path / "log", free_port()
    command = [sys.executable, "-m", "services.cli", "up", "--host", "0.0.0.0", "--port", str(port)]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--data", str(data)], stdout=output, stderr=output, env=variables, cwd=REPOSITORY
        )
    url = f"http://127.0.0.1:{port}/api/v1"
    try:
        wait_until(lambda: _answers(url), 60, f"it answers; its log: {log.read_text()}")
        password = (data / "admin-password").read_text().strip()
        with httpx.Client(base_url=url) as client:
            assert client.get("/cameras").status_code == 401
            assert client.post("/session", json={"user": "admin", "password": password}).status_code == 200
            assert client.get("/cameras").status_code == 200
        assert password not in log.read_text() and str(data / "admin-password") in log.read_text()
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/session").status_code == 200
    except httpx.TransportError:
        return False
