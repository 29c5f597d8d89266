"""A restore that is killed at any point: nobody works with what is left of it, until it is done again."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from services.common.access.accounts import UserRole
from services.common.database.schema import LASTING
from services.core.errors import HalfRestoredError
from tests.makers import camera, crossing, line, recent_minute_s, seconds
from tests.processes import REPOSITORY, free_port
from tests.tables import Tables

CODE = """
import os, signal, sys
from pymongo.asynchronous.collection import AsyncCollection
from services.cli.main import main
from services.common.database.schema import Schema
from services.common.database.transfer import Restore

point = sys.argv.pop(1)
left = [5 if point == "while it deletes" else 3]

def dying(owner, name):
    right = getattr(owner, name)
    async def wrapped(*arguments, **options):
        left[0] -= 1
        if point not in ("while it deletes", "while it writes") or left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return await right(*arguments, **options)
    setattr(owner, name, wrapped)

dying(*{
    "before the first deletion": (Restore, "clear"),
    "while it deletes": (AsyncCollection, "drop"),
    "after the last deletion": (Schema, "prepare"),
    "while it writes": (Restore, "_replace"),
    "after the last document": (Restore, "end_restore"),
}[point])
main()
"""
POINTS = (
    "before the first deletion",
    "while it deletes",
    "after the last deletion",
    "while it writes",
    "after the last document",
)
REFUSED = "holds a part of a backup: a restore that began at"


def _sightline(*arguments: str | Path, uri: str = "", code: str = "") -> subprocess.CompletedProcess[str]:
    variables = {key: value for key, value in os.environ.items() if not key.startswith("SIGHTLINE_")}
    if uri:
        variables["SIGHTLINE_MONGODB_URI"] = uri
    program = ["-c", code] if code else ["-m", "services.cli"]
    command = [sys.executable, *program, *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, env=variables, capture_output=True, text=True, timeout=120)


@pytest.fixture
def uri(database_uri: str) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    address, _, options = database_uri.partition("?")
    yield f"{address}{name}?{options}"
    with MongoClient(database_uri) as client:
        client.drop_database(name)


async def _fill(uri: str, start_s: float) -> None:
    tables = Tables(uri)
    await tables.prepare()
    await tables.setups.add_camera(camera())
    await tables.setups.add_line("gate", line())
    await tables.accounts.add_user("anna", UserRole.ADMIN, "$argon2id$test")
    await tables.events.insert_events(
        [*(crossing(n, start_s + n) for n in range(50)), *seconds(start_s, 60)],
    )
    await tables.close()


def _everything(uri: str) -> dict[str, dict[str, Any]]:
    with MongoClient(uri) as client:
        database = client.get_default_database("sightline")
        return {name: {str(item["_id"]): item for item in database[name].find()} for name in LASTING}


async def _is_closed_to_others(uri: str, start_s: float) -> None:
    """Nothing is written, and readiness says why."""
    tables = Tables(uri)
    with pytest.raises(HalfRestoredError, match=REFUSED):
        await tables.prepare()
    with pytest.raises(HalfRestoredError):
        await tables.events.insert_events([crossing(99, start_s)])
    with pytest.raises(HalfRestoredError):
        await tables.accounts.add_user("admin", UserRole.ADMIN, "$argon2id$test")
    with pytest.raises(HalfRestoredError):
        await tables.probe.check()
    trouble = tables.probe.trouble
    assert trouble is not None and "run `sightline restore FILE --replace` again" in trouble.text
    await tables.close()


@pytest.mark.parametrize("point", POINTS)
def test_it_is_refused_until_it_is_done_again(uri: str, tmp_path: Path, point: str) -> None:
    start_s, file = recent_minute_s(), tmp_path / "all.backup"
    asyncio.run(_fill(uri, start_s))
    assert _sightline("backup", file, uri=uri).returncode == 0
    documents = _everything(uri)

    killed = _sightline(point, "restore", file, "--replace", uri=uri, code=CODE)
    assert killed.returncode == -9, killed.stderr
    left = _everything(uri)
    asyncio.run(_is_closed_to_others(uri, start_s))
    assert _everything(uri) == left, "nothing was written into it"
    up = _sightline("up", "--data", tmp_path / "data", "--port", str(free_port()), uri=uri)
    assert up.returncode == 2 and REFUSED in up.stderr and "restore FILE --replace" in up.stderr
    copied = _sightline("backup", tmp_path / "half.backup", uri=uri)
    assert copied.returncode != 0 and REFUSED in copied.stderr
    assert not (tmp_path / "half.backup").exists(), "a half is no backup"

    assert _sightline("restore", file, "--replace", uri=uri).returncode == 0
    restored = _everything(uri)
    (noted,) = (entry for id, entry in restored["audit"].items() if id not in documents["audit"])
    assert noted["action"] == "restore"
    assert {**restored, "audit": documents["audit"]} == documents
    asyncio.run(_works(uri, start_s))


async def _works(uri: str, start_s: float) -> None:
    tables = Tables(uri)
    await tables.prepare()
    await tables.events.insert_events([crossing(99, start_s)])
    await tables.probe.check()
    assert tables.probe.trouble is None
    await tables.close()


def test_the_data_folder_of_up_is_refused_too(uri: str, tmp_path: Path) -> None:
    file, data = tmp_path / "all.backup", tmp_path / "data"
    asyncio.run(_fill(uri, recent_minute_s()))
    assert _sightline("backup", file, uri=uri).returncode == 0
    assert _sightline("while it writes", "restore", file, "--data", data, code=CODE).returncode == -9
    up = _sightline("up", "--data", data, "--port", str(free_port()))
    assert up.returncode == 2 and REFUSED in up.stderr
    assert _sightline("restore", file, "--data", data, "--replace").returncode == 0
    assert _sightline("backup", tmp_path / "again.backup", "--data", data).returncode == 0
