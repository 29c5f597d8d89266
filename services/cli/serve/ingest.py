"""`sightline serve ingest`: cameras come in."""

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import urlsplit

from services.cli.serve.process import Link, ServiceProcess
from services.cli.serve.settings import IngestSettings
from services.common.access.check import AccessCheck
from services.common.access.notes import AccessNotes
from services.common.connections.addresses import host_and_port
from services.common.connections.cluster_tls import server_context
from services.common.connections.listening import ensure_free
from services.common.leases.camera_manager import CameraManager
from services.common.leases.protocol import Member
from services.common.metrics import Figure
from services.common.rtsp.server import rtsp_limits
from services.common.settings.cameras import CameraFiles
from services.common.settings.service import nats_url, reachable_host
from services.common.video.hub import VideoHub
from services.core.sentences.sentence import Sentence, sentence
from services.demo import demo_source
from services.ingest.camera_tests import CameraTester
from services.ingest.dialling import Dialler
from services.ingest.relay import RelayServer
from services.ingest.service import IngestService
from services.ingest.sources import source_of
from services.ingest.video_server import VideoServer


class IngestProcess:
    """Connects the cameras of this process, and gives their pictures to whoever asks."""

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._hub = VideoHub()
        self._key = secrets.token_urlsafe(32)
        self._tls = server_context()
        self._video = VideoServer(self._hub, self._key)
        self._manager: CameraManager | None = None
        self._service: IngestService | None = None
        self._relay: RelayServer | None = None
        self._process = ServiceProcess(
            "ingest", settings.host, settings.health_port, missing=self._missing, figures=self._figures
        )

    async def run(self) -> None:
        """Run until SIGTERM."""
        settings = self._settings
        ensure_free(settings.host, settings.video_port, "--video-port")
        if settings.relay:
            ensure_free(settings.host, settings.port, "--port")
        await self._process.run(self._serve)

    async def _serve(self, link: Link) -> None:
        async with AsyncExitStack() as stack:
            port = await stack.enter_async_context(
                self._video.listening(self._settings.host, self._settings.video_port, self._tls)
            )
            meeting = urlsplit(nats_url()).hostname
            host = reachable_host(self._settings.host, self._settings.advertise_host, meeting)
            address = f"{'ws' if self._tls is None else 'wss'}://{host_and_port(host, port)}"
            member = Member(self._process.member_id, "ingest", address, self._key)
            files = CameraFiles.of(self._settings.file_camera_folders)
            dialler = Dialler(self._settings.camera_patience_s)
            open_source = partial(source_of, files=files, demo=demo_source, dialler=dialler)
            service = IngestService(link.bus.events, link.bus.states, self._hub, open_source)
            bus = link.bus
            self._manager = CameraManager(member, link.leases, bus.setups, bus.events, service)
            self._service = service
            tester = CameraTester(files, demo_source, dialler=dialler)
            await stack.enter_async_context(bus.camera_tests.answering(tester.test))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._manager.run())
                if self._settings.relay:
                    tasks.create_task(self._serve_relay(link, self._manager))

    async def _serve_relay(self, link: Link, manager: CameraManager) -> None:
        notes = AccessNotes(link.bus.events.publish, "ingest")
        check = (
            AccessCheck(link.bus.access.newest, report=notes.report) if self._settings.wants_login else None
        )
        host, port = self._settings.host, self._settings.port
        relay = RelayServer(self._hub, host, port, check, limits=rtsp_limits(self._settings))
        self._relay = relay
        await relay.run(link.bus.setups, lambda: manager.cameras)

    def _missing(self) -> Sequence[Sentence]:
        if self._manager is None:
            return (sentence("video-port-closed"),)
        if self._settings.relay and (self._relay is None or self._relay.port is None):
            return (sentence("port-closed", port=self._settings.port),)
        return ()

    def _figures(self) -> Iterator[Figure]:
        cameras = self._manager.cameras if self._manager is not None else ()
        yield Figure("sightline_cameras_owned", len(cameras), {"role": "ingest"})
        if self._service is not None:
            yield from self._service.figures()
        yield from self._hub.figures()
        yield from self._video.figures()
        if self._relay is not None:
            yield from self._relay.figures()
