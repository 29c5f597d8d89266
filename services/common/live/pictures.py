"""Live JPEG pictures for many viewers: decoded once a camera, encoded once a size, only while watched.

A viewer takes a picture when it is due for it. Whoever wants the same size then gets what was encoded just
before: one more viewer costs no more encoding, and one that does not read costs none at all.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from services.common.bus.protocol import TrackFeed
from services.common.live.decoding import Decoders
from services.common.live.drawing import Canvas, draw_lines, draw_note, draw_objects
from services.common.live.matching import STALE_S, LinesOf, LivePicture, MatchedPictures, no_lines
from services.common.live.offline import OfflinePictures
from services.common.metrics import Figure
from services.common.tasks import watched
from services.core.errors import StreamError
from services.core.sentences.sentence import Sentence
from services.core.types import CameraId

log = logging.getLogger(__name__)

Form = Literal["plain", "boxes", "boxes and lines"]
"""What is drawn into pictures."""

MOST_SIZES = 8
"""Widths in which one camera and form is encoded at once; who wants another one gets the next best."""

NOT_ANALYSED = "no boxes: not analysed now"

FAULT = "a fault in Sightline, which its log describes"

LONGEST_CATCHING_UP_S = 10.0
"""Who asks for one picture of a camera with rare key frames waits up to so long while it is decoded."""

SLOWEST_S = 0.5
"""Most time between two looks at a camera, so that a viewer who comes finds what it shows now."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A finished picture."""

    time_s: float
    """When it was taken."""
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Encoding:
    """What was made of a picture in one size, or is being made."""

    number: int
    """Of the picture."""
    begun_s: float
    jpeg: "asyncio.Future[Jpeg]"


class _Channel:
    """One camera in one form: its newest picture, and what was encoded of it for its viewers."""

    def __init__(self, matched: MatchedPictures, encode: Callable[[LivePicture, int | None], Jpeg]) -> None:
        self.matched, self._encode = matched, encode
        self.task: asyncio.Task[None] | None = None
        self.failure: StreamError | None = None
        self.changed = asyncio.Event()
        self.number = 0
        """Of the newest picture; 0 before the first."""
        self._newest: LivePicture | None = None
        self._periods: Counter[float] = Counter()
        self._sizes: Counter[int | None] = Counter()
        self._encodings: dict[int | None, _Encoding] = {}

    @property
    def is_watched(self) -> bool:
        """Whether there is a viewer."""
        return bool(self._sizes)

    def enter(self, width: int | None, period_s: float) -> int | None:
        """Take a viewer in, and give the width that it is to have."""
        if width not in self._sizes and len(self._sizes) >= MOST_SIZES:
            sizes = sorted(size for size in self._sizes if size is not None)
            width = next((size for size in sizes if width is not None and size >= width), sizes[-1])
        self._sizes[width] += 1
        self._periods[period_s] += 1
        self._set_pause()
        return width

    def leave(self, width: int | None, period_s: float) -> None:
        """Let a viewer go."""
        self._sizes -= Counter([width])
        self._periods -= Counter([period_s])
        if width not in self._sizes:
            self._encodings.pop(width, None)
        if self.is_watched:
            self._set_pause()

    def _set_pause(self) -> None:
        self.matched.pause_s = min(SLOWEST_S, *self._periods)

    def publish(self, picture: LivePicture) -> None:
        """Show a picture to all viewers; one that is slow sees only the newest."""
        self.number += 1
        self._newest = picture
        self._wake()

    def fail(self, error: StreamError) -> None:
        """Let all viewers know that no picture will come any more."""
        self.failure = error
        self._wake()

    def _wake(self) -> None:
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()

    def shows_after(self, seen: int) -> bool:
        """Return whether there is a picture of now that is newer than what somebody has seen."""
        picture = self._newest
        return self.number > seen and picture is not None and self.matched.age_s(picture) <= STALE_S

    async def take(self, width: int | None, seen: int, shared_s: float) -> tuple[int, Jpeg]:
        """Give the newest picture with its number, or one not seen that was encoded in the last `shared_s`.

        StreamError when it cannot be encoded: nobody gets one any more then.
        """
        if self.failure is not None:
            raise StreamError(self.failure.sentence)
        now_s, known = time.monotonic(), self._encodings.get(width)
        if known is None or (
            known.number != self.number and (known.number <= seen or now_s - known.begun_s > shared_s)
        ):
            known = self._encodings[width] = self._begin(width, now_s)
        try:
            return known.number, await asyncio.shield(known.jpeg)
        except StreamError as error:
            self.fail(error)
            raise

    def _begin(self, width: int | None, now_s: float) -> _Encoding:
        assert self._newest is not None, "there is a picture to take"
        loop, drawing = asyncio.get_running_loop(), self.matched.drawing
        jpeg = loop.run_in_executor(drawing, self._encode, self._newest, width)
        jpeg.add_done_callback(lambda done: done.cancelled() or done.exception())
        return _Encoding(self.number, now_s, jpeg)


