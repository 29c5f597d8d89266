"""The composition root of `sightline up`: all services in one process, over the local bus."""

import asyncio
import logging
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

from services.cli.database_parts import (
    DatabaseAccess,
    audit_trail,
    database_access,
    store_database,
    web_database,
)
from services.cli.embedded_database import RunningDatabase
from services.cli.media_ports import MediaPorts
from services.cli.models_command import file_entries, model_entries
from services.cli.running import END_TIMEOUT_S, RunningTasks
from services.cli.setup_seed import SetupSeed
from services.cli.system_facts import disk_of, machine_findings, process_name, software_versions
from services.cli.up_settings import UpConfig
from services.common.bus.local import LocalBus
from services.common.clocks import HOST_CLOCKS, Clocks
from services.common.connections.addresses import address_to_open
from services.common.database.link import DatabaseLink
from services.common.http.server import HttpServer
from services.common.leases.camera_manager import CameraManager, Owner
from services.common.leases.local import LocalLeaseStore, LocalLeaseTable
from services.common.leases.protocol import RUNNING, Member, Role
from services.common.live.analysed import AnalysedPictures
from services.common.live.decoding import Decoders
from services.common.logs import RECENT
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.settings.cameras import CameraFiles
from services.common.tasks import cancellable, end_tasks, watched
from services.common.video.hub import VideoHub
from services.core.sentences.sentence import Sentence, sentence
from services.demo import demo_source
from services.detector.infer.classifier import make_verifier
from services.detector.infer.models import check_named_model, named_classes
from services.detector.infer.select import choice_of, engine_choices, make_detector
from services.detector.service import DetectorService
from services.ingest.camera_tests import CameraTester
from services.ingest.dialling import Dialler
from services.ingest.service import IngestService
from services.ingest.sources import source_of
from services.store.service import StoreService
from services.store.space import SpaceGate
from services.web.app import create_app
from services.web.mirror import SetupMirror
from services.web.serving import bound_send_buffers, server_figures, web_server
from services.web.settings import WebSettings
from services.web.system import DiskState, ServiceState, SystemInfo

log = logging.getLogger(__name__)

DRAIN_TIMEOUT_S = 5.0
"""How long the end of the process waits for the last events to become durable."""


STOPPED = sentence("stopped")


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """What `up` runs with."""

    up: UpConfig
    web: WebSettings
    database_uri: str = field(repr=False)
    database_kind: str
    database: RunningDatabase | None
    """The database of this process, where it has one."""


