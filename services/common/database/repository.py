"""The repository: the one way to everything that lasts, over MongoDB or a server compatible with it."""

import asyncio
import time
from collections.abc import Callable

from services.common.database.accounts import UserTables
from services.common.database.aside import AsideTables
from services.common.database.link import DatabaseLink
from services.common.database.probe import DatabaseProbe
from services.common.database.reading import Place, ReadTables, Records
from services.common.database.restore_mark import check_whole, remove_mark, set_mark
from services.common.database.retention import RetentionState, ShorterRetention
from services.common.database.schema import Retention, prepare_schema
from services.common.database.setups import SetupTables, StoredCamera
from services.common.database.transfer import TransferTables
from services.core.types import LineVersion

__all__ = [
    "LineVersion",
    "Place",
    "Records",
    "Repository",
    "Retention",
    "RetentionState",
    "ShorterRetention",
    "StoredCamera",
]


class Repository(SetupTables, ReadTables, UserTables, TransferTables, AsideTables):
    """All that lasts. Each method raises DatabaseUnavailableError while the database is away.

    Nothing is dialled before the first call, and everything stays on the event loop of that call.
    """

    def __init__(
        self,
        uri: str,
        database: str | None = None,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._link = DatabaseLink(uri, database)
        self._now_s = now_s
        self._preparing = asyncio.Lock()
        self._has_schema = False
        self._told = set()
        self._is_restoring = False
        self.probe = DatabaseProbe(self._link)
        """Whether the database works, and what is free on its disk."""

    @property
    def address(self) -> str:
        """Host and port, without user and password."""
        return self._link.address

    def now_s(self) -> float:
        """Give the time by which records are dated."""
        return self._now_s()

    async def prepare(self) -> None:
        """Make the indexes, and finish what an ended process left half done.

        Whoever writes first does this first: the embedded server locks up for good when a collection's
        indexes are made while others write.
        """
        await self.ensure_whole()
        async with self._preparing:
            if not self._has_schema:
                await prepare_schema(self._link)
                self._has_schema = True
            await self.heal()

    async def _before_writing(self) -> None:
        await self.ensure_whole()
        if not self._has_schema:
            await self.prepare()

    async def ensure_whole(self) -> None:
        """HalfRestoredError while a restore into this database has not ended, but for the restore itself."""
        if not self._is_restoring:
            await check_whole(self._link)

    async def begin_restore(self) -> None:
        """Keep everybody else from writing, until `end_restore`; also across an end of this process."""
        await set_mark(self._link)
        self._is_restoring = True

    async def end_restore(self) -> None:
        """Let everybody write again: the restore is whole."""
        await remove_mark(self._link)
        self._is_restoring = False

    def explain_failures(self, explain: Callable[[], str | None]) -> None:
        """Let failures be told by whoever knows more of the database than it answers."""
        self._link.explain = explain
        self.probe.leave_space_to_others()

    async def ping(self) -> None:
        """Ask whether the database answers."""
        await self._link.ping()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._link.close()
