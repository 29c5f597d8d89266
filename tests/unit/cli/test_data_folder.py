"""The data folder: its log is bounded, and damage is told from other ends."""

import errno
import os
from contextlib import closing
from pathlib import Path

import pytest

from services.cli.data_folder import LONGEST_LOG_BYTES, DataFolder, default_data_folder
from services.core.errors import BadInputError, DatabaseUnavailableError


def test_the_log_of_the_database_begins_anew_when_it_is_too_long(tmp_path: Path) -> None:
    with closing(DataFolder.claim(tmp_path / "data")) as folder:
        with folder.log_path.open("ab") as log:
            log.truncate(LONGEST_LOG_BYTES)
            folder.bound_log()
            assert folder.log_path.stat().st_size == LONGEST_LOG_BYTES
            log.write(b"x")
            log.flush()
            folder.bound_log()
            assert folder.log_path.stat().st_size == 0
            log.write(b"and on\n")
        assert folder.last_log_line() == "and on"


@pytest.mark.parametrize(
    "said",
    [
        "    self._conn = wt.wiredtiger_open(home, config)\nUnicodeDecodeError: 'utf-8' codec",
        "_wiredtiger.WiredTigerError: WT_TRY_SALVAGE: database corruption detected",
        '{"s":"E", "c":"STORAGE", "msg":"WiredTiger error message"}'.replace(", ", ","),
        '{"s":"F","c":"STORAGE","msg":"Fatal assertion"}',
    ],
)
def test_damage_is_told_with_the_folder_and_the_way_out(tmp_path: Path, said: str) -> None:
    with closing(DataFolder.claim(tmp_path / "data")) as folder:
        folder.log_path.write_text(said)
        error = folder.damage_or("it ended")
    assert isinstance(error, BadInputError)
    assert f"files in {tmp_path}/data/database, which seem damaged" in str(error)
    assert "sightline restore FILE" in str(error)


@pytest.mark.parametrize("said", ["", "no luck today", '{"s":"I","c":"STORAGE","msg":"Opening WiredTiger"}'])
def test_another_end_is_told_as_it_is(tmp_path: Path, said: str) -> None:
    with closing(DataFolder.claim(tmp_path / "data")) as folder:
        folder.log_path.write_text(said)
        error = folder.damage_or("it ended")
    assert isinstance(error, DatabaseUnavailableError) and str(error) == "it ended"


@pytest.mark.parametrize("said", ["pwrite: Disk quota exceeded\nWT_PANIC: x", "28: No space left on device"])
def test_a_quota_is_no_damage(tmp_path: Path, said: str) -> None:
    with closing(DataFolder.claim(tmp_path / "data")) as folder:
        folder.log_path.write_text(said)
        assert "is full, or the quota on it is used up: make room" in str(folder.damage_or("it ended"))


@pytest.mark.parametrize("owner", [0, 1000])
def test_a_folder_of_another_account_is_told_with_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: int
) -> None:
    """And nobody is told to run it as root."""

    def refuse(path: Path, *_: int) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr("services.cli.data_folder._owner", lambda _: owner)
    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 10001)
    with pytest.raises(BadInputError) as error:
        DataFolder.claim(tmp_path)
    said = str(error.value)
    assert f"data folder {tmp_path} is not writable by user {owner + 10001}, since it belongs to" in said
    assert f"`chown -R {owner + 10001} FOLDER`" in said
    assert (f"(docker run --user {owner}:{owner})" in said) == (owner != 0)


def test_a_folder_of_ones_own_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: int) -> int:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(BadInputError, match=r"is not writable; give another folder with --data$"):
        DataFolder.claim(tmp_path)


def test_all_commands_take_the_folder_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_DATA", "/data")
    assert default_data_folder() == Path("/data")
    monkeypatch.setenv("SIGHTLINE_DATA", "")
    monkeypatch.setenv("XDG_DATA_HOME", "/elsewhere")
    assert default_data_folder() == Path("/elsewhere/sightline")
