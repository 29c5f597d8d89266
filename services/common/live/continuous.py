"""A camera's pictures without end: while it gives none, one a second that says why.

A camera that connects anew, or that another process takes over, is not offline for that: its last picture
stays for some seconds.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing

from services.common.live.absence import Absence, AbsenceOf
from services.common.live.pictures import Form, LivePictures, LiveStream
from services.core.types import CameraId

CHECK_S = 1.0
"""Time between two offline pictures, and until the first of a camera that is known to be away."""

PATIENCE_S = 3.0
"""So long the last picture stays, and a camera that is live may take to give its first."""

HALF_TICK_S = 0.05
"""Timers are no more exact than this."""


def is_offline(absence: Absence, silent_s: float, has_shown: bool) -> bool:
    """Return whether a viewer is to be shown that a camera gives no picture."""
    patience_s = PATIENCE_S if absence.is_live or has_shown else CHECK_S
    return silent_s >= patience_s - HALF_TICK_S


class ContinuousPictures:
    """Gives the JPEG pictures of cameras, or of their absence, to viewers on one event loop."""

    def __init__(self, live: LivePictures, absence_of: AbsenceOf) -> None:
        self._live, self._absence_of = live, absence_of

    async def stream(self, camera: CameraId, form: Form) -> AsyncGenerator[bytes, None]:
        """Give pictures from now on; StreamError when there is no memory for them."""
        with closing(self._live.open(camera, form)) as stream:
            async with aclosing(self.follow(camera, stream)) as pictures:
                async for picture in pictures:
                    yield picture

    async def follow(self, camera: CameraId, stream: LiveStream) -> AsyncGenerator[bytes, None]:
        """Give the pictures of a stream that somebody opened, and closes."""
        now_s = asyncio.get_running_loop().time
        size: tuple[int, int] | None = None
        shown_s: float | None = None
        newest_s = now_s()
        while True:
            try:
                async with asyncio.timeout(CHECK_S):
                    await stream.wait()
            except TimeoutError:
                absence = self._absence_of(camera, stream.obstacle, shown_s)
                if absence is not None and is_offline(absence, now_s() - newest_s, shown_s is not None):
                    yield await self._live.offline.of(absence, size)
                continue
            jpeg = await stream.take()
            size, shown_s, newest_s = (jpeg.width, jpeg.height), jpeg.time_s, now_s()
            yield jpeg.data
