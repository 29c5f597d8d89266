"""The embedded database with its real process: kept data, restarts, one owner, clear refusals."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from services.cli.database_choice import chosen_database
from services.cli.embedded_database import RunningDatabase, start_database
from services.core.errors import BadInputError, DatabaseUnavailableError, DiskFullError

REPOSITORY = Path(__file__).resolve().parents[3]
NOBODY = 65534


def _write(uri: str, number: int) -> None:
    with MongoClient(uri, serverSelectionTimeoutMS=5000) as client:
        durable = client.sightline.get_collection("things", write_concern=WriteConcern("majority", j=True))
        durable.insert_one({"_id": number})


def _numbers(uri: str) -> list[int]:
    with MongoClient(uri, serverSelectionTimeoutMS=5000) as client:
        return sorted(document["_id"] for document in client.sightline.things.find({"_id": {"$gte": 0}}))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[RunningDatabase]:
    running = start_database(tmp_path)
    yield running
    running.close()


def test_data_lasts_from_one_start_to_the_next(tmp_path: Path) -> None:
    for number in range(2):
        database = start_database(tmp_path)
        try:
            _write(database.uri, number)
            assert _numbers(database.uri) == list(range(number + 1))
        finally:
            database.close()
    with pytest.raises(ProcessLookupError):
        os.kill(database.pid, 0)


async def test_a_killed_database_is_started_again_with_its_data(database: RunningDatabase) -> None:
    _write(database.uri, 1)
    first = database.pid
    watching = asyncio.create_task(database.watch())
    os.kill(first, signal.SIGKILL)
    for _ in range(100):
        await asyncio.sleep(0.1)
        if database.restarts and database.pid != first:
            break
    assert await asyncio.to_thread(_wait_for_numbers, database.uri) == [1]
    await asyncio.to_thread(_write, database.uri, 2)
    watching.cancel()
    assert _numbers(database.uri) == [1, 2]


def _wait_for_numbers(uri: str) -> list[int]:
    deadline_s = time.monotonic() + 20
    while True:
        try:
            return _numbers(uri)
        except PyMongoError:
            if time.monotonic() > deadline_s:
                raise


def test_a_folder_has_one_owner_at_a_time(database: RunningDatabase, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=f"in use by another Sightline .process {os.getpid()}"):
        start_database(tmp_path)
    assert _numbers(database.uri) == []


@pytest.mark.skipif(sys.platform != "linux", reason="not Linux")
def test_the_database_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from services.cli.embedded_database import start_database\n"
        f"print(start_database(Path({str(tmp_path)!r})).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    for _ in range(50):
        if not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes():
            break
        time.sleep(0.1)
    else:
        pytest.fail("the database outlived its parent")
    start_database(tmp_path).close()


def test_a_folder_that_is_not_writable(tmp_path: Path) -> None:
    """As an ordinary user, which root becomes for this."""
    folder = tmp_path / "readonly"
    folder.mkdir()
    folder.chmod(0o555)
    for parent in (tmp_path, *tmp_path.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/") and "pytest" in parent.name:
            parent.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from services.cli.data_folder import DataFolder\n"
        "from services.core.errors import BadInputError\n"
        f"os.geteuid() == 0 and os.setuid({NOBODY})\n"
        "try:\n"
        "    DataFolder.claim(Path(sys.argv[1]) / sys.argv[2])\n"
        "except BadInputError as error:\n"
        "    print(error)\n"
    )
    for inner in (".", "deeper"):
        command = [sys.executable, "-c", code, str(folder), inner]
        output = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        assert "is not writable; give another folder with --data" in output.stdout, output.stderr
        assert str(folder) in output.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    if os.geteuid() != 0 or sys.platform != "linux":
        pytest.skip("not root: cannot mount a small disk")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("not root: cannot mount a small disk (refused)")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    with pytest.raises(BadInputError, match="the disk is full"):
        start_database(small_disk)
    (small_disk / "filler").write_bytes(b"x" * (1024 * 1024 - 8192))
    with pytest.raises(BadInputError, match="the disk is full"):
        start_database(small_disk / "new" / "folder")


def test_a_command_whose_database_fails_on_a_full_disk_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises(DiskFullError, match=r"the disk of .* is full \(0 MB free\): make room, and run this"),
        chosen_database(tmp_path, None, may_be_running=False),
    ):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        raise DatabaseUnavailableError("internal server error")
    monkeypatch.undo()
    with (
        pytest.raises(DatabaseUnavailableError, match="internal server error"),
        chosen_database(tmp_path, None, may_be_running=False),
    ):
        raise DatabaseUnavailableError("internal server error")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInputError, match="not a folder"):
        start_database(tmp_path / "file")


def test_a_folder_that_refuses_what_the_database_needs_is_told_in_one_line(tmp_path: Path) -> None:
    storage = tmp_path / "database" / ("mongod" if shutil.which("mongod") else "secantus")
    storage.parent.mkdir()
    storage.write_text("")
    with pytest.raises(BadInputError, match=f"data folder {tmp_path} cannot be used: File exists"):
        start_database(tmp_path)
    storage.unlink()
    start_database(tmp_path).close()


def test_data_of_another_program_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "database" / "mongod").mkdir(parents=True)
    (tmp_path / "database" / "mongod" / "storage.bson").write_bytes(b"x")
    with pytest.raises(BadInputError, match="needs mongod"):
        start_database(tmp_path)


def test_a_database_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / "mongod"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho no luck today\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:{os.environ['PATH']}")
    with pytest.raises(Exception, match="no luck today"):
        start_database(tmp_path / "data")
