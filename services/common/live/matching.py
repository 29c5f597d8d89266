"""Pictures of one camera while somebody watches, each with the tracks of exactly its frame."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from services.common.bus.protocol import TrackFeed
from services.common.live.decoding import Decoders, DecodingThread
from services.common.live.memory import PictureMemory
from services.common.video.decoder import DecodedPicture
from services.core.errors import StreamError
from services.core.sentences.sentence import Sentence
from services.core.types import CameraId, Line, TrackedFrame, TrackedObject

STALE_S = 10.0
"""An older picture does not show what the camera sees now."""

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
    is_analysed: bool = True
    """Whether boxes are to be expected of it."""


def no_lines(_: CameraId) -> tuple[Line, ...]:
    """Give no lines, for pictures that show none."""
    return ()


class MatchedPictures:
    """Gives one camera's pictures to one consumer, on the event loop that made this.

    A consumer that is slow misses pictures; nothing waits for it. Pictures without tracks come at most
    once in `pause_s`. StreamError from the pictures means that none will come any more. Without `wants_past`
    the newest pictures alone are kept, which find no tracks.
    """

    def __init__(
        self,
        camera: CameraId,
        tracks: TrackFeed,
        decoders: Decoders,
        pause_s: float,
        now_s: Callable[[], float] = time.monotonic,
        wants_past: bool = True,
    ) -> None:
        self._wants_past = wants_past
        self._camera, self._tracks, self._now_s = camera, tracks, now_s
        self.pause_s = pause_s
        """Least time between two pictures without tracks; may be set at any time."""
        self._loop, self._ready = asyncio.get_running_loop(), asyncio.Event()
        self._decoders = decoders
        self._decoder: DecodingThread | None = None

    def start(self) -> None:
        """Begin to watch the camera; StreamError when there is no memory for one more."""
        self._decoder = self._decoders.watch(self._camera, self._on_picture, self._wants_past)

    def stop(self) -> None:
        """Watch no more, without waiting for the decoder."""
        if self._decoder is not None:
            self._decoders.leave(self._camera, self._decoder, self._on_picture, self._wants_past)

    def join(self) -> None:
        """Wait for the end of a decoder that nobody watches; blocks for up to its read timeout."""
        if self._decoder is not None and not self._decoder.is_watched:
            self._decoder.join()

    @property
    def drawing(self) -> Executor:
        """Where this process draws and encodes pictures."""
        return self._decoders.drawing

    def age_s(self, picture: LivePicture) -> float:
        """Give how long ago a picture was decoded."""
        return self._now_s() - picture.decoded.at_s

    @property
    def obstacle(self) -> Sentence | None:
        """Why there is no picture though the camera sends something, as far as it is known."""
        return None if self._decoder is None else self._decoder.obstacle

    @property
    def is_catching_up(self) -> bool:
        """Whether what was kept of the camera is decoded first."""
        return self._decoder is not None and self._decoder.is_catching_up

    def _on_picture(self) -> None:
        """Wake who waits; whoever has not looked since the last picture will find this one, too."""
        if self._ready.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._ready.set)
        except RuntimeError:  # the loop has ended, and its viewers with it
            self.stop()

    @property
    def _memory(self) -> PictureMemory:
        """The camera's pictures; StreamError when there will be none any more."""
        assert self._decoder is not None, "it was started before"
        if self._decoder.failure is not None:
            raise StreamError(self._decoder.failure.sentence)
        return self._decoder.memory

    async def plain(self) -> AsyncGenerator[LivePicture, None]:
        """Give pictures as they are, without end."""
        due_s = self._loop.time()
        while True:
            picture = await self._newest(())
            if picture is not None:
                yield picture
            due_s = max(due_s + self.pause_s, self._loop.time())
            await asyncio.sleep(due_s - self._loop.time())

    async def annotated(self, lines_of: LinesOf) -> AsyncGenerator[LivePicture, None]:
        """Give the picture of each analysed frame with its tracks, without end.

        While no tracks come, pictures have the lines alone, and say that they are not analysed.
        """
        async with self._tracks.follow(self._camera) as frames:
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
                    yield replace(picture, is_analysed=False)
                await asyncio.wait({following}, timeout=self.pause_s)

    async def _newest(self, lines: tuple[Line, ...]) -> LivePicture | None:
        """Wait for a picture and give it, if it is of now."""
        await self._ready.wait()
        self._ready.clear()
        decoded = self._memory.newest()
        picture = None if decoded is None else LivePicture(decoded, (), lines)
        return None if picture is None or self.age_s(picture) > STALE_S else picture

    async def _picture_of(self, frame: TrackedFrame) -> DecodedPicture | None:
        """Wait for a frame's picture; None when it is lost or too late."""
        end_s = time.monotonic() + LATE_S
        while True:
            self._ready.clear()
            decoded = self._memory.find(frame.frame, frame.time_s)
            if decoded is not None:
                return decoded
            newest = self._memory.newest()
            is_past = newest is not None and newest.unit.time_s >= frame.time_s
            left_s = end_s - time.monotonic()
            if is_past or left_s <= 0:
                return None
            try:
                async with asyncio.timeout(left_s):
                    await self._ready.wait()
            except TimeoutError:
                return None
