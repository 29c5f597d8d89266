"""The data folder: its log is bounded, and damage is told from other ends."""

from contextlib import closing
from pathlib import Path

import pytest

from services.cli.data_folder import LONGEST_LOG_BYTES, DataFolder
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
