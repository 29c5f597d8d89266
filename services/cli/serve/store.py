"""`sightline serve store`: events become documents."""

import asyncio
from collections.abc import Iterator, Sequence

from services.cli.serve.process import Link, ServiceProcess
from services.common.database import Repository
from services.common.leases import Member
from services.common.metrics import Figure
from services.common.service_settings import mongodb_uri
from services.store.service import StoreService
from services.store.settings import StoreSettings

CLOSE_TIMEOUT_S = 5.0


class StoreProcess:
    """Writes what the other services report."""

    def __init__(self, settings: StoreSettings) -> None:
        self._repository = Repository(mongodb_uri())
        self._settings = settings
        self._store: StoreService | None = None
        self._process = ServiceProcess(
            "store", settings.host, settings.health_port, missing=self._missing, figures=self._figures
        )

    async def run(self) -> None:
        """Run until SIGTERM; what is not acknowledged then is written by the next."""
        await self._process.run(self._serve)

    async def _serve(self, link: Link) -> None:
        retention, batch_events = self._settings.retention, self._settings.batch_events
        self._store = StoreService(self._repository, link.bus, retention, batch_events)
        await link.leases.join(Member(self._process.member_id, "store"))
        try:
            await self._store.run()
        finally:
            await asyncio.shield(link.leases.leave())
            await asyncio.wait([asyncio.ensure_future(self._repository.close())], timeout=CLOSE_TIMEOUT_S)

    def _missing(self) -> Sequence[str]:
        health = self._store.health if self._store is not None else None
        if health is not None and health.is_database_up:
            return ()
        return ((health.last_error if health is not None else None) or "the database has not answered yet",)

    def _figures(self) -> Iterator[Figure]:
        if self._store is not None:
            yield Figure("sightline_database_up", float(self._store.health.is_database_up))
            yield from self._store.figures()