class Platform:
    """Runs until it is asked to end, and ends in the order of the data."""

    def __init__(self, settings: PlatformSettings, seed: SetupSeed, clocks: Clocks = HOST_CLOCKS) -> None:
        self._settings, self._seed, self._clocks = settings, seed, clocks
        self._bus, self._video = LocalBus(), VideoHub()
        self._access = self._open_database()
        self._space = SpaceGate(settings.up.space, self._free_bytes)
        audit = audit_trail(self._access, self._space.refuses_audit)
        self._database = web_database(self._access, audit)
        self._mirror = SetupMirror(self._database, self._bus.setups, self._bus.access)
        self._store = StoreService(
            store_database(self._access, audit),
            self._bus.events,
            settings.up.retention.retention,
            read_clock=clocks.reading,
            space=self._space,
        )
        self._leases = LocalLeaseTable(clocks.now_s)
        files = CameraFiles.of(settings.up.file_camera_folders, seed.files)
        bus, video, dialler = self._bus, self._video, Dialler(settings.up.camera_patience_s)
        open_source = partial(source_of, files=files, demo=demo_source, dialler=dialler)
        self._tester = CameraTester(files, demo_source, dialler=dialler)
        ingest = IngestService(bus.events, bus.states, video, open_source, clocks=clocks)
        decoded = AnalysedPictures()
        detector = DetectorService(
            bus.events,
            bus.tracks,
            bus.states,
            video,
            make_detector,
            clocks,
            choice_of=choice_of,
            decoded=decoded,
            make_classifier=make_verifier,
        )
        self._ingest, self._source_figures = self._managing("ingest", ingest), ingest.figures
        self._detector = self._managing("detector", detector)
        self._decoders = Decoders(self._video, settings.up.live_memory_mb, decoded)
        self._media = MediaPorts(
            settings.up, self._bus, self._video, self._decoders, settings.web.wants_login
        )
        self._server = self._make_server()
        self._tasks = RunningTasks()

    async def run(self, listening: socket.socket) -> None:
        """Serve until SIGTERM or SIGINT; raise what a service failed with."""
        if self._settings.database is not None:
            self._tasks.start("database", self._settings.database.watch())
        self._tasks.start("probe", cancellable(self._access.probe.run()))
        self._tasks.start("store", self._store.run())
        self._tasks.start("setups", cancellable(self._mirror.run()))
        seed = self._seed.apply(self._database.setups, self._mirror)
        self._tasks.start("seed", cancellable(seed), may_end=True)
        self._tasks.start("ingest", self._run_ingest())
        self._tasks.start("detector", self._detector.run())
        self._tasks.start("media", self._media.run(lambda: self._ingest.cameras), may_end=True)
        self._tasks.start("web", self._server.run_until_cancelled(bound_send_buffers(listening)))
        try:
            await self._tasks.until_stopped()
        finally:
            await self._end()

    async def _run_ingest(self) -> None:
        """Keep the cameras connected, and answer whether an address would be one."""
        async with self._bus.camera_tests.answering(self._tester.test):
            await self._ingest.run()

    def _open_database(self) -> DatabaseAccess:
        """Let a database of this process explain its failures; nobody asks it for the disk of its folder."""
        uri, database, now_s = self._settings.database_uri, self._settings.database, self._clocks.now_s
        if database is None:
            return database_access(DatabaseLink(uri), now_s)
        access = database_access(DatabaseLink(uri, explain=lambda: database.trouble), now_s)
        access.probe.leave_space_to_others()
        return access

    def _free_bytes(self) -> int | None:
        """Give what is free on the disk of the data folder, else of what the database says."""
        database = self._settings.database
        return self._access.probe.free_bytes if database is None else database.free_bytes

    def _managing(self, role: Role, owner: Owner) -> CameraManager:
        leases, bus = LocalLeaseStore(self._leases), self._bus
        return CameraManager(Member(role, role), leases, bus.setups, bus.events, owner)

    async def _end(self) -> None:
        self._server.stop()
        await self._tasks.end(("seed", "ingest", "detector", "media", "setups", "store"))
        draining = asyncio.create_task(self._store.drain(DRAIN_TIMEOUT_S))
        await asyncio.wait([draining], timeout=2 * DRAIN_TIMEOUT_S)
        is_drained = draining.done() and draining.result()
        await end_tasks([draining])
        if not is_drained:
            log.warning("the last events could not be written: their seconds will show as a gap")
        await self._tasks.end(("web", "probe", "database"))
        await asyncio.wait(
            [watched(self._access.link.close(), "closing the database")], timeout=END_TIMEOUT_S
        )

    def _make_server(self) -> HttpServer:
        settings = self._settings
        app = create_app(
            self._database,
            self._bus.tracks,
            self._bus.states,
            self._video,
            self._system(),
            settings.web,
            self._mirror,
            camera_tests=self._bus.camera_tests,
            decoders=self._decoders,
            now_s=self._clocks.now_s,
        )
        return web_server(app, settings.web)

    def _system(self) -> SystemInfo:
        return SystemInfo(
            version=version("sightline"),
            database=self._settings.database_kind,
            started_s=self._clocks.now_s(),
            address=address_to_open(self._settings.web.host, self._settings.web.port),
            services=self._services,
            models=lambda: (*model_entries(), *file_entries(self._model_files())),
            classes_of=named_classes,
            check_model=partial(check_named_model, files=self._model_files()),
            figures=self._figures,
            missing=self._missing,
            free_bytes=self._free_bytes,
            space=lambda: self._space.shortage,
            process=process_name("up"),
            engines=engine_choices,
            disk=self._disk,
            versions=software_versions,
            log=RECENT,
            findings=lambda: machine_findings(self._data_folder, has_engines=True),
        )

    @property
    def _data_folder(self) -> Path | None:
        database = self._settings.database
        return None if database is None else database.folder

    def _disk(self) -> DiskState | None:
        folder = self._data_folder
        return None if folder is None else disk_of(folder)

    def _missing(self) -> Sequence[Sentence]:
        """Give what the command line asked for and is not there yet."""
        is_seeded = self._tasks.has_ended("seed")
        return () if is_seeded else (sentence("cameras-not-seeded"),)

    def _model_files(self) -> CameraFiles:
        """Give the files that may be named as models through the API: the command line's are among them."""
        return CameraFiles.of(self._settings.up.model_folders, self._seed.models)

    def _figures(self) -> Iterator[Figure]:
        yield from self._bus.figures()
        yield from self._source_figures()
        yield from self._video.figures()
        yield from self._store.figures()
        if self._settings.database is not None:
            yield Figure("sightline_database_restarts_total", self._settings.database.restarts)
        yield from self._media.figures()
        yield from self._server.figures("web")
        yield from server_figures(self._server)

    def _services(self) -> Sequence[ServiceState]:
        queues = self._queues()
        states = []
        for name in ("ingest", "detector", "store", "web"):
            status = RUNNING if self._tasks.is_running(name) else STOPPED
            if name == "store":
                status = self._store.health.last_error or self._space.shortage or status
            states.append(ServiceState(name, status, name, tuple(queues.get(name, ()))))
        if "rtsp" in queues:
            states.append(ServiceState("rtsp", role="rtsp", queues=tuple(queues["rtsp"])))
        return states

    def _queues(self) -> dict[str, list[QueueState]]:
        """Give all queues of this process, each with the service that it brings its work to."""
        ports = self._media.queues()
        ports.setdefault("detector", []).extend((self._video.queue(), self._bus.track_queue()))
        ports.setdefault("store", []).append(self._bus.event_queue())
        ports.setdefault("web", []).append(self._server.queue("connections"))
        return ports
