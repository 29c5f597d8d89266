"""All parts of a database at once, composed as the services get them: what only tests may have."""

import time
from collections.abc import Callable

import pymongo

from services.cli.database_parts import audit_trail, database_access, store_database, web_database
from services.common.database.link import DatabaseLink
from services.common.database.transfer import Export, Restore
from tests.record_reader import RecordReader

DROP_S = 120.0


class Tables:
    """One database. Nothing is dialled before the first use, and all stays on the event loop of that."""

    def __init__(self, uri: str, database: str | None = None, now_s: Callable[[], float] = time.time) -> None:
        self.now_s = now_s
        """The time by which records are dated; may be changed."""
        self.link = DatabaseLink(uri, database)
        self.access = database_access(self.link, lambda: self.now_s())
        audit = audit_trail(self.access)
        self.web, self.store = web_database(self.access, audit), store_database(self.access, audit)
        self.generations = self.web.generations
        self.setups, self.accounts, self.audit = self.web.setups, self.web.accounts, audit
        self.records = RecordReader(self.web.records)
        self.ownerships, self.repeats = self.web.ownerships, self.web.repeats
        self.notices, self.schema, self.probe = self.web.notices, self.access.schema, self.access.probe
        self.events, self.aside, self.retention = self.store.events, self.store.aside, self.store.retention
        self.removal = self.store.removal
        self.minutes, self.fences = self.events._minutes, self.events._fences
        self.export, self.restore = (
            Export(self.link, lambda: self.now_s()),
            Restore(self.link, lambda: self.now_s()),
        )

    @property
    def name(self) -> str:
        """The database's name."""
        return self.link._database.name

    async def prepare(self) -> None:
        """Do what the store does first."""
        await self.events.prepare()
        await self.retention.end_expiry()

    async def drop(self) -> None:
        """Delete the database; a busy disk is given the time that it takes."""
        with pymongo.timeout(DROP_S):
            await self.link._client.drop_database(self.name)

    async def close(self) -> None:
        """Let go of all connections."""
        await self.link.close()
