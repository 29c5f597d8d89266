"""`sightline serve ingest`: cameras come in."""

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial

from services.cli.serve.process import Link, ServiceProcess
from services.cli.serve.settings import IngestSettings
from services.common.access.check import AccessCheck
from services.common.access.notes import AccessNotes
from services.common.connections.addresses import host_and_port
from services.common.connections.cluster_tls import server_context
from services.common.connections.listening import ensure_free
from services.common.leases.camera_manager import Ownership
from services.common.leases.protocol import Member
from services.common.metrics import Figure
from services.common.rtsp.server import rtsp_limits
from services.common.settings.camera_files import CameraFiles
from services.common.settings.service import reachable_host
from services.common.video.hub import VideoHub
from services.demo import demo_source
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
        self._ownership: Ownership | None = None
        self._relay: RelayServer | None = None
        self._process = ServiceProcess("ingest", settings.host, settings.health_port, figures=self._figures)

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
            host = reachable_host(self._settings.host, self._settings.advertise_host)
            address = f"{'ws' if self._tls is None else 'wss'}://{host_and_port(host, port)}"
            member = Member(self._process.member_id, "ingest", address, self._key)
            files = CameraFiles.of(self._settings.file_camera_folders)
            open_source = partial(source_of, files=files, demo=demo_source)
            service = IngestService(link.bus, self._hub, open_source)
            self._ownership = Ownership(member, link.leases, link.bus, service)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._ownership.run())
                if self._settings.relay:
                    tasks.create_task(self._serve_relay(link, self._ownership))

    async def _serve_relay(self, link: Link, ownership: Ownership) -> None:
        notes = AccessNotes(link.bus.publish_events, "ingest")
        check = AccessCheck(link.bus.access, report=notes.tell) if self._settings.wants_login else None
        host, port = self._settings.host, self._settings.port
        relay = RelayServer(self._hub, host, port, check, limits=rtsp_limits(self._settings))
        self._relay = relay
        await relay.run(link.bus, lambda: ownership.cameras)

    def _figures(self) -> Iterator[Figure]:
        cameras = self._ownership.cameras if self._ownership is not None else ()
        yield Figure("sightline_cameras_owned", len(cameras), {"role": "ingest"})
        yield from self._video.figures()
        if self._relay is not None:
            yield from self._relay.figures()
