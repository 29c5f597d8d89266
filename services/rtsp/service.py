"""The rtsp service: pictures with boxes and lines over RTSP, `rtsp://host:8555/<camera>`."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

from services.common.access.credentials import Check
from services.common.bus.protocol import Setups, SharedValue, StateBoard, TrackFeed
from services.common.live.absence import Absence, absence_of
from services.common.live.decoding import Decoders
from services.common.live.matching import MatchedPictures
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.rtsp.gstreamer import load_gstreamer
from services.common.rtsp.mounts import Feed, RtspStream
from services.common.rtsp.output import RtspOutput
from services.common.rtsp.server import RtspLimits, RtspServer
from services.common.tasks import watched_from_thread
from services.common.video.hub import VideoSource
from services.core.sentences.sentence import Sentence
from services.core.types import CameraId, CameraSetup, Line
from services.rtsp.feed import AnnotatedFeed

PIPELINE = (
    "( appsrc name=src is-live=true format=time block=false max-bytes=0 max-time=0 max-buffers=0"
    " ! x264enc tune=zerolatency speed-preset=ultrafast pass=qual quantizer=23 bitrate=8000"
    " key-int-max=600 bframes=0 threads=1"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)
"""Of even quality, at most 8 Mbit/s. The feed asks for key frames by time, so that none comes by number."""

ELEMENTS = ("appsrc", "x264enc", "rtph264pay", "rtpbin")

WAITING_LIMIT = 4
"""Raw pictures that may wait for the encoder."""

SILENT_FPS = 12.0
"""Rate of pictures while a camera is not analysed."""

END_TIMEOUT_S = 5.0


class _Running:
    """A feed that has begun, seen from GStreamer's threads."""

    def __init__(self, work: "Future[None]") -> None:
        self._work = work

    def stop(self) -> None:
        """Ask the feed to end."""
        self._work.cancel()


class RtspService:
    """Serves all cameras that are switched on; each is drawn and encoded once, and only while watched."""

    def __init__(
        self,
        tracks: TrackFeed,
        setups: SharedValue[Setups],
        video: VideoSource,
        host: str,
        port: int,
        check: Check | None = None,
        port_option: str = "--port",
        now_s: Callable[[], float] = time.monotonic,
        limits: RtspLimits | None = None,
        decoders: Decoders | None = None,
        states: StateBoard | None = None,
    ) -> None:
        """Take where to listen (port 0: any free one), and who may watch (None: everybody).

        `decoders` are those of the process, where it shows pictures on other ports too; `states` say why a
        camera gives no picture.
        """
        self._states = states
        self._tracks, self._shared, self._now_s = tracks, setups, now_s
        self._decoders = decoders or Decoders(video)
        self._host, self._port, self._check, self._port_option = host, port, check, port_option
        self._limits = limits
        self._setups: dict[CameraId, CameraSetup] = {}
        self._feeds: set[asyncio.Task[None]] = set()
        self._server: RtspServer | None = None
        self.encoded = 0
        """Pictures given to encoders."""
        self.dropped = 0
        """Pictures that an encoder could not take."""

    @property
    def port(self) -> int | None:
        """The port that is listened on, None before that."""
        return self._server.port if self._server is not None else None

    @property
    def served(self) -> tuple[str, ...]:
        """Cameras that can be watched now."""
        return self._server.mounts.names if self._server is not None else ()

    @property
    def watchers(self) -> int:
        """Clients that watch now."""
        return self._server.watchers if self._server is not None else 0

    @property
    def refused(self) -> int:
        """Connections beyond the most at once."""
        return self._server.refused if self._server is not None else 0

    @property
    def encoders(self) -> int:
        """Cameras that are drawn and encoded now."""
        return len(self._feeds)

    def figures(self) -> Iterator[Figure]:
        """Give the figures of the port."""
        if self._server is not None:
            yield from self._server.figures("annotated")
            yield Figure("sightline_pictures_dropped_total", self.dropped, {"port": "annotated"})

    def queues(self) -> Iterator[QueueState]:
        """Give what the encoders could not take; nothing waits for them."""
        yield QueueState("annotated-pictures", None, None, self.dropped, "newest")

    async def run(self) -> None:
        """Serve until cancelled.

        SightlineError when GStreamer is missing, BadInputError when the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(load_gstreamer)
        server = self._server = RtspServer(
            self._host, self._port, self._check, ELEMENTS, self._port_option, self._limits
        )
        try:
            async with self._shared.follow() as changes:
                async for setups in changes:
                    await asyncio.to_thread(self._apply, server, loop, setups)
        finally:
            await asyncio.shield(self._end(server))

    async def _end(self, server: RtspServer) -> None:
        await asyncio.to_thread(server.stop)
        if self._feeds:
            await asyncio.wait(self._feeds, timeout=END_TIMEOUT_S)

    def _apply(
        self, server: RtspServer, loop: asyncio.AbstractEventLoop, setups: Sequence[CameraSetup]
    ) -> None:
        """Serve the cameras that are there now, and end the clients of those that are gone."""
        self._setups = {setup.camera.id: setup for setup in setups}
        wanted = {setup.camera.id for setup in setups if setup.camera.enabled}
        before = set(server.mounts.names)
        for name in before - wanted:
            server.mounts.remove(name)
        for camera in wanted - before:
            stream = RtspStream(lambda: PIPELINE, self._begin(camera, loop), waiting_limit=WAITING_LIMIT)
            server.mounts.add(camera, stream)
        server.mounts.set_default(setups[0].camera.id if setups else None)

    def _begin(self, camera: CameraId, loop: asyncio.AbstractEventLoop) -> Callable[[RtspOutput], Feed]:
        def begin(output: RtspOutput) -> Feed:
            return _Running(watched_from_thread(self._feed(camera, output), loop, f"feed of {camera}"))

        return begin

    async def _feed(self, camera: CameraId, output: RtspOutput) -> None:
        def source() -> MatchedPictures:
            return MatchedPictures(camera, self._tracks, self._decoders, 1 / SILENT_FPS, self._now_s)

        task, setup = asyncio.current_task(), self._setups.get(camera)
        assert task is not None
        fps = setup.camera.fps if setup is not None else SILENT_FPS
        counting = self._count_encoded, self._count_dropped
        self._feeds.add(task)
        try:
            await AnnotatedFeed(
                camera, fps, source, self._lines_of, output, *counting, self._absence_of
            ).run()
        finally:
            self._feeds.discard(task)

    def _lines_of(self, camera: CameraId) -> tuple[Line, ...]:
        setup = self._setups.get(camera)
        return setup.lines if setup is not None else ()

    def _absence_of(
        self, camera: CameraId, obstacle: Sentence | None, shown_s: float | None
    ) -> Absence | None:
        setup = self._setups.get(camera)
        state = self._states.state(camera) if self._states is not None else None
        return None if setup is None else absence_of(setup, state, obstacle, shown_s)

    def _count_encoded(self) -> None:
        self.encoded += 1

    def _count_dropped(self) -> None:
        self.dropped += 1