class LiveStream:
    """What one viewer sees of a camera, until it is closed."""

    def __init__(
        self, channel: _Channel, width: int | None, shared_s: float, on_close: Callable[[], None]
    ) -> None:
        """What was encoded for others in the last `shared_s` is good enough for this viewer."""
        self._channel, self._width, self._on_close = channel, width, on_close
        self._shared_s = shared_s
        self._seen = 0
        self._is_closed = False

    @property
    def obstacle(self) -> Sentence | None:
        """Why there is no picture though the camera sends something, as far as it is known."""
        return self._channel.matched.obstacle

    @property
    def is_catching_up(self) -> bool:
        """Whether what was kept of the camera is decoded first."""
        return self._channel.matched.is_catching_up

    async def wait(self) -> None:
        """Wait for a picture that this viewer has not seen; StreamError when no more will come."""
        while not self._channel.shows_after(self._seen):
            if self._channel.failure is not None:
                raise StreamError(self._channel.failure.sentence)
            await self._channel.changed.wait()

    async def take(self) -> Jpeg:
        """Give the newest picture, after `wait`; StreamError when it cannot be encoded."""
        self._seen, jpeg = await self._channel.take(self._width, self._seen, self._shared_s)
        return jpeg

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
        self._period_s, self._quality, self._now_s = 1 / fps, quality, now_s
        self._channels: dict[tuple[CameraId, Form], _Channel] = {}
        self.offline = OfflinePictures(decoders.drawing, quality)
        """Pictures in place of those of a camera that gives none."""

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

    async def snapshot(self, camera: CameraId, form: Form, timeout_s: float) -> Jpeg:
        """Give one picture; StreamError says why none comes in time."""
        with closing(self.open(camera, form)) as stream:
            now_s = asyncio.get_running_loop().time
            end_s = now_s() + LONGEST_CATCHING_UP_S
            while True:
                try:
                    async with asyncio.timeout(timeout_s):
                        await stream.wait()
                        return await stream.take()
                except TimeoutError:
                    if stream.is_catching_up and now_s() < end_s:
                        continue
                    if stream.obstacle is None:
                        raise StreamError("camera-no-picture", camera=camera) from None
                    why = stream.obstacle
                    raise StreamError("camera-no-picture-because", camera=camera, reason=why) from None

    def open(
        self, camera: CameraId, form: Form, width: int | None = None, fps: float | None = None
    ) -> LiveStream:
        """Watch a camera until the stream is closed; StreamError when there is no memory for one more.

        Pictures are at most `width` wide, and never larger than the camera's. A viewer that wants `fps` a
        second has to pause itself; it may get a picture that was encoded for others up to half a period ago.
        """
        period_s = self._period_s if fps is None else max(self._period_s, 1 / fps)
        key = camera, form
        channel = self._channels.get(key)
        if channel is None or channel.failure is not None:
            wants_past = form != "plain" or fps is None
            channel = self._channels[key] = self._begin(camera, form, wants_past)
        size = channel.enter(width, period_s)

        def leave() -> None:
            channel.leave(size, period_s)
            if not channel.is_watched:
                self._end(key, channel)

        return LiveStream(channel, size, 0.0 if fps is None else period_s / 2, leave)

    def _end(self, key: tuple[CameraId, Form], channel: _Channel) -> None:
        if self._channels.get(key) is channel:
            del self._channels[key]
        channel.matched.stop()
        if channel.task is not None:
            channel.task.cancel()

    def _begin(self, camera: CameraId, form: Form, wants_past: bool) -> _Channel:
        matched = MatchedPictures(
            camera, self._tracks, self._decoders, self._period_s, self._now_s, wants_past
        )
        matched.start()
        channel = _Channel(matched, self._encode)
        lines_of = self._lines_of if form == "boxes and lines" else no_lines
        pictures = matched.plain() if form == "plain" else matched.annotated(lines_of)
        channel.task = watched(self._follow(camera, channel, pictures), f"live pictures of camera {camera}")
        return channel

    def _encode(self, picture: LivePicture, width: int | None) -> Jpeg:
        try:
            sized = scaled(picture, width)
            return Jpeg(sized.decoded.unit.time_s, *sized.decoded.size, render(sized, self._quality))
        except StreamError:
            raise
        except Exception:
            log.exception("live pictures of camera %s failed", picture.decoded.unit.camera)
            raise StreamError(FAULT) from None

    async def _follow(
        self, camera: CameraId, channel: _Channel, pictures: AsyncGenerator[LivePicture, None]
    ) -> None:
        """Show pictures until nobody looks. However it ends, nobody waits for it any more.

        Whoever looks again, or comes later, begins with a new channel.
        """
        failure = StreamError("camera-pictures-ended", camera=camera)
        try:
            async with aclosing(pictures):
                async for picture in pictures:
                    channel.publish(picture)
        except StreamError as error:
            failure = error
        except Exception:
            log.exception("live pictures of camera %s failed", camera)
            failure = StreamError("fault")
        finally:
            channel.fail(failure)


def scaled(picture: LivePicture, width: int | None) -> LivePicture:
    """Give a picture that is not wider than `width`, before anything is drawn into it."""
    own_width, own_height = picture.decoded.size
    if width is None or width >= own_width:
        return picture
    height = max(1, round(own_height * width / own_width))
    small = VideoReformatter().reformat(picture.decoded.picture, width, height, threads=1)
    return replace(picture, decoded=replace(picture.decoded, picture=small))


def draw(picture: LivePicture) -> Canvas:
    """Give a picture (BGR), in the shape in which it is shown, with its lines and tracks drawn in.

    The picture would keep its own converter, and as many threads as there are cores, for as long as it
    is remembered: it is converted with one that ends here.
    """
    width, height = picture.decoded.size
    converted = VideoReformatter().reformat(picture.decoded.picture, width, height, "bgr24", threads=1)
    canvas: Canvas = np.ascontiguousarray(converted.to_ndarray(), np.uint8)
    draw_lines(canvas, picture.lines)
    draw_objects(canvas, picture.objects)
    if not picture.is_analysed:
        draw_note(canvas, NOT_ANALYSED)
    return canvas


def render(picture: LivePicture, quality: int) -> bytes:
    """Draw into a picture and give it as JPEG."""
    is_good, data = cv2.imencode(".jpg", draw(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not is_good:
        raise StreamError("picture-not-encoded")
    return bytes(data.tobytes())
