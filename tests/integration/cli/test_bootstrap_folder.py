"""`sightline bootstrap --folder`: whole sets of files, once, whatever happens meanwhile."""

import os
import shutil
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import nats
import pytest

from services.cli.bootstrap.folder import FolderSink
from services.cli.bootstrap.material import NATS_USERS, make_secrets
from tests.processes import REPOSITORY, free_port, wait_until

ANEW = "".join(f"{secret.name}: made\n" for secret in make_secrets())
DATABASE = "mongodb-store"


def bootstrap(folder: Path) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "services.cli", "bootstrap", "--folder", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=REPOSITORY)
    return result.returncode, result.stdout, result.stderr


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def assert_is_whole(files: dict[str, str]) -> None:
    assert sorted(files) == sorted(
        f"{secret.name}/{name}" for secret in make_secrets() for name in secret.files
    )
    for service in ("store", "web"):
        assert f":{files[f'mongodb-{service}/password']}@" in files[f"mongodb-{service}/uri"]
    for user in NATS_USERS:
        assert f'"{urlsplit(files[f"nats-{user}/url"]).password}"' in files[f"nats-{user}/auth.conf"]


def test_a_second_run_changes_nothing_and_nobody_says_a_secret(tmp_path: Path) -> None:
    code, output, error = bootstrap(tmp_path)
    made = contents(tmp_path)
    assert (code, output, error) == (0, ANEW, "")
    assert_is_whole(made)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in made} == {0o440}
    code, output, error = bootstrap(tmp_path)
    assert (code, output.count("already there"), error) == (0, len(make_secrets()), "")
    assert contents(tmp_path) == made


def test_four_at_once_make_one_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: time.sleep(0.02))

    def run(_: int) -> list[bool]:
        return [FolderSink(tmp_path).create(secret) for secret in make_secrets()]

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(run, range(4)))
    assert [sum(of_one_secret) for of_one_secret in zip(*made, strict=True)] == [1] * len(make_secrets())
    assert_is_whole(contents(tmp_path))


@pytest.mark.parametrize("written", range(3))
def test_what_a_dead_run_began_is_completed(
    tmp_path: Path, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal and up to all files are there, and the next one is being written."""
    mongodb, other = make_secrets()[1], make_secrets()[1]
    count = 0
    fsync = os.fsync

    def dying(handle: int) -> None:
        nonlocal count
        count += 1
        if count > written:
            raise KeyboardInterrupt
        fsync(handle)

    monkeypatch.setattr("os.fsync", dying)
    with pytest.raises(KeyboardInterrupt):
        FolderSink(tmp_path).create(mongodb)
    monkeypatch.undo()
    assert FolderSink(tmp_path).create(other)
    expected = other if written == 0 else mongodb
    assert contents(tmp_path / DATABASE) == expected.files


def test_an_address_of_the_users_own_stays_alone(tmp_path: Path) -> None:
    (tmp_path / DATABASE).mkdir()
    (tmp_path / DATABASE / "uri").write_text("mongodb://elsewhere/")
    code, output, _ = bootstrap(tmp_path)
    assert code == 0
    assert f"{DATABASE}: already there, left as it is\nmongodb-web: made\n" in output
    assert contents(tmp_path / DATABASE) == {"uri": "mongodb://elsewhere/"}


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    code, output, error = bootstrap(tmp_path / "absent")
    assert (code, output) == (2, "")
    assert error == f"sightline: {tmp_path}/absent is not a folder: make it, or mount it\n"
    (tmp_path / "mongodb").write_text("in the way")
    code, output, error = bootstrap(tmp_path)
    assert (code, output) == (2, "")
    assert error == f"sightline: {tmp_path}/mongodb cannot be written: File exists\n"


async def test_nats_server_takes_the_files_and_the_addresses(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "config").mkdir()
    made = {secret.name: secret for secret in make_secrets()}
    assert all(FolderSink(tmp_path / "secrets").create(secret) for secret in made.values())
    config = shutil.copy(REPOSITORY / "configmaps/nats-users.conf", tmp_path / "config")
    port = free_port()
    program = str(Path(sys.executable).with_name("nats-server"))
    command = [program, "-a", "127.0.0.1", "-p", str(port), "-c", config]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_until(lambda: "Server is ready" in log.read_text(), 10, "nats-server listens")
        for user in NATS_USERS:
            url = made[f"nats-{user}"].files["url"].replace("@nats:4222", f"@127.0.0.1:{port}")
            await (await nats.connect(url, allow_reconnect=False)).close()
            stranger = url.replace(f"//{user}:", "//sightline:")
            with pytest.raises(nats.errors.Error, match="Authorization Violation"):
                await nats.connect(stranger, allow_reconnect=False, error_cb=_ignore)
        with pytest.raises(nats.errors.Error, match="Authorization Violation"):
            await nats.connect(f"nats://127.0.0.1:{port}", allow_reconnect=False, error_cb=_ignore)
    finally:
        process.kill()
        process.wait()


async def _ignore(error: Exception) -> None:
    """The client also tells errors to whoever listens."""
