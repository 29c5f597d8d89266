"""`sightline serve rtsp`: pictures with boxes and lines go out."""

import asyncio
from collections.abc import Iterator, Sequence

from services.cli.serve.process import Link, ServiceProcess
from services.cli.serve.settings import RtspSettings
from services.common.access.check import AccessCheck
from services.common.access.notes import AccessNotes
from services.common.connections.listening import ensure_free
from services.common.leases.protocol import Member
from services.common.live.decoding import Decoders
from services.common.metrics import Figure
from services.common.rtsp.server import rtsp_limits
from services.common.video.remote import RemoteVideo
from services.core.sentences.sentence import Sentence, sentence
from services.rtsp.service import RtspService


class RtspProcess:
    """Sends the annotated pictures of all cameras."""

    def __init__(self, settings: RtspSettings) -> None:
        self._settings = settings
        self._video: RemoteVideo | None = None
        self._service: RtspService | None = None
        self._process = ServiceProcess(
            "rtsp", settings.host, settings.health_port, missing=self._missing, figures=self._figures
        )

    async def run(self) -> None:
        """Run until SIGTERM."""
        ensure_free(self._settings.host, self._settings.port, "--port")
        await self._process.run(self._serve)

    async def _serve(self, link: Link) -> None:
        settings = self._settings
        video = self._video = RemoteVideo(lambda camera: link.leases.holder("ingest", camera))
        notes = AccessNotes(link.bus.events.publish, "rtsp")
        check = AccessCheck(link.bus.access.newest, report=notes.report) if settings.wants_login else None
        limits, decoders = rtsp_limits(settings), Decoders(video, settings.live_memory_mb)
        service = RtspService(
            link.bus.tracks,
            link.bus.setups,
            video,
            settings.host,
            settings.port,
            check,
            limits=limits,
            decoders=decoders,
            states=link.bus.states,
        )
        self._service = service
        await link.leases.join(Member(self._process.member_id, "rtsp"))
        try:
            await service.run()
        finally:
            await asyncio.shield(link.leases.leave())

    def _missing(self) -> Sequence[Sentence]:
        is_open = self._service is not None and self._service.port is not None
        return () if is_open else (sentence("port-closed", port=self._settings.port),)

    def _figures(self) -> Iterator[Figure]:
        if self._video is not None:
            yield from self._video.figures()
        if self._service is not None:
            yield from self._service.figures()
