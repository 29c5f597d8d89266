"""Draws and hands one camera's pictures to its encoder, each with the tracks of exactly that frame."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Protocol

import cv2
import numpy as np

from services.common.live.absence import Absence, AbsenceOf
from services.common.live.continuous import CHECK_S, is_offline
from services.common.live.drawing import Canvas
from services.common.live.matching import LinesOf, LivePicture, MatchedPictures
from services.common.live.offline import draw_absence
from services.common.live.pictures import draw
from services.core.errors import StreamError
from services.core.types import CameraId

log = logging.getLogger(__name__)

NO_PICTURE_S = 5.0
"""When no picture has come for this long, a client gets the error that the camera gives none."""

KEYFRAME_S = 2.0
"""Video between two key frames, whatever the rate; one comes at once when somebody begins to watch."""


OFFLINE_CONNECTION = -1
"""Of the pictures that are shown while the camera gives none; cameras have none below 0."""


class EncoderOutput(Protocol):
    """The encoder's pipeline, as the feed sees it."""

    @property
    def is_full(self) -> bool:
        """Whether it takes no more pictures now."""

    def describe(self, caps: str) -> None:
        """Say what the pictures are."""

    def push(self, data: bytes, connection: int, time_s: float) -> None:
        """Encode and send one picture."""

    def take_wish(self) -> bool:
        """Return whether a key frame is wanted, once."""

    def force_keyframe(self) -> None:
        """Make the next picture a key frame."""

    def fail(self) -> None:
        """Answer clients that there is no picture."""

    def end(self) -> None:
        """End the clients so that they connect again."""


class AnnotatedFeed:
    """Runs on the event loop while somebody watches; a pipeline that is full loses the newest pictures."""

    def __init__(
        self,
        camera: CameraId,
        fps: float,
        source: Callable[[], MatchedPictures],
        lines_of: LinesOf,
        output: EncoderOutput,
        on_encoded: Callable[[], None],
        on_drop: Callable[[], None],
        absence_of: AbsenceOf,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._camera, self._fps, self._source = camera, fps, source
        self._lines_of, self._output = lines_of, output
        self._on_encoded, self._on_drop = on_encoded, on_drop
        self._absence_of, self._clock = absence_of, clock
        self._size: tuple[int, int] | None = None
        self._connection: int | None = None
        self._shown_s = self._keyframe_s = 0.0
        self._camera_s: float | None = None
        """Capture time of the newest picture of the camera."""

    async def run(self) -> None:
        """Feed until cancelled, until the camera's pictures change their size, or until none has come."""
        source = self._source()
        try:
            source.start()
            await self._follow(source)
        except StreamError as error:
            log.warning("camera %s is not shown: %s", self._camera, error)
            await asyncio.to_thread(self._refuse)
        except Exception:
            log.exception("annotated pictures of camera %s failed", self._camera)
            self._refuse()
        finally:
            source.stop()
            await _to_the_end(source)

    def _refuse(self) -> None:
        self._output.fail()
        self._output.end()

    async def _follow(self, source: MatchedPictures) -> None:
        async with aclosing(source.annotated(self._lines_of)) as pictures:
            following = asyncio.ensure_future(anext(pictures))
            try:
                if not (await asyncio.wait({following}, timeout=NO_PICTURE_S))[0]:
                    self._output.fail()
                    return
                while await self._goes_on(following.result()):
                    await self._show(following.result())
                    following = asyncio.ensure_future(anext(pictures))
                    await self._wait(following, source)
            finally:
                following.cancel()
                await asyncio.wait({following})

    async def _wait(self, following: "asyncio.Future[LivePicture]", source: MatchedPictures) -> None:
        """Wait for the next picture; while the camera gives none, clients see once a second why."""
        silent_s = 0.0
        while not (await asyncio.wait({following}, timeout=CHECK_S))[0]:
            silent_s += CHECK_S
            absence = self._absence_of(self._camera, source.obstacle, self._camera_s)
            if absence is not None and is_offline(absence, silent_s, True):
                await self._show_offline(absence)

    async def _show_offline(self, absence: Absence) -> None:
        if self._output.is_full or self._size is None:
            return
        now_s = self._clock()
        data = await asyncio.to_thread(lambda size: to_i420(draw_absence(absence, size, now_s)), self._size)
        self._push(data, OFFLINE_CONNECTION, now_s)

    async def _goes_on(self, picture: LivePicture) -> bool:
        """Describe the first picture; end the clients when a later one has another size."""
        size = encoded_size(*picture.decoded.size)
        if self._size is None:
            self._size = size
            self._output.describe(i420_caps(*size, self._fps))
        if size == self._size:
            return True
        log.info("camera %s has another size: clients that watch it are ended", self._camera)
        await asyncio.to_thread(self._output.end)
        return False

    async def _show(self, picture: LivePicture) -> None:
        unit = picture.decoded.unit
        if unit.connection == self._connection and unit.time_s <= self._shown_s:
            return
        if self._output.is_full:
            self._on_drop()
            return
        self._push(await asyncio.to_thread(_make, picture), unit.connection, unit.time_s)
        self._camera_s = unit.time_s

    def _push(self, data: bytes, connection: int, time_s: float) -> None:
        is_new = connection != self._connection
        if self._output.take_wish() or is_new or time_s - self._keyframe_s >= KEYFRAME_S:
            self._output.force_keyframe()
            self._keyframe_s = time_s
        self._connection, self._shown_s = connection, time_s
        self._output.push(data, connection, time_s)
        self._on_encoded()


async def _to_the_end(source: MatchedPictures) -> None:
    """Wait for the decoder's end, also when the feed is cancelled once more meanwhile."""
    joining = asyncio.ensure_future(asyncio.to_thread(source.join))
    try:
        await asyncio.shield(joining)
    except asyncio.CancelledError:
        await joining
        raise


def _make(picture: LivePicture) -> bytes:
    return to_i420(draw(picture))


ROW_BYTES = 4
"""GStreamer's rows begin at multiples of this."""


def encoded_size(width: int, height: int) -> tuple[int, int]:
    """Give the size that is sent: an odd size loses its last column or row."""
    return width // 2 * 2, height // 2 * 2


def i420_caps(width: int, height: int, fps: float) -> str:
    """Describe pictures of a size to GStreamer.

    The time stamps say when they really come. Without a rate beside them, players wait for seconds of
    video to guess one.
    """
    rate = f"{round(fps * 100)}/100"
    return f"video/x-raw,format=I420,width={width},height={height},framerate={rate},colorimetry=bt601"


def to_i420(canvas: Canvas) -> bytes:
    """Convert a picture (BGR) of any size."""
    width, height = encoded_size(canvas.shape[1], canvas.shape[0])
    even = np.ascontiguousarray(canvas[:height, :width])
    planar: Canvas = np.asarray(cv2.cvtColor(even, cv2.COLOR_BGR2YUV_I420), np.uint8)
    if width // 2 % ROW_BYTES == 0:
        return bytes(planar.tobytes())
    flat, half = planar.reshape(-1), (height // 2, width // 2)
    brightness, blue, red = np.split(flat, [width * height, width * height * 5 // 4])
    planes = brightness.reshape(height, width), blue.reshape(half), red.reshape(half)
    return b"".join(_padded(plane).tobytes() for plane in planes)


def _padded(plane: Canvas) -> Canvas:
    """Lengthen each row to where the next one may begin."""
    return np.pad(plane, ((0, 0), (0, -plane.shape[1] % ROW_BYTES)))
