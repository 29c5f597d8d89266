"""The relay: each camera's own H.264 or H.265 over RTSP, not encoded anew, `rtsp://host:8554/<camera>`.

It serves the cameras that its ingest process owns. What another process owns is not found here (404):
with several ingest processes, players need the address of the one that owns the camera.
"""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

from services.common.access.credentials import Check
from services.common.bus.protocol import Setups, SharedValue
from services.common.metrics import Figure
from services.common.queues import QueueState
from services.common.rtsp.gstreamer import load_gstreamer
from services.common.rtsp.mounts import Feed, RtspStream
from services.common.rtsp.output import RtspOutput
from services.common.rtsp.server import RtspLimits, RtspServer
from services.common.video.hub import VideoHub
from services.core.codecs import Codec
from services.core.types import CameraId, CameraSetup
from services.ingest.relay_feed import RelayFeed

PIPELINE = (
    "( appsrc name=src is-live=true format=time block=false max-bytes=0 max-time=0 max-buffers=0"
    " ! {parse} ! {pay} name=pay0 pt=96 config-interval=-1 )"
)
"""The bound of the queue is kept by who fills it, so that whole groups are dropped and not parts."""

STEPS = {Codec.H264: ("h264parse", "rtph264pay"), Codec.HEVC: ("h265parse", "rtph265pay")}
"""What reads and what sends a codec."""

ELEMENTS = ("appsrc", "h264parse", "rtph264pay", "h265parse", "rtph265pay", "rtpbin")

TICK_S = 0.5
END_TIMEOUT_S = 2.0


class RelayServer:
    """Relays the cameras that it is given, each client from a key frame on; nothing runs unwatched.

    Each client has a pipeline of its own, fed with the newest group of pictures: in a common one, whoever
    comes second would wait for the camera's next key frame.
    """

    def __init__(
        self,
        video: VideoHub,
        host: str,
        port: int,
        check: Check | None = None,
        port_option: str = "--port",
        limits: RtspLimits | None = None,
    ) -> None:
        """Take the pictures, where to listen (port 0: any free one), and who may watch (None: everybody)."""
        self._video, self._host, self._port, self._check = video, host, port, check
        self._port_option, self._limits = port_option, limits
        self._lock = threading.Lock()
        self._feeds: set[RelayFeed] = set()
        self.dropped = 0
        """Pictures that pipelines could not take, each up to the next key frame."""
        self._server: RtspServer | None = None

    @property
    def port(self) -> int | None:
        """The port that is listened on, None before that."""
        return self._server.port if self._server is not None else None

    @property
    def watchers(self) -> int:
        """Clients that watch now."""
        return self._server.watchers if self._server is not None else 0

    @property
    def refused(self) -> int:
        """Connections beyond the most at once."""
        return self._server.refused if self._server is not None else 0

    @property
    def feeds(self) -> int:
        """Pipelines that are filled now."""
        with self._lock:
            return len(self._feeds)

    def figures(self) -> Iterator[Figure]:
        """Give the figures of the port."""
        if self._server is not None:
            yield from self._server.figures("relay")
            yield Figure("sightline_pictures_dropped_total", self.dropped, {"port": "relay"})

    def queues(self) -> Iterator[QueueState]:
        """Give what the pipelines could not take."""
        yield QueueState("relay-pictures", None, None, self.dropped, "newest")

    def start(self) -> None:
        """Listen; SightlineError when GStreamer is missing, BadInputError when the port cannot be had."""
        self._server = RtspServer(
            self._host, self._port, self._check, ELEMENTS, self._port_option, self._limits
        )

    def set_cameras(self, cameras: Collection[CameraId], default: CameraId | None = None) -> None:
        """Serve exactly these cameras, one of them at the bare address; clients of others are ended."""
        assert self._server is not None, "start comes first"
        mounts = self._server.mounts
        before = set(mounts.names)
        for name in before - set(cameras):
            mounts.remove(name)
        for camera in set(cameras) - before:
            mounts.add(camera, RtspStream(self._pipeline(camera), self._begin(camera), is_shared=False))
        mounts.set_default(default)

    def stop(self) -> None:
        """End all clients and every thread."""
        if self._server is not None:
            self._server.stop()
        with self._lock:
            feeds = list(self._feeds)
        for feed in feeds:
            feed.stop()
        for feed in feeds:
            feed.join(END_TIMEOUT_S)

    async def run(self, shared: SharedValue[Setups], owned: Callable[[], Collection[CameraId]]) -> None:
        """Serve what this process owns, as far as it is switched on; at cancellation all ends."""
        await asyncio.to_thread(load_gstreamer)
        self.start()
        setups: dict[CameraId, CameraSetup] = {}

        async def follow() -> None:
            async with shared.follow() as changes:
                async for changed in changes:
                    setups.clear()
                    setups.update((setup.camera.id, setup) for setup in changed)

        following = asyncio.create_task(follow())
        try:
            while not following.done():
                mine = [id for id in owned() if id in setups and setups[id].camera.enabled]
                await asyncio.to_thread(self.set_cameras, mine, next(iter(setups), None))
                await asyncio.wait({following}, timeout=TICK_S)
            await following
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await asyncio.shield(asyncio.to_thread(self.stop))

    def _pipeline(self, camera: CameraId) -> Callable[[], str]:
        def launch_line() -> str:
            parse, pay = STEPS[self._video.codec(camera)]
            return PIPELINE.format(parse=parse, pay=pay)

        return launch_line

    def _begin(self, camera: CameraId) -> Callable[[RtspOutput], Feed]:
        def begin(output: RtspOutput) -> Feed:
            feed = RelayFeed(camera, self._video, output, self._count_dropped, self._forget)
            with self._lock:
                self._feeds.add(feed)
            feed.start()
            return feed

        return begin

    def _forget(self, feed: RelayFeed) -> None:
        with self._lock:
            self._feeds.discard(feed)

    def _count_dropped(self) -> None:
        with self._lock:
            self.dropped += 1
