"""`sightline serve store`: events become documents."""

import asyncio
from collections.abc import Iterator, Sequence

from services.cli.serve.process import Link, ServiceProcess
from services.common.database import Repository
from services.common.leases import Member
from services.common.metrics import Figure
from services.common.service_settings import mongodb_uri
from services.store.settings import StoreSettings
from services.store.space import SpaceGate
from services.store.writer import StoreWriter, store_figures

CLOSE_TIMEOUT_S = 5.0


class StoreProcess:
    """Writes what the other services report."""

    def __init__(self, settings: StoreSettings) -> None:
        self._repository = Repository(mongodb_uri(), retention=settings.retention)
        self._batch_events = settings.batch_events
        self._space = SpaceGate(settings.space, lambda: self._repository.probe.free_bytes)
        self._repository.refuse_audit = self._space.refuses_audit
        self._writer: StoreWriter | None = None
        self._process = ServiceProcess(
            "store", settings.host, settings.health_port, missing=self._missing, figures=self._figures
        )

    async def run(self) -> None:
        """Run until SIGTERM; what is not acknowledged then is written by the next."""
        await self._process.run(self._serve)

    async def _serve(self, link: Link) -> None:
        self._writer = StoreWriter(self._repository, link.bus, self._batch_events, space=self._space)
        probing = asyncio.create_task(self._repository.probe.run())
        await link.leases.join(Member(self._process.member_id, "store"))
        try:
            await self._writer.run()
        finally:
            probing.cancel()
            await asyncio.shield(link.leases.leave())
            await asyncio.wait([asyncio.ensure_future(self._repository.close())], timeout=CLOSE_TIMEOUT_S)

    def _missing(self) -> Sequence[str]:
        if self._writer is None:
            return ("the database has not answered yet",)
        health, trouble = self._writer.health, self._repository.probe.trouble
        if health.is_database_up and trouble is None:
            return ()
        return (health.last_error or trouble or "the database has not answered yet",)

    def _figures(self) -> Iterator[Figure]:
        if self._writer is not None:
            yield Figure("sightline_database_up", float(not self._missing()))
            yield from store_figures(self._writer)
        free_bytes = self._repository.probe.free_bytes
        if free_bytes is not None:
            yield Figure("sightline_database_free_bytes", free_bytes)
