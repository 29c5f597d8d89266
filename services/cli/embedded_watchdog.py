"""Watches the embedded database: it is started again when it has died, and when it lives and does not work.

A full disk leaves it alive and useless; once there is room, a new start is all that it needs. Starts are
bounded: files that it cannot read do not get better by starting again.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from services.cli.data_folder import MINIMUM_FREE_BYTES
from services.common.database.link import DatabaseLink
from services.common.database.probe import DatabaseProbe
from services.core.errors import DatabaseUnavailableError, HalfRestoredError, SightlineError
from services.core.sentences.sentence import Sentence, sentence

logger = logging.getLogger(__name__)

LIFE_POLL_S = 0.25
PROBE_EVERY_S = 5.0
FAILS_LIMIT_S = 8.0
"""A database that answers with errors for this long is started again."""
HANGS_LIMIT_S = 120.0
"""One that does not answer may be at something long, such as an index over old data."""
LONGEST_BACKOFF_S = 30.0
STABLE_LIFE_S = 60.0
"""A database that worked this long is started again at once when it dies."""
MOST_STARTS = 6
"""Starts in a row, none of them good for long, after which it is given up."""
GIVEN_UP_S = 600.0
"""Even then it is tried again now and then: what was in its way may have gone."""


class Watched(Protocol):
    """What can be watched and started again."""

    uri: str

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it lives."""

    @property
    def is_closing(self) -> bool:
        """Whether it is to end."""

    @property
    def free_bytes(self) -> int:
        """What is free on its disk."""

    @property
    def folder(self) -> Path:
        """Where its data is."""

    def bound_log(self) -> None:
        """Keep what it has said within a bound."""

    def damaged(self) -> Sentence:
        """Describe files that it cannot use."""

    def end(self) -> None:
        """End it, and wait for that."""

    def begin(self) -> None:
        """Start it."""

    def wait_until_ready(self) -> None:
        """Wait until it works; SightlineError says why it does not."""


@dataclass(slots=True)
class Restarts:
    """How often and how soon a database that fails may be started again. Times are monotonic seconds."""

    started_s: float
    in_a_row: int = 0

    def next_wait_s(self, now_s: float) -> float | None:
        """Give the time to wait before the next start; None when there were enough for now."""
        if self.in_a_row >= MOST_STARTS:
            return 0.0 if now_s - self.started_s >= GIVEN_UP_S else None
        return 0.0 if self.in_a_row == 0 else min(2.0 ** (self.in_a_row - 1), LONGEST_BACKOFF_S)

    def note_works(self, now_s: float) -> None:
        """Take that the database works now."""
        if now_s - self.started_s > STABLE_LIFE_S:
            self.in_a_row = 0

    def note_start(self, now_s: float) -> None:
        """Count a start."""
        self.started_s = now_s
        self.in_a_row += 1


@dataclass(slots=True)
class FailingSpan:
    """For how long a database that lives has not worked."""

    since_s: float | None = None

    def is_over_limit(self, works: bool, hangs: bool, now_s: float) -> bool:
        """Take what a probe found; True when it is time to start the database again."""
        if works:
            self.since_s = None
            return False
        if self.since_s is None:
            self.since_s = now_s
        return now_s - self.since_s >= (HANGS_LIMIT_S if hangs else FAILS_LIMIT_S)


class _Trouble(Enum):
    """What kind of trouble a database has."""

    FULL = auto()
    FAILS = auto()
    HANGS = auto()
    DAMAGED = auto()


