"""The repository: the one way to everything that lasts, over MongoDB or a server compatible with it."""

import asyncio
import time
from collections.abc import Callable

from services.common.database_aside import AsideTables
from services.common.database_link import DatabaseLink
from services.common.database_reading import Place, ReadTables, Records
from services.common.database_retention import RetentionState, ShorterRetention
from services.common.database_schema import Retention, prepare_schema
from services.common.database_setups import LineVersion, SetupTables, StoredCamera
from services.common.database_transfer import TransferTables
from services.common.database_users import UserTables

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
        async with self._preparing:
            if not self._has_schema:
                await prepare_schema(self._link)
                self._has_schema = True
            await self.heal()

    async def _before_writing(self) -> None:
        if not self._has_schema:
            await self.prepare()

    async def ping(self) -> None:
        """Ask whether the database answers."""
        await self._link.ping()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._link.close()
