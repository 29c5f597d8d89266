"""Pictures of one camera while somebody watches, each with the tracks of exactly its frame."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from services.common.bus import Bus
from services.common.h264 import DecodedPicture
from services.common.live.decoding import DecodingThread
from services.common.video import VideoSource
from services.core.types import CameraId, Line, TrackedFrame, TrackedObject

STALE_S = 10.0
"""An older picture does not tell what the camera sees now."""

SILENT_S = 1.0
"""Without tracks for this long, pictures are shown with the lines alone."""

LATE_S = 0.5
"""How long tracks wait for their picture to be decoded."""

LinesOf = Callable[[CameraId], tuple[Line, ...]]


@dataclass(frozen=True, slots=True)
class LivePicture:
    """A decoded picture with what is to be drawn into it."""

    decoded: DecodedPicture
    objects: tuple[TrackedObject, ...] = ()
    lines: tuple[Line, ...] = ()


def no_lines(_: CameraId) -> tuple[Line, ...]:
    """Give no lines, for pictures that show none."""
    return ()


class MatchedPictures:
    """Decodes one camera and gives its pictures to one consumer, on the event loop that made this.

    A consumer that is slow misses pictures; nothing waits for it. Pictures without tracks come at most
    once in `pause_s`.
    """

    def __init__(
        self,
        camera: CameraId,
        bus: Bus,
        video: VideoSource,
        pause_s: float,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera, self._bus, self._pause_s, self._now_s = camera, bus, pause_s, now_s
        self._loop, self._ready = asyncio.get_running_loop(), asyncio.Event()
        self._decoder = DecodingThread(camera, video, self._on_picture)

    def start(self) -> None:
        """Begin to decode."""
        self._decoder.start()

    def stop(self) -> None:
        """Ask the decoder to end, without waiting for it."""
        self._decoder.stop()

    def join(self) -> None:
        """Wait for the end of the decoder; blocks for up to its read timeout."""
        self._decoder.join()

    def _on_picture(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # the loop has ended, and its viewers with it
            self._decoder.stop()

    async def plain(self) -> AsyncGenerator[LivePicture, None]:
        """Give pictures as they are, without end."""
        while True:
            picture = await self._newest(())
            if picture is not None:
                yield picture
            await asyncio.sleep(self._pause_s)

    async def annotated(self, lines_of: LinesOf) -> AsyncGenerator[LivePicture, None]:
        """Give the picture of each analysed frame with its tracks, without end.

        While no tracks come, pictures have the lines alone.
        """
        async with self._bus.tracks(self._camera) as frames:
            following = asyncio.ensure_future(anext(frames))
            try:
                while True:
                    done, _ = await asyncio.wait({following}, timeout=SILENT_S)
                    if not done:
                        async with aclosing(self._alone(lines_of, following)) as pictures:
                            async for picture in pictures:
                                yield picture
                        continue
                    frame = following.result()
                    following = asyncio.ensure_future(anext(frames))
                    decoded = await self._picture_of(frame)
                    if decoded is not None:
                        yield LivePicture(decoded, frame.objects, lines_of(self._camera))
            finally:
                following.cancel()

    async def _alone(
        self, lines_of: LinesOf, following: "asyncio.Future[Any]"
    ) -> AsyncGenerator[LivePicture, None]:
        """Give pictures with the lines until tracks come."""
        while not following.done():
            ready: asyncio.Future[Any] = asyncio.ensure_future(self._ready.wait())
            try:
                await asyncio.wait([ready, following], return_when=asyncio.FIRST_COMPLETED)
            finally:
                ready.cancel()
            if self._ready.is_set():
                picture = await self._newest(lines_of(self._camera))
                if picture is not None:
                    yield picture
                await asyncio.wait({following}, timeout=self._pause_s)

    async def _newest(self, lines: tuple[Line, ...]) -> LivePicture | None:
        """Wait for a picture and give it, if it is of now."""
        await self._ready.wait()
        self._ready.clear()
        decoded = self._decoder.memory.newest()
        if decoded is None or self._now_s() - decoded.at_s > STALE_S:
            return None
        return LivePicture(decoded, (), lines)

    async def _picture_of(self, frame: TrackedFrame) -> DecodedPicture | None:
        """Wait for a frame's picture; None when it is lost or too late."""
        memory = self._decoder.memory
        end_s = time.monotonic() + LATE_S
        while (decoded := memory.find(frame.frame, frame.time_s)) is None:
            newest = memory.newest()
            is_past = newest is not None and newest.unit.time_s >= frame.time_s
            left_s = end_s - time.monotonic()
            if is_past or left_s <= 0:
                return None
            self._ready.clear()
            try:
                async with asyncio.timeout(left_s):
                    await self._ready.wait()
            except TimeoutError:
                return None
        return decoded
