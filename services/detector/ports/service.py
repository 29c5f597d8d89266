"""The two ports on which the detector shows what cameras see: JSON (8070) and MJPEG (8090)."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field

from services.common.access.credentials import Check
from services.common.bus.protocol import Setups, SharedValue, StateBoard, TrackFeed
from services.common.http.bounds import HttpLimits
from services.common.http.server import HttpServer
from services.common.live import mjpeg
from services.common.live.absence import Absence, absence_of
from services.common.live.continuous import ContinuousPictures
from services.common.live.decoding import Decoders
from services.common.live.pictures import LivePictures
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.video.hub import VideoSource
from services.core.sentences.sentence import Sentence
from services.core.types import CameraId
from services.detector.ports.answers import PictureKey, guarding, json_app, mjpeg_app
from services.detector.ports.cameras import ShownCameras
from services.detector.ports.frames import ClassIds, frame_rest
from services.detector.ports.relay import READER_LIMIT, Relay

SLOW_READER_S = 5.0
"""A reader that takes nothing for this long is cut off."""

FRAMES_KEPT, PICTURES_KEPT = 8, 1
"""What waits for a reader that is late, before it loses the oldest."""

JSON_SEND_BUFFER_BYTES, MJPEG_SEND_BUFFER_BYTES = 32_768, 262_144
"""What the system may keep for one reader: little, so that a slow one sees what is now."""


@dataclass(frozen=True, slots=True)
class PortOptions:
    """How the ports show what there is."""

    fps: float = 12.0
    """Most pictures a second."""
    jpeg_quality: int = 60
    is_loopback: bool = True
    """Whether only this machine reaches the ports."""
    reader_limit: int = READER_LIMIT
    slow_reader_s: float = SLOW_READER_S
    limits: HttpLimits = field(default_factory=HttpLimits)
    """Connections and requests of each port."""


class DetectorPorts:
    """Shows any camera of the system, whichever process analyses it.

    `check` opens the ports to who is known; without it they are open to all who reach them. `decoders` are
    those of the process, where it shows pictures on other ports too.
    """

    def __init__(
        self,
        tracks: TrackFeed,
        states: StateBoard,
        setups: SharedValue[Setups],
        video: VideoSource,
        check: Check | None = None,
        options: PortOptions | None = None,
        now_s: Callable[[], float] = time.monotonic,
        decoders: Decoders | None = None,
    ) -> None:
        options, decoders = options or PortOptions(), decoders or Decoders(video)
        self._tracks, self._states, self._setups = tracks, states, setups
        self._cameras, self._class_ids = ShownCameras(), ClassIds()
        self._live = LivePictures(
            tracks, decoders, self._cameras.lines, options.fps, options.jpeg_quality, now_s
        )
        self._continuous = ContinuousPictures(self._live, self._absence_of)
        self._frames: Relay[CameraId] = Relay(self._frames_of, FRAMES_KEPT, options.reader_limit)
        self._pictures: Relay[PictureKey] = Relay(self._pictures_of, PICTURES_KEPT, options.reader_limit)
        guard = guarding(check, options.is_loopback)
        self._json = HttpServer(
            json_app(self._cameras, self._frames, guard),
            end_streams=self._end_streams,
            stall_timeout_s=options.slow_reader_s,
            limits=options.limits,
        )
        self._mjpeg = HttpServer(
            mjpeg_app(self._cameras, self._pictures, guard, self._live.check_room),
            end_streams=self._end_streams,
            stall_timeout_s=options.slow_reader_s,
            limits=options.limits,
        )

    async def run(self, json_listening: socket.socket | None, mjpeg_listening: socket.socket | None) -> None:
        """Serve until cancelled; then all answers end in order, within the bound of the servers.

        None: that port is not served.
        """
        ports = (
            (self._json, json_listening, JSON_SEND_BUFFER_BYTES),
            (self._mjpeg, mjpeg_listening, MJPEG_SEND_BUFFER_BYTES),
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_setups())
            for server, listening, buffer_bytes in ports:
                if listening is not None:
                    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
                    tasks.create_task(server.run_until_cancelled(listening))

    def figures(self) -> Iterator[Figure]:
        """Give the figures of the ports."""
        relays: tuple[tuple[str, Relay[CameraId] | Relay[PictureKey], HttpServer], ...] = (
            ("json", self._frames, self._json),
            ("mjpeg", self._pictures, self._mjpeg),
        )
        for port, relay, server in relays:
            labels = {"port": port}
            yield Figure("sightline_readers", relay.readers, labels)
            yield Figure("sightline_readers_refused_total", relay.refused, labels)
            yield Figure("sightline_readers_stalled_total", server.stalled, labels)
            yield Figure("sightline_reader_waiting_bytes", server.waiting_bytes, labels)
            yield Figure("sightline_reader_frames_dropped_total", relay.dropped, labels)
            yield from server.figures(port)
        yield from self._live.figures()

    def queues(self) -> Iterator[QueueState]:
        """Give what slow readers of the ports have lost; what waits for each is bounded in bytes."""
        yield QueueState("json-frames", None, None, self._frames.dropped, "oldest")
        yield QueueState("mjpeg-pictures", None, None, self._pictures.dropped, "oldest")
        yield self._json.queue("json-connections")
        yield self._mjpeg.queue("mjpeg-connections")

    async def _follow_setups(self) -> None:
        async with self._setups.follow() as changes:
            async for setups in changes:
                self._cameras.update(setups)
                self._class_ids.keep({setup.camera.model for setup in setups})
                self._end_gone()

    def _end_streams(self) -> None:
        self._cameras.end()
        self._end_gone()

    def _end_gone(self) -> None:
        self._frames.end(lambda camera: not self._cameras.shows(camera))
        self._pictures.end(lambda key: not self._cameras.shows(key[0]))

    async def _frames_of(self, camera: CameraId) -> AsyncGenerator[bytes, None]:
        async with self._tracks.follow(camera) as frames:
            async for frame in frames:
                state = self._states.state(camera)
                class_ids = await self._class_ids.of(self._cameras.model(camera))
                yield frame_rest(frame, class_ids, state.resolution if state is not None else None)

    async def _pictures_of(self, key: PictureKey) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._continuous.stream(*key)) as pictures:
            async for picture in pictures:
                yield mjpeg.part(picture)

    def _absence_of(
        self, camera: CameraId, obstacle: Sentence | None, shown_s: float | None
    ) -> Absence | None:
        setup = self._cameras.setup(camera)
        return None if setup is None else absence_of(setup, self._states.state(camera), obstacle, shown_s)
