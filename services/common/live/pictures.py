"""Live JPEG pictures for many viewers: decoded, drawn and encoded once per camera, only while watched."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import cv2
import numpy as np

from services.common.bus import Bus
from services.common.drawing import Canvas, draw_lines, draw_objects
from services.common.h264 import DecodedPicture
from services.common.live.decoding import DecodingThread
from services.common.video import VideoSource
from services.core.errors import StreamError
from services.core.types import CameraId, Line, TrackedFrame, TrackedObject

STALE_S = 10.0
"""An older picture does not tell what the camera sees now."""

SILENT_S = 1.0
"""Without tracks for this long, pictures are shown with the lines alone."""

LATE_S = 0.5
"""How long tracks wait for their picture to be decoded."""

LinesOf = Callable[[CameraId], tuple[Line, ...]]


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A finished picture."""

    number: int
    time_s: float
    data: bytes


Form = Literal["plain", "boxes", "boxes and lines"]
"""What is drawn into pictures."""


def _no_lines(_: CameraId) -> tuple[Line, ...]:
    return ()


@dataclass
class _Channel:
    """One camera in one form, plain or with an overlay, and the task that makes its pictures."""

    decoder: DecodingThread
    picture_ready: asyncio.Event
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
        now_s: Callable[[], float] = time.time,
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
                channel.decoder.stop()
                if channel.task is not None:
                    channel.task.cancel()

    def _open(self, camera: CameraId, form: Form) -> _Channel:
        loop, ready = asyncio.get_running_loop(), asyncio.Event()

        def on_picture() -> None:
            try:
                loop.call_soon_threadsafe(ready.set)
            except RuntimeError:  # the loop has ended, and its viewers with it
                channel.decoder.stop()

        channel = _Channel(DecodingThread(camera, self._video, on_picture), ready)
        channel.decoder.start()
        lines_of = self._lines_of if form == "boxes and lines" else _no_lines
        plain = form == "plain"
        make = self._make_plain(channel) if plain else self._make_overlay(camera, channel, lines_of)
        channel.task = asyncio.create_task(make, name=f"live-{camera}")
        return channel

    async def _make_plain(self, channel: _Channel) -> None:
        while True:
            await self._show_newest(channel, ())
            await asyncio.sleep(self._pause_s)

    async def _show_newest(self, channel: _Channel, lines: tuple[Line, ...]) -> None:
        """Wait for a picture and show it, if it is of now."""
        await channel.picture_ready.wait()
        channel.picture_ready.clear()
        decoded = channel.decoder.memory.newest()
        if decoded is not None and self._now_s() - decoded.unit.time_s <= STALE_S:
            await self._show(channel, decoded, (), lines)

    async def _make_overlay(self, camera: CameraId, channel: _Channel, lines_of: LinesOf) -> None:
        """Draw the tracks of each analysed frame into exactly that frame's picture."""
        async with self._bus.tracks(camera) as frames:
            following = asyncio.ensure_future(anext(frames))
            try:
                while True:
                    done, _ = await asyncio.wait({following}, timeout=SILENT_S)
                    if not done:
                        await self._show_alone(lines_of(camera), channel, following)
                        continue
                    frame = following.result()
                    following = asyncio.ensure_future(anext(frames))
                    await self._show_tracks(channel, frame, lines_of(camera))
            finally:
                following.cancel()

    async def _show_alone(
        self, lines: tuple[Line, ...], channel: _Channel, following: "asyncio.Future[Any]"
    ) -> None:
        """Show pictures with the lines until tracks come."""
        while not following.done():
            ready: asyncio.Future[Any] = asyncio.ensure_future(channel.picture_ready.wait())
            await asyncio.wait([ready, following], return_when=asyncio.FIRST_COMPLETED)
            ready.cancel()
            if channel.picture_ready.is_set():
                await self._show_newest(channel, lines)
                await asyncio.wait({following}, timeout=self._pause_s)

    async def _show_tracks(self, channel: _Channel, frame: TrackedFrame, lines: tuple[Line, ...]) -> None:
        memory = channel.decoder.memory
        end_s = time.monotonic() + LATE_S
        while (decoded := memory.find(frame.frame, frame.time_s)) is None:
            newest = memory.newest()
            is_past = newest is not None and newest.unit.time_s >= frame.time_s
            left_s = end_s - time.monotonic()
            if is_past or left_s <= 0:
                return
            channel.picture_ready.clear()
            try:
                await asyncio.wait_for(channel.picture_ready.wait(), left_s)
            except TimeoutError:
                return
        await self._show(channel, decoded, frame.objects, lines)

    async def _show(
        self,
        channel: _Channel,
        decoded: DecodedPicture,
        objects: tuple[TrackedObject, ...],
        lines: tuple[Line, ...],
    ) -> None:
        data = await asyncio.to_thread(render, decoded, objects, lines, self._quality)
        channel.publish(data, decoded.unit.time_s)


def render(
    decoded: DecodedPicture, objects: tuple[TrackedObject, ...], lines: tuple[Line, ...], quality: int
) -> bytes:
    """Draw into a picture and give it as JPEG."""
    canvas: Canvas = np.ascontiguousarray(decoded.picture.to_ndarray(format="bgr24"), np.uint8)
    draw_lines(canvas, lines)
    draw_objects(canvas, objects)
    is_good, data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_good:
        raise StreamError("the picture could not be encoded")
    return bytes(data.tobytes())