@dataclass(slots=True)
class DatabaseWatchdog:
    """Runs on the main thread's event loop: Linux ends the database with the thread that started it."""

    _database: Watched
    _monotonic_s: Callable[[], float] = time.monotonic
    trouble: Sentence | None = None
    """Why the database does not work, where that is known here."""
    _kind: _Trouble | None = None
    _restarts: Restarts = field(init=False)
    _failing: FailingSpan = field(default_factory=FailingSpan)

    def __post_init__(self) -> None:
        """Take the database as just started."""
        self._restarts = Restarts(self._monotonic_s())

    async def run(self) -> None:
        """Watch until the database is closed."""
        link = DatabaseLink(self._database.uri, explain=self._full_disk)
        try:
            await self._watch(DatabaseProbe(link))
        finally:
            await link.close()

    def note_failure(self) -> None:
        """Take that the watch itself has failed and begins again: nobody knows how the database is doing."""
        self.trouble = self.trouble or sentence("database-watch-failed")

    async def _watch(self, probe: DatabaseProbe) -> None:
        probe.leave_space_to_others()
        probed_s = self._monotonic_s()
        while not self._database.is_closing:
            if self._database.exit_code is not None:
                await self._start_again(sentence("database-ended", exit=self._database.exit_code))
            elif self._monotonic_s() - probed_s >= PROBE_EVERY_S:
                await self._probe(probe)
                self._bound_log()
                probed_s = self._monotonic_s()
            await asyncio.sleep(LIFE_POLL_S)

    async def _probe(self, probe: DatabaseProbe) -> None:
        try:
            await probe.check()
        except HalfRestoredError:
            self._on_success()
        except DatabaseUnavailableError as error:
            full = self._full_disk()
            fails = _Trouble.HANGS if probe.hangs else _Trouble.FAILS
            self._on_trouble(_Trouble.FULL if full else fails, full or error.sentence)
            is_over = self._failing.is_over_limit(False, probe.hangs, self._monotonic_s())
            if is_over and full is None and self._database.exit_code is None:
                await self._start_again(sentence("database-stuck"))
        else:
            self._on_success()

    def _on_success(self) -> None:
        self._failing.is_over_limit(True, False, self._monotonic_s())
        self._restarts.note_works(self._monotonic_s())
        if self.trouble is not None:
            logger.info("the database works again")
        self.trouble = self._kind = None

    async def _start_again(self, why: Sentence) -> None:
        """Start the database anew when there is room on the disk, and as often as makes sense."""
        full = self._full_disk()
        if full is not None:
            self._on_trouble(_Trouble.FULL, full)
            return
        wait_s = self._restarts.next_wait_s(self._monotonic_s())
        if wait_s is None:
            self._on_trouble(_Trouble.DAMAGED, self._database.damaged())
            return
        logger.error("%s; it is started again in %g s", why, wait_s)
        self._kind, self.trouble = None, sentence("database-restarts", reason=why)
        await asyncio.sleep(wait_s)
        if self._database.is_closing:
            return
        await asyncio.to_thread(self._database.end)
        self._restarts.note_start(self._monotonic_s())
        try:
            self._database.begin()
            await asyncio.to_thread(self._database.wait_until_ready)
        except (SightlineError, OSError) as error:
            logger.error("%s", error)
            await asyncio.to_thread(self._database.end)
        else:
            logger.info("the database works again")
            self.trouble = self._kind = self._failing.since_s = None

    def _bound_log(self) -> None:
        try:
            self._database.bound_log()
        except OSError as error:
            logger.debug("the database's log cannot be bounded: %s", error)

    def _full_disk(self) -> Sentence | None:
        try:
            free_bytes = self._database.free_bytes
        except OSError as error:
            return sentence(
                "database-disk-unknown", folder=str(self._database.folder), reason=str(error.strerror)
            )
        if free_bytes >= MINIMUM_FREE_BYTES:
            return None
        return sentence(
            "database-disk-full",
            folder=str(self._database.folder),
            megabytes=free_bytes // 2**20,
            needed=MINIMUM_FREE_BYTES // 2**20,
        )

    def _on_trouble(self, kind: _Trouble, what: Sentence) -> None:
        """Keep what is wrong, and log it once for each kind: figures in the text may change."""
        if self._kind is not kind:
            logger.error("%s", what)
        self._kind, self.trouble = kind, what
