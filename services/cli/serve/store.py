"""`sightline serve store`: events become documents."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from services.cli.database_parts import audit_trail, database_access, store_database
from services.cli.serve.process import Link, ServiceProcess
from services.cli.serve.settings import StoreSettings
from services.common.database.link import DatabaseLink
from services.common.leases.protocol import RUNNING, LeaseStore, Member
from services.common.metrics import Figure
from services.common.settings.service import mongodb_uri
from services.common.tasks import end_tasks, kept_running, watched
from services.core.sentences.sentence import Sentence, sentence
from services.store.service import StoreService
from services.store.space import SpaceGate

CLOSE_TIMEOUT_S = 5.0
STATUS_EVERY_S = 5.0


class StoreProcess:
    """Writes what the other services report."""

    def __init__(self, settings: StoreSettings) -> None:
        self._access = database_access(DatabaseLink(mongodb_uri()))
        self._settings = settings
        self._space = SpaceGate(settings.space, lambda: self._access.probe.free_bytes)
        self._store: StoreService | None = None
        self._process = ServiceProcess(
            "store", settings.host, settings.health_port, missing=self._missing, figures=self._figures
        )

    async def run(self) -> None:
        """Run until SIGTERM; what is not acknowledged then is written by the next."""
        await self._process.run(self._serve)

    async def _serve(self, link: Link) -> None:
        retention, batch_events = self._settings.retention, self._settings.batch_events
        database = store_database(self._access, audit_trail(self._access))
        self._store = StoreService(database, link.bus.events, retention, batch_events, space=self._space)
        member = Member(self._process.member_id, "store")
        await link.leases.join(member)
        beside = [
            watched(kept_running(work, name), name)
            for name, work in (
                ("the watch over the database", self._access.probe.run),
                ("the status of the store", partial(keep_status, link.leases, member, self._status)),
            )
        ]
        try:
            await self._store.run()
        finally:
            await end_tasks(beside)
            await asyncio.shield(link.leases.leave())
            closing = watched(self._access.link.close(), "closing the database")
            await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)

    def _status(self) -> Sentence:
        error = self._store.health.last_error if self._store is not None else None
        return error or self._space.shortage or RUNNING

    def _missing(self) -> Sequence[Sentence]:
        if self._store is None:
            return (sentence("database-unasked"),)
        health, trouble = self._store.health, self._access.probe.trouble
        if health.is_database_up and trouble is None:
            return ()
        return (health.last_error or trouble or sentence("database-unasked"),)

    def _figures(self) -> Iterator[Figure]:
        if self._store is not None:
            yield Figure("sightline_database_up", float(not self._missing()))
            yield from self._store.figures()
        free_bytes = self._access.probe.free_bytes
        if free_bytes is not None:
            yield Figure("sightline_database_free_bytes", free_bytes)


async def keep_status(
    leases: LeaseStore, member: Member, status: Callable[[], Sentence], every_s: float = STATUS_EVERY_S
) -> None:
    """Let the others know how a member that has joined is doing, as the page shows it; until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        changed = replace(member, status=status())
        if changed != member:
            member = changed
            await leases.join(member)
