"""Live JPEG pictures for many viewers: decoded, drawn and encoded once per camera, only while watched."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from services.common.bus import Bus
from services.common.drawing import Canvas, draw_lines, draw_objects
from services.common.live.matching import LinesOf, LivePicture, MatchedPictures, no_lines
from services.common.video import VideoSource
from services.core.errors import StreamError
from services.core.types import CameraId


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
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def publish(self, data: bytes, time_s: float) -> None:
        """Show a picture to all viewers; one that is slow sees only the newest."""
        number = self.newest.number + 1 if self.newest else 1
        self.newest = Jpeg(number, time_s, data)
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class LivePictures:
    """Makes pictures of the cameras that are watched."""

    def __init__(
        self,
        bus: Bus,
        video: VideoSource,
        lines_of: LinesOf,
        fps: float = 12.0,
        quality: int = 80,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bus, self._video, self._lines_of = bus, video, lines_of
        self._pause_s, self._quality, self._now_s = 1 / fps, quality, now_s
        self._channels: dict[tuple[CameraId, Form], _Channel] = {}

    @property
    def watched(self) -> int:
        """Number of cameras, each in a form, that are decoded now."""
        return len(self._channels)

    async def snapshot(self, camera: CameraId, form: Form, timeout_s: float) -> bytes:
        """Give one picture; StreamError when none comes in time."""
        pictures = self.stream(camera, form)
        try:
            async with asyncio.timeout(timeout_s):
                return await anext(pictures)
        except TimeoutError:
            raise StreamError(f"camera {camera!r} gives no picture now") from None
        finally:
            await pictures.aclose()

    async def stream(self, camera: CameraId, form: Form) -> AsyncGenerator[bytes, None]:
        """Give JPEG pictures from now on, without end."""
        seen = 0
        async with self._watched(camera, form) as channel:
            while True:
                changed, newest = channel.changed, channel.newest
                if newest is None or newest.number <= seen:
                    await changed.wait()
                    continue
                seen = newest.number
                yield newest.data

    @asynccontextmanager
    async def _watched(self, camera: CameraId, form: Form) -> AsyncIterator[_Channel]:
        key = camera, form
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = self._open(camera, form)
        channel.viewers += 1
        try:
            yield channel
        finally:
            channel.viewers -= 1
            if channel.viewers == 0:
                del self._channels[key]
                channel.source.stop()
                if channel.task is not None:
                    channel.task.cancel()

    def _open(self, camera: CameraId, form: Form) -> _Channel:
        source = MatchedPictures(camera, self._bus, self._video, self._pause_s, self._now_s)
        source.start()
        channel = _Channel(source)
        lines_of = self._lines_of if form == "boxes and lines" else no_lines
        pictures = source.plain() if form == "plain" else source.annotated(lines_of)
        channel.task = asyncio.create_task(self._make(channel, pictures), name=f"live-{camera}")
        return channel

    async def _make(self, channel: _Channel, pictures: AsyncGenerator[LivePicture, None]) -> None:
        async with aclosing(pictures):
            async for picture in pictures:
                data = await asyncio.to_thread(render, picture, self._quality)
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
        raise StreamError("the picture could not be encoded")
    return bytes(data.tobytes())
