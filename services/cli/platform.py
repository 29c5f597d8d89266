"""The composition root of `sightline up`: all services in one process, over the local bus."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import uvicorn

from services.cli.setup_seed import SetupSeed
from services.common.bus_local import LocalBus
from services.common.database import Repository
from services.common.leases import Member, Role
from services.common.leases_local import LocalLeaseStore, LocalLeaseTable
from services.common.ownership import Owner, Ownership
from services.common.video import VideoHub
from services.detector.infer.detector import Detector
from services.detector.infer.models import available_models, model_path
from services.detector.infer.select import fastest_engine
from services.detector.service import DetectorService
from services.ingest.service import IngestService
from services.store.writer import StoreWriter
from services.web.app import create_app
from services.web.mirror import SetupMirror
from services.web.settings import WebSettings
from services.web.system import ModelEntry, ServiceState, SystemInfo

log = logging.getLogger(__name__)

DRAIN_TIMEOUT_S = 5.0
"""How long the end of the process waits for the last events to become durable."""

END_TIMEOUT_S = 10.0
"""How long one service may take to end: longer than a read of a camera that hangs."""

STREAM_CLOSE_S = 2
"""How long live streams may take to notice that the server ends."""


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """What `up` runs with."""

    web: WebSettings
    database_uri: str
    database_kind: str
    tls_cert: Path | None = None
    tls_key: Path | None = None


def make_detector(model: str) -> Detector:
    """Make a detector with the engine that is fastest on this machine."""
    path = model_path(model)
    return fastest_engine(path)(path)


class _Server(uvicorn.Server):
    """A server that leaves signals to the platform, which has more to end than the server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Platform:
    """Runs until it is told to end, and ends in the order of the data."""

    def __init__(self, settings: PlatformSettings, seed: SetupSeed) -> None:
        self._settings, self._seed = settings, seed
        self._bus, self._video = LocalBus(), VideoHub()
        self._repository = Repository(settings.database_uri)
        self._mirror = SetupMirror(self._repository, self._bus)
        self._store = StoreWriter(self._repository, self._bus)
        self._leases = LocalLeaseTable()
        self._ingest = self._owning("ingest", IngestService(self._bus, self._video))
        self._detector = self._owning("detector", DetectorService(self._bus, self._video, make_detector))
        self._server = self._make_server()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run(self, listening: socket.socket) -> None:
        """Serve until SIGTERM or SIGINT; raise what a service failed with."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        self._start("store", self._store.run())
        self._start("setups", self._mirror.run())
        self._start("seed", self._seed.apply(self._repository, self._mirror))
        self._start("ingest", self._ingest.run())
        self._start("detector", self._detector.run())
        self._start("web", self._server.serve(sockets=[listening]))
        try:
            await self._until_stopped()
        finally:
            await self._end()

    def _owning(self, role: Role, owner: Owner) -> Ownership:
        return Ownership(Member(role, role), LocalLeaseStore(self._leases), self._bus, owner)

    def _start(self, name: str, work: Coroutine[object, object, None]) -> None:
        self._tasks[name] = asyncio.create_task(work, name=name)

    def _stop(self) -> None:
        self._server.should_exit = True

    async def _until_stopped(self) -> None:
        """Wait for the server to end, or for a service that fails."""
        waiting = set(self._tasks.values())
        while not self._tasks["web"].done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    async def _end(self) -> None:
        self._stop()
        for name in ("seed", "ingest", "detector", "setups", "store"):
            await self._cancel(name)
        draining = asyncio.create_task(self._store.drain(DRAIN_TIMEOUT_S))
        await asyncio.wait([draining], timeout=2 * DRAIN_TIMEOUT_S)
        if not (draining.done() and draining.result()):
            log.warning("the last events could not be written: their seconds will show as a gap")
        await self._cancel("web")
        await asyncio.wait([asyncio.create_task(self._repository.close())], timeout=END_TIMEOUT_S)

    async def _cancel(self, name: str) -> None:
        """End a service; one that does not end in time must not keep the process alive."""
        task = self._tasks[name]
        task.cancel()
        await asyncio.wait([task], timeout=END_TIMEOUT_S)
        if not task.done():
            log.warning("the service %s did not end in time", name)

    def _make_server(self) -> _Server:
        settings = self._settings
        app = create_app(
            self._repository, self._bus, self._video, self._system(), settings.web, mirror=self._mirror
        )
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STREAM_CLOSE_S,
            ssl_certfile=settings.tls_cert,
            ssl_keyfile=settings.tls_key,
        )
        return _Server(config)

    def _system(self) -> SystemInfo:
        return SystemInfo(
            version=version("sightline"),
            database=self._settings.database_kind,
            started_s=time.time(),
            address=f"{self._settings.web.host}:{self._settings.web.port}",
            services=self._services,
            models=_models,
            check_model=model_path,
            figures=lambda: {
                "sightline_events_dropped_total": float(self._bus.dropped_events),
                "sightline_events_written_total": float(self._store.health.written),
            },
        )

    def _services(self) -> Sequence[ServiceState]:
        states = []
        for name in ("ingest", "detector", "store", "web"):
            task = self._tasks.get(name)
            status = "running" if task is not None and not task.done() else "stopped"
            if name == "store" and self._store.health.last_error:
                status = self._store.health.last_error
            states.append(ServiceState(name, status))
        return states


def _models() -> list[ModelEntry]:
    return [ModelEntry(info.name, info.classes) for info in available_models()]
