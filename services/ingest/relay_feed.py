"""Hands one camera's access units, as they are, to one pipeline of the relay."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from services.common.video.hub import VideoSource
from services.core.codecs import Codec, sequence_headers
from services.core.types import AccessUnit, CameraId

log = logging.getLogger(__name__)

READ_TIMEOUT_S = 0.5

NO_PICTURE_S = 5.0
"""A client is answered that the camera gives no picture when none has come for this long."""

CAPS = {
    Codec.H264: "video/x-h264,stream-format=byte-stream,alignment=au",
    Codec.HEVC: "video/x-h265,stream-format=byte-stream,alignment=au",
}

BACKLOG_BYTES_S = 10_000_000
"""Rate at which the kept group goes out: all at once it would not fit into a UDP client's buffer."""


KEPT_PACE = 0.02
"""Share of their true distance that time stamps of kept pictures have: a player that shows each at its time
would else stay behind by the whole group."""


class RelayOutput(Protocol):
    """The pipeline, as the feed sees it."""

    @property
    def is_full(self) -> bool:
        """Whether it takes no more pictures now."""

    def describe(self, caps: str) -> None:
        """Say what the pictures are, before the first one."""

    def push(self, data: bytes, connection: int, time_s: float) -> None:
        """Send one picture."""

    def fail(self) -> None:
        """Answer clients that there is no picture."""

    def end(self) -> None:
        """End the clients so that they connect again."""


class RelayFeed:
    """Reads from the newest group of pictures on, in a thread, until it is stopped.

    Clients go on when the camera connects anew with the same sequence header, from its next key frame
    on. With another one (another size, another profile) or another codec they are ended, because it is not
    what was described to them.
    """

    def __init__(
        self,
        camera: CameraId,
        video: VideoSource,
        output: RelayOutput,
        on_drop: Callable[[], None],
        on_end: Callable[["RelayFeed"], None],
    ) -> None:
        self._camera, self._video, self._output = camera, video, output
        self._on_drop, self._on_end = on_drop, on_end
        self._stopped = threading.Event()
        self._connection: int | None = None
        self._described: tuple[Codec | None, bytes] = (None, b"")
        self._waits_for_keyframe = True
        self._kept_until_s: float | None = None
        """Capture time at which the kept group ends."""
        self._thread = threading.Thread(target=self._run, name=f"relay-{camera}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does within its read timeout."""
        self._stopped.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end of the thread."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._follow()
        except Exception:
            log.exception("the relay of camera %s failed", self._camera)
            self._output.fail()
            self._output.end()
        finally:
            self._on_end(self)

    def _follow(self) -> None:
        give_up_s = time.monotonic() + NO_PICTURE_S
        with self._video.reader(self._camera) as reader:
            while not self._stopped.is_set():
                unit = reader.read(READ_TIMEOUT_S)
                if unit is not None:
                    self._take(unit, self._shown_s(unit, reader.backlog_s))
                elif self._connection is None and time.monotonic() > give_up_s:
                    self._output.fail()
                    return

    def _shown_s(self, unit: AccessUnit, backlog_s: float) -> float:
        """Give the time by which a picture is to be shown; that of a kept one is just before the newest."""
        if unit.is_backlog and self._kept_until_s is None:
            self._kept_until_s = unit.time_s + backlog_s
        late_s = max(0.0, (self._kept_until_s or 0.0) - unit.time_s) if unit.is_backlog else 0.0
        return unit.time_s + late_s * (1 - KEPT_PACE)

    def _take(self, unit: AccessUnit, shown_s: float) -> None:
        if unit.connection != self._connection:
            self._waits_for_keyframe = True
        if unit.is_keyframe and not self._goes_on(unit):
            log.info("camera %s sends another kind of stream: clients of its relay are ended", self._camera)
            self._stopped.set()
            self._output.end()
            return
        if self._output.is_full or (self._waits_for_keyframe and not unit.is_keyframe):
            self._waits_for_keyframe = True
            self._on_drop()
            return
        if self._connection is None:
            self._output.describe(CAPS[unit.codec])
        self._waits_for_keyframe, self._connection = False, unit.connection
        self._output.push(unit.data, unit.connection, shown_s)
        if unit.is_backlog:
            self._stopped.wait(len(unit.data) / BACKLOG_BYTES_S)

    def _goes_on(self, keyframe: AccessUnit) -> bool:
        """Return whether what was described to the clients still holds."""
        before = self._described
        header = next(iter(sequence_headers(keyframe.data, keyframe.codec)), before[1])
        self._described = keyframe.codec, header
        return not before[1] or self._described == before
