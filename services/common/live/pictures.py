"""Live JPEG pictures for many viewers: decoded, drawn and encoded once per camera, only while watched."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from services.common.bus.protocol import TrackFeed
from services.common.live.decoding import Decoders
from services.common.live.drawing import Canvas, draw_lines, draw_objects
from services.common.live.matching import LinesOf, LivePicture, MatchedPictures, no_lines
from services.common.metrics import Figure
from services.common.tasks import watched
from services.core.errors import StreamError
from services.core.types import CameraId

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A finished picture."""

    number: int
    time_s: float
    data: bytes


Form = Literal["plain", "boxes", "boxes and lines"]
"""What is drawn into pictures."""


@dataclass
class _Channel:
    """One camera in one form, plain or with an overlay, and the task that makes its pictures."""

    source: MatchedPictures
    viewers: int = 0
    newest: Jpeg | None = None
    failure: StreamError | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def publish(self, data: bytes, time_s: float) -> None:
        """Show a picture to all viewers; one that is slow sees only the newest."""
        number = self.newest.number + 1 if self.newest else 1
        self.newest = Jpeg(number, time_s, data)
        self._wake()

    def fail(self, error: StreamError) -> None:
        """Let all viewers know that no picture will come any more."""
        self.failure = error
        self._wake()

    def _wake(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class LiveStream:
    """What one viewer sees of a camera, until it is closed."""

    def __init__(self, channel: _Channel, on_close: Callable[[], None]) -> None:
        self._channel, self._on_close = channel, on_close
        self._is_closed = False

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Give JPEG pictures without end; StreamError when no more will come."""
        seen = 0
        while True:
            changed, newest = self._channel.changed, self._channel.newest
            if newest is not None and newest.number > seen:
                seen = newest.number
                yield newest.data
            elif self._channel.failure is not None:
                raise StreamError(self._channel.failure.sentence)
            else:
                await changed.wait()

    def close(self) -> None:
        """Look no more; the last one of a camera and form ends its work."""
        if not self._is_closed:
            self._is_closed = True
            self._on_close()


class LivePictures:
    """Makes pictures of the cameras that are watched."""

    def __init__(
        self,
        tracks: TrackFeed,
        decoders: Decoders,
        lines_of: LinesOf,
        fps: float = 12.0,
        quality: int = 80,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracks, self._decoders, self._lines_of = tracks, decoders, lines_of
        self._pause_s, self._quality, self._now_s = 1 / fps, quality, now_s
        self._channels: dict[tuple[CameraId, Form], _Channel] = {}

    @property
    def watched(self) -> int:
        """Number of cameras, each in a form, whose pictures are made now."""
        return len(self._channels)

    def check_room(self, camera: CameraId) -> None:
        """Raise the StreamError that `open` would for want of memory."""
        self._decoders.check_room(camera)

    def figures(self) -> Iterator[Figure]:
        """Give what live pictures cost this process."""
        memories = self._decoders.memories
        yield Figure("sightline_live_cameras", self._decoders.cameras)
        yield Figure("sightline_live_memory_bytes", memories.kept_bytes)
        yield Figure("sightline_live_memory_limit_bytes", memories.limit_bytes)
        yield Figure("sightline_live_refused_total", self._decoders.refused)

    async def snapshot(self, camera: CameraId, form: Form, timeout_s: float) -> bytes:
        """Give one picture; StreamError when none comes in time."""
        with closing(self.open(camera, form)) as stream:
            try:
                async with asyncio.timeout(timeout_s):
                    return await anext(aiter(stream))
            except TimeoutError:
                raise StreamError("camera-no-picture", camera=camera) from None

    async def stream(self, camera: CameraId, form: Form) -> AsyncGenerator[bytes, None]:
        """Give JPEG pictures from now on, without end."""
        with closing(self.open(camera, form)) as stream:
            async for picture in stream:
                yield picture

    def open(self, camera: CameraId, form: Form) -> LiveStream:
        """Watch a camera until the stream is closed; StreamError when there is no memory for one more."""
        key = camera, form
        channel = self._channels.get(key)
        if channel is None or channel.failure is not None:
            channel = self._channels[key] = self._begin(camera, form)
        channel.viewers += 1
        return LiveStream(channel, lambda: self._leave(key, channel))

    def _leave(self, key: tuple[CameraId, Form], channel: _Channel) -> None:
        channel.viewers -= 1
        if channel.viewers == 0:
            if self._channels.get(key) is channel:
                del self._channels[key]
            channel.source.stop()
            if channel.task is not None:
                channel.task.cancel()

    def _begin(self, camera: CameraId, form: Form) -> _Channel:
        source = MatchedPictures(camera, self._tracks, self._decoders, self._pause_s, self._now_s)
        source.start()
        channel = _Channel(source)
        lines_of = self._lines_of if form == "boxes and lines" else no_lines
        pictures = source.plain() if form == "plain" else source.annotated(lines_of)
        channel.task = watched(self._make(camera, channel, pictures), f"live pictures of camera {camera}")
        return channel

    async def _make(
        self, camera: CameraId, channel: _Channel, pictures: AsyncGenerator[LivePicture, None]
    ) -> None:
        """Make pictures until nobody looks. However it ends, nobody waits for it any more.

        Whoever looks again, or comes later, begins with a new channel.
        """
        failure = StreamError("camera-pictures-ended", camera=camera)
        try:
            await self._make_each(channel, pictures)
        except StreamError as error:
            failure = error
        except Exception:
            log.exception("live pictures of camera %s failed", camera)
            failure = StreamError("fault")
        finally:
            channel.fail(failure)

    async def _make_each(self, channel: _Channel, pictures: AsyncGenerator[LivePicture, None]) -> None:
        loop, drawing = asyncio.get_running_loop(), self._decoders.drawing
        async with aclosing(pictures):
            async for picture in pictures:
                data = await loop.run_in_executor(drawing, render, picture, self._quality)
                channel.publish(data, picture.decoded.unit.time_s)


def draw(picture: LivePicture) -> Canvas:
    """Give a picture (BGR) with its lines and tracks drawn in.

    The picture would keep its own converter, and as many threads as there are cores, for as long as it
    is remembered: it is converted with one that ends here.
    """
    converted = VideoReformatter().reformat(picture.decoded.picture, format="bgr24", threads=1)
    canvas: Canvas = np.ascontiguousarray(converted.to_ndarray(), np.uint8)
    draw_lines(canvas, picture.lines)
    draw_objects(canvas, picture.objects)
    return canvas


def render(picture: LivePicture, quality: int) -> bytes:
    """Draw into a picture and give it as JPEG."""
    is_good, data = cv2.imencode(".jpg", draw(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_good:
        raise StreamError("picture-not-encoded")
    return bytes(data.tobytes())
