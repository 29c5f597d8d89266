"""The ports of `up` beside the page: detections, pictures, and both RTSP streams.

A port that nobody asked for by name and that is taken, or that this machine has no GStreamer for, is logged
once, and the rest of the system goes on without it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from services.cli.up_settings import UpConfig
from services.common.access.check import AccessCheck
from services.common.access.credentials import Check
from services.common.access.notes import AccessNotes
from services.common.bus.protocol import Bus
from services.common.connections.addresses import is_loopback
from services.common.connections.listening import listen
from services.common.http.bounds import http_limits
from services.common.live.decoding import Decoders
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.rtsp.server import rtsp_limits
from services.common.video.hub import VideoHub
from services.core.errors import SightlineError
from services.core.types import CameraId
from services.detector.ports.service import DetectorPorts, PortOptions
from services.ingest.relay import RelayServer
from services.rtsp.service import RtspService

log = logging.getLogger(__name__)


class MediaPorts:
    """Serves 8070, 8090, 8554 and 8555 of one process until cancelled."""

    def __init__(
        self, settings: UpConfig, bus: Bus, video: VideoHub, decoders: Decoders, wants_login: bool
    ) -> None:
        self._settings, self._bus, self._video, self._decoders = settings, bus, video, decoders
        notes = AccessNotes(bus.events.publish, "media ports")
        self._check: Check | None = (
            AccessCheck(bus.access.newest, report=notes.report) if wants_login else None
        )
        self._detector: DetectorPorts | None = None
        self._relay: RelayServer | None = None
        self._annotated: RtspService | None = None

    async def run(self, owned: Callable[[], Collection[CameraId]]) -> None:
        """Serve; `owned` gives the cameras that ingest works on.

        BadInputError when a port that was asked for cannot be had.
        """
        parts: Mapping[tuple[str, ...], Callable[[], Awaitable[Any]]] = {
            ("json_port", "mjpeg_port"): self._serve_detector,
            ("relay_port",): lambda: self._serve_relay(owned),
            ("annotated_port",): self._serve_annotated,
        }
        async with asyncio.TaskGroup() as tasks:
            for names, serve in parts.items():
                if any(getattr(self._settings, name) is not None for name in names):
                    tasks.create_task(self._serve(names, serve))

    def figures(self) -> Iterator[Figure]:
        """Give the figures of the ports."""
        for port in (self._detector, self._relay, self._annotated):
            if port is not None:
                yield from port.figures()

    def queues(self) -> dict[str, list[QueueState]]:
        """Give the queues of the ports by service; none of a port that is not open."""
        parts = {"ingest": self._relay, "detector": self._detector, "rtsp": self._annotated}
        return {name: list(part.queues()) for name, part in parts.items() if part is not None}

    async def _serve(self, names: tuple[str, ...], serve: Callable[[], Awaitable[Any]]) -> None:
        try:
            await serve()
        except SightlineError as error:
            if self._settings.model_fields_set.intersection(names):
                raise
            log.warning("%s; going on without it (settings: %s)", error, ", ".join(names))

    async def _serve_detector(self) -> None:
        settings = self._settings
        with ExitStack() as opened:
            json, mjpeg = (
                None if port is None else opened.enter_context(listen(settings.host, port, name))
                for port, name in ((settings.json_port, "json_port"), (settings.mjpeg_port, "mjpeg_port"))
            )
            options = PortOptions(is_loopback=is_loopback(settings.host), limits=http_limits(settings))
            bus, decoders = self._bus, self._decoders
            self._detector = DetectorPorts(
                bus.tracks, bus.states, bus.setups, self._video, self._check, options, decoders=decoders
            )
            await self._detector.run(json, mjpeg)

    async def _serve_relay(self, owned: Callable[[], Collection[CameraId]]) -> None:
        assert self._settings.relay_port is not None
        port = self._settings.relay_port
        limits = rtsp_limits(self._settings)
        relay = RelayServer(self._video, self._settings.host, port, self._check, "relay_port", limits)
        self._relay = relay
        await relay.run(self._bus.setups, owned)

    async def _serve_annotated(self) -> None:
        assert self._settings.annotated_port is not None
        port = self._settings.annotated_port
        host, limits = self._settings.host, rtsp_limits(self._settings)
        service = RtspService(
            self._bus.tracks,
            self._bus.setups,
            self._video,
            host,
            port,
            self._check,
            "annotated_port",
            limits=limits,
            decoders=self._decoders,
            states=self._bus.states,
        )
        self._annotated = service
        await service.run()
