"""When the embedded database is started again, when not, and what is told, with one that is made up."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.cli.data_folder import MINIMUM_FREE_BYTES
from services.cli.embedded_database import RunningDatabase
from services.cli.embedded_watchdog import (
    FAILS_LIMIT_S,
    GIVEN_UP_S,
    HANGS_LIMIT_S,
    MOST_STARTS,
    STABLE_LIFE_S,
    DatabaseWatchdog,
    FailingSpan,
    Restarts,
)
from services.core.errors import DatabaseUnavailableError, HalfRestoredError
from services.core.sentences.sentence import Sentence, sentence

ROOM = 10 * MINIMUM_FREE_BYTES


@dataclass
class MadeUp:
    """A database whose life is in the hands of the test; it also is the clock and the probe."""

    now_s: float = 1000.0
    uri: str = "mongodb://127.0.0.1:1/"
    exit_code: int | None = None
    is_closing: bool = False
    free_bytes: int = ROOM
    folder: Path = Path("/data")
    works: bool = True
    hangs: bool = False
    can_start: bool = True
    bounds: int = 0
    is_half: bool = False
    starts: list[float] = field(default_factory=list)

    def bound_log(self) -> None:
        self.bounds += 1

    def damaged(self) -> Sentence:
        return sentence("database-damaged", folder="/data/database", reason="WT_ERROR", log="database.log")

    def end(self) -> None:
        self.exit_code = self.exit_code or 0

    def begin(self) -> None:
        self.starts.append(self.now_s)
        self.exit_code, self.works = None, self.can_start

    def wait_until_ready(self) -> None:
        if not self.can_start:
            raise DatabaseUnavailableError("the database ended at its start: WT_ERROR")

    async def check(self) -> None:
        if self.is_half:
            raise HalfRestoredError("a restore has not ended")
        if not self.works:
            raise DatabaseUnavailableError("the database at 127.0.0.1:1 failed: internal server error")

    def leave_space_to_others(self) -> None:
        return None


async def _watch(
    database: MadeUp, until: Callable[[DatabaseWatchdog], object], monkeypatch: pytest.MonkeyPatch
) -> DatabaseWatchdog:
    """Let the watchdog run in made-up time until something holds."""
    real = asyncio.sleep

    async def sleep(wait_s: float) -> None:
        database.now_s += wait_s
        await real(0)

    monkeypatch.setattr("services.cli.embedded_watchdog.asyncio.sleep", sleep)
    watchdog = DatabaseWatchdog(database, lambda: database.now_s)
    task = asyncio.create_task(watchdog._watch(database))  # type: ignore[arg-type]
    try:
        for _ in range(50_000):
            await real(0)
            if until(watchdog):
                return watchdog
        raise AssertionError(f"it did not come to that: {watchdog}")
    finally:
        task.cancel()


async def test_one_that_answers_with_errors_only_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    database = MadeUp(works=False)
    watchdog = await _watch(database, lambda dog: database.starts and dog.trouble is None, monkeypatch)
    assert FAILS_LIMIT_S <= database.starts[0] - 1000 <= FAILS_LIMIT_S + 10
    assert (len(database.starts), watchdog.trouble) == (1, None)
    assert database.bounds >= 1, "its log is kept within a bound"


async def test_one_that_is_being_restored_works(monkeypatch: pytest.MonkeyPatch) -> None:
    database = MadeUp(is_half=True)
    watchdog = await _watch(database, lambda _: database.now_s > 2000, monkeypatch)
    assert (database.starts, watchdog.trouble) == ([], None)


async def test_a_start_that_the_system_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    database = MadeUp(exit_code=1)
    begin, refused = database.begin, []

    def refusing() -> None:
        if not refused:
            refused.append(True)
            raise OSError("no memory")
        begin()

    monkeypatch.setattr(database, "begin", refusing)
    await _watch(database, lambda dog: database.starts and dog.trouble is None, monkeypatch)
    assert len(database.starts) == 1


async def test_one_that_is_slow_gets_time(monkeypatch: pytest.MonkeyPatch) -> None:
    database = MadeUp(works=False, hangs=True)
    await _watch(database, lambda _: database.starts, monkeypatch)
    assert database.starts[0] - 1000 >= HANGS_LIMIT_S


async def test_while_the_disk_is_full_it_is_told_once_and_not_started_again_until_there_is_room(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database = MadeUp(works=False, free_bytes=3 * 2**20)
    await _watch(database, lambda _: database.now_s > 3000, monkeypatch)
    assert database.starts == []
    told = [record.message for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 1 and told[0].startswith("the disk of /data is full (3 MB free): make room")
    database.free_bytes = ROOM
    watchdog = await _watch(database, lambda dog: database.starts and dog.trouble is None, monkeypatch)
    assert len(database.starts) == 1 and watchdog.trouble is None


async def test_one_that_died_of_a_full_disk_waits_for_room_too(monkeypatch: pytest.MonkeyPatch) -> None:
    database = MadeUp(exit_code=1, free_bytes=0)
    watchdog = await _watch(database, lambda _: database.now_s > 2000, monkeypatch)
    assert database.starts == []
    assert watchdog.trouble is not None and "is full" in watchdog.trouble.text


async def test_damaged_files_are_not_opened_in_a_loop_and_the_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    database = MadeUp(exit_code=1, can_start=False)
    monkeypatch.setattr(database, "begin", lambda: (database.starts.append(database.now_s), None)[1])
    watchdog = await _watch(database, lambda _: database.now_s > 1000 + 500, monkeypatch)
    assert len(database.starts) == MOST_STARTS
    gaps = [later - earlier for earlier, later in zip(database.starts, database.starts[1:], strict=False)]
    assert gaps == sorted(gaps) and gaps[-1] >= 16, "each start waits longer"
    assert watchdog.trouble is not None and "/data/database" in watchdog.trouble.text
    assert len([record for record in caplog.records if "seem damaged" in record.message]) == 1
    await _watch(database, lambda _: database.now_s > 1000 + 500 + GIVEN_UP_S, monkeypatch)
    assert len(database.starts) > MOST_STARTS, "what was in its way may have gone"


def test_starts_count_in_a_row_until_one_was_good_for_long() -> None:
    restarts = Restarts(0.0)
    waits = []
    for now_s in range(1, MOST_STARTS + 1):
        waits.append(restarts.next_wait_s(now_s))
        restarts.note_start(now_s)
    assert waits == [0, 1, 2, 4, 8, 16]
    assert restarts.next_wait_s(MOST_STARTS + 1) is None
    restarts.note_works(MOST_STARTS + 1)
    assert restarts.next_wait_s(MOST_STARTS + 2) is None, "it has worked for a second"
    restarts.note_works(MOST_STARTS + STABLE_LIFE_S + 1)
    assert restarts.next_wait_s(MOST_STARTS + STABLE_LIFE_S + 2) == 0


def test_a_span_of_failures_ends_with_the_first_success() -> None:
    span = FailingSpan()
    assert not span.is_over_limit(False, False, 0)
    assert not span.is_over_limit(False, False, FAILS_LIMIT_S - 1)
    assert not span.is_over_limit(True, False, FAILS_LIMIT_S)
    assert not span.is_over_limit(False, False, FAILS_LIMIT_S + 1)
    assert span.is_over_limit(False, False, 2 * FAILS_LIMIT_S + 1)
    assert not span.is_over_limit(False, True, 2 * FAILS_LIMIT_S + 1)


async def test_the_watch_itself_goes_on_after_a_fault(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("services.common.tasks.RESTART_S", 0.0)
    database = RunningDatabase("mongodb://127.0.0.1:1/", 1, None, None, None)
    troubles: list[str | None] = []

    async def run(watchdog: DatabaseWatchdog) -> None:
        troubles.append(watchdog.trouble)
        if len(troubles) == 1:
            raise RuntimeError("nobody foresaw this")
        database._closing = True

    monkeypatch.setattr(DatabaseWatchdog, "run", run)
    await asyncio.wait_for(database.watch(), 5)
    assert troubles == [None, sentence("database-watch-failed")]
    assert [record.getMessage() for record in caplog.records] == [
        "the watch over the database failed and starts again"
    ]
