"""`sightline serve detector`: pictures become tracks and crossings."""

import asyncio
from collections.abc import Iterator

from services.cli.serve.process import Link, ServiceProcess
from services.cli.serve.settings import DetectorSettings
from services.common.access.check import AccessCheck
from services.common.access.notes import AccessNotes
from services.common.connections.listening import listen
from services.common.http.bounds import http_limits
from services.common.leases.camera_manager import CameraManager
from services.common.leases.protocol import Member
from services.common.live.analysed import AnalysedPictures
from services.common.live.decoding import Decoders
from services.common.metrics import Figure
from services.common.video.remote import RemoteVideo
from services.detector.infer.classifier import make_verifier
from services.detector.infer.select import EngineSettings, choice_of, make_detector, use_engines
from services.detector.ports.service import DetectorPorts, PortOptions
from services.detector.service import DetectorService

WARM_MODEL = "traffic"
"""Its engines are measured before the first camera comes, so that a take-over need not wait for it."""


class DetectorProcess:
    """Analyses the cameras of this process, and shows all cameras on its ports."""

    def __init__(self, settings: DetectorSettings) -> None:
        self._settings = settings
        self._json = listen(settings.host, settings.port, "--port")
        self._mjpeg = listen(settings.host, settings.mjpeg_port, "--mjpeg-port")
        self._video: RemoteVideo | None = None
        self._manager: CameraManager | None = None
        self._ports: DetectorPorts | None = None
        self._process = ServiceProcess("detector", settings.host, settings.health_port, figures=self._figures)

    async def run(self) -> None:
        """Run until SIGTERM."""
        use_engines(EngineSettings(self._settings.engine_folder, self._settings.engine))
        await asyncio.to_thread(make_detector, WARM_MODEL)
        await self._process.run(self._serve)

    async def _serve(self, link: Link) -> None:
        settings, bus = self._settings, link.bus
        video = self._video = RemoteVideo(lambda camera: link.leases.holder("ingest", camera))
        decoded = AnalysedPictures()
        service = DetectorService(
            bus.events,
            bus.tracks,
            bus.states,
            video,
            make_detector,
            choice_of=choice_of,
            decoded=decoded,
            make_classifier=make_verifier,
        )
        member = Member(self._process.member_id, "detector")
        self._manager = CameraManager(member, link.leases, bus.setups, bus.events, service)
        notes = AccessNotes(bus.events.publish, "detector")
        check = AccessCheck(bus.access.newest, report=notes.report) if settings.wants_login else None
        options = PortOptions(
            settings.live_fps, settings.jpeg_quality, settings.is_loopback, limits=http_limits(settings)
        )
        decoders = Decoders(video, settings.live_memory_mb, decoded)
        self._ports = DetectorPorts(
            bus.tracks, bus.states, bus.setups, video, check, options, decoders=decoders
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._manager.run())
            tasks.create_task(self._ports.run(self._json, self._mjpeg))

    def _figures(self) -> Iterator[Figure]:
        if self._video is not None:
            yield from self._video.figures()
        if self._manager is not None:
            yield Figure("sightline_cameras_owned", len(self._manager.cameras), {"role": "detector"})
        if self._ports is not None:
            yield from self._ports.figures()
