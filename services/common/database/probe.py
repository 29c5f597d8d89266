"""Whether a database works: one small document is written durably and read back.

A database whose disk is full may answer every ping and neither read nor write.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from pymongo.errors import ConnectionFailure

from services.common.database.link import DatabaseLink
from services.common.database.schema import META, check_whole
from services.core.errors import DatabaseUnavailableError
from services.core.sentences.sentence import Sentence, sentence

PROBE_ID = "probe"
PROBE_LIMIT_S = 10.0
"""A database that takes longer than this for one document cannot be worked with."""
EVERY_S = 5.0
AGAIN_S = 2.0
"""Whoever asks within this time gets the last answer: strangers may ask as often as they like."""


class DatabaseProbe:
    """Asks one database, once at a time."""

    def __init__(self, link: DatabaseLink, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._link, self._monotonic_s = link, monotonic_s
        self._asking = asyncio.Lock()
        self._asked_s: float | None = None
        self._error: DatabaseUnavailableError | None = None
        self._reports_space = True
        self.hangs = False
        """Whether the last failure was that no answer came at all."""
        self.free_bytes: int | None = None
        """What is free on the database's disk, where it reports that (MongoDB does)."""
        self.total_bytes: int | None = None
        self.version: str | None = None
        """What the database calls its version; None until it was asked."""

    @property
    def trouble(self) -> Sentence | None:
        """Why the database does not work, as found last; None when it does."""
        if self._asked_s is None:
            return sentence("database-unasked")
        return self._error.sentence if self._error is not None else None

    async def check(self) -> None:
        """Write and read; DatabaseUnavailableError says why that does not work."""
        async with self._asking:
            if self._asked_s is None or self._monotonic_s() - self._asked_s >= AGAIN_S:
                await self._ask()
            error = self._error
        if error is not None:
            raise type(error)(error.sentence)

    async def _ask(self) -> None:
        self._error, self.hangs = None, False
        try:
            async with asyncio.timeout(PROBE_LIMIT_S):
                await self._write_and_read()
        except DatabaseUnavailableError as error:
            self._error = error
            self.hangs = isinstance(error.__cause__, ConnectionFailure)
        except TimeoutError:
            self.hangs = True
            self._error = DatabaseUnavailableError(
                "database-slow", address=self._link.address, seconds=PROBE_LIMIT_S
            )
        self._asked_s = self._monotonic_s()

    async def _write_and_read(self) -> None:
        await check_whole(self._link)
        with self._link.guarded():
            await self._link.collection(META).find_one_and_update(
                {"_id": PROBE_ID}, {"$set": {"time": datetime.now(UTC)}}, upsert=True
            )
        if self.version is None:
            self.version = await self._version()
        if self._reports_space:
            self.free_bytes = await self._free_bytes()
            self._reports_space = self.free_bytes is not None

    async def _version(self) -> str:
        """Give its version; a database that does not say works all the same."""
        try:
            return str((await self._link.command({"buildInfo": 1})).get("version", ""))[:40]
        except DatabaseUnavailableError:
            return ""

    async def _free_bytes(self) -> int | None:
        stats = await self._link.command({"dbStats": 1})
        total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
        if isinstance(total, int | float) and isinstance(used, int | float):
            self.total_bytes = int(total)
            return max(0, int(total - used))
        return None

    async def run(self) -> None:
        """Ask again and again, for whoever only reads `trouble`. Until cancelled."""
        while True:
            with suppress(DatabaseUnavailableError):
                await self.check()
            await asyncio.sleep(EVERY_S)

    def leave_space_to_others(self) -> None:
        """Do not ask the database for its disk: somebody else measures it."""
        self._reports_space = False
