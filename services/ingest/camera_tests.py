"""Tries an address before a camera is made of it: whether it opens, what it gives, and one picture of it.

What is a camera or a file is opened and decoded in a process apart, as cameras are (docs/adr/0021, 0037); a
scene of the demo, whose pictures are our own, in a thread.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

from services.common.bus.camera_tests import TEST_S, CameraTestResult
from services.common.settings.cameras import CameraFiles
from services.common.video.source import Connection, Source, SourceUnit
from services.core.camera_address import AddressKind, kind_of
from services.core.codecs import Codec
from services.core.errors import FullError, StreamError
from services.core.sentences.sentence import Sentence, sentence
from services.ingest.apart.connection import ApartConnection
from services.ingest.dialling import Dialler
from services.ingest.service import LEAST_PASS_S
from services.ingest.sources import FileSource, RtspSource, source_of
from services.ingest.still import still_of

log = logging.getLogger(__name__)

MOST_AT_ONCE = 4

RATE_SPAN_S = 1.0
"""So much of a stream, by its own clock, tells its rate."""

RATE_WAIT_S = 3.0
"""Longer nobody waits for that."""

PICTURE_WAIT_S = 10.0
"""So long the first picture may take once the stream is open."""

REORDERED = 4
"""So many of the newest pictures may lack others before them, where they come out of their order."""


class CameraTester:
    """Tries addresses, `MOST_AT_ONCE`, each within `limit_s`; on one event loop."""

    def __init__(
        self,
        files: CameraFiles | None = None,
        demo: Callable[[str], Source] | None = None,
        limit_s: float = TEST_S,
        dialler: Dialler | None = None,
    ) -> None:
        """See `source_of`."""
        self._open = partial(source_of, files=files, demo=demo, dialler=dialler)
        self._limit_s = limit_s
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, "camera-test")
        self._running = 0

    async def test(self, url: str) -> CameraTestResult:
        """Try an address; being cancelled it is let go of. FullError when too many are tried already."""
        if self._running >= MOST_AT_ONCE:
            raise FullError("tests-full")
        attempt = _Attempt(url, self._open)
        loop = asyncio.get_running_loop()
        self._running += 1
        future = loop.run_in_executor(self._threads, attempt.run)
        future.add_done_callback(self._on_end)
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(self._limit_s):
                return await asyncio.shield(future)
        except TimeoutError:
            return CameraTestResult(_since(began_s), sentence("camera-timeout"))
        finally:
            attempt.stop()

    def _on_end(self, future: "asyncio.Future[CameraTestResult]") -> None:
        self._running -= 1


@dataclass
class _Attempt:
    """One address that is tried on a thread."""

    url: str = field(repr=False)
    open_source: Callable[[str], Source]
    _picture: bytes | None = None
    _codec: Codec | None = None
    _times_s: list[float] = field(default_factory=list)
    _lacks_key_frame: bool = False
    """Whether something came, and no key frame among it."""
    _is_stopped: bool = False
    _process: ApartConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """End it soon. Callable from any thread, also when it has ended."""
        with self._lock:
            self._is_stopped = True
            if self._process is not None:
                self._process.abort()

    def run(self) -> CameraTestResult:
        """Try the address; what goes wrong is the result."""
        began_s = time.monotonic()
        try:
            return self._try(began_s)
        except StreamError as error:
            return CameraTestResult(_since(began_s), error.sentence)
        except Exception:
            log.exception("a camera test failed")
            return CameraTestResult(_since(began_s), sentence("fault"))

    def _try(self, began_s: float) -> CameraTestResult:
        connection = self._connect()
        try:
            has_ended = self._watch(connection)
            resolution = connection.resolution
        finally:
            connection.close()
        fault, rate_fps = self._fault(has_ended), rate_of(self._times_s)
        picture = self._picture if fault is None else None
        size = resolution if all(resolution) else None
        return CameraTestResult(_since(began_s), fault, picture, size, self._codec, rate_fps)

    def _connect(self) -> Connection:
        """Open it, a file as fast as it is wanted."""
        source = self.open_source(self.url)
        if not isinstance(source, RtspSource | FileSource):
            return source.connect()
        return source.open(partial(ApartConnection.open, wants_picture=True, on_start=self._on_start))

    def _on_start(self, process: ApartConnection) -> None:
        with self._lock:
            self._process = process
            if self._is_stopped:
                process.abort()

    def _watch(self, connection: Connection) -> bool:
        """Look at units until enough is known; gives whether the stream ended before that."""
        began_s = time.monotonic()
        for number, unit in enumerate(connection.units()):
            self._codec = unit.codec
            self._lacks_key_frame = not unit.is_keyframe and (number == 0 or self._lacks_key_frame)
            if unit.stream_s is not None:
                self._times_s.append(unit.stream_s)
            self._look(connection, unit)
            if self._is_stopped or self._is_enough(_since(began_s)):
                return False
        if isinstance(connection, ApartConnection):
            self._picture = connection.picture
        return True

    def _look(self, connection: Connection, unit: SourceUnit) -> None:
        if isinstance(connection, ApartConnection):
            self._picture = connection.picture
        elif self._picture is None and unit.is_keyframe:
            self._picture = still_of(unit.data, unit.codec)

    def _is_enough(self, watched_s: float) -> bool:
        if self._picture is None:
            return watched_s >= PICTURE_WAIT_S
        return _span_s(self._times_s) >= RATE_SPAN_S or watched_s >= RATE_WAIT_S

    def _fault(self, has_ended: bool) -> Sentence | None:
        if has_ended and kind_of(self.url) is AddressKind.FILE and self._played_s() < LEAST_PASS_S:
            return sentence("video-too-short", seconds=LEAST_PASS_S)
        if self._picture is not None:
            return None
        if has_ended:
            return sentence("stream-ended-early")
        if self._lacks_key_frame:
            return sentence("stream-no-key-frame", seconds=PICTURE_WAIT_S)
        return sentence("stream-no-picture", seconds=PICTURE_WAIT_S)

    def _played_s(self) -> float:
        """Give how long what was seen lasts, with the last picture; without times nobody knows."""
        rate_fps = rate_of(self._times_s)
        return _span_s(self._times_s) + 1 / rate_fps if rate_fps else 0.0


def rate_of(times_s: list[float]) -> float | None:
    """Give the pictures a second of a stream's clock, in whatever order they come; None without times."""
    if any(later < earlier for earlier, later in pairwise(times_s)) and len(times_s) > 2 * REORDERED:
        times_s = sorted(times_s)[:-REORDERED]
    span_s = _span_s(times_s)
    return round((len(times_s) - 1) / span_s, 2) if span_s > 0 else None


def _span_s(times_s: list[float]) -> float:
    return max(times_s) - min(times_s) if times_s else 0.0


def _since(began_s: float) -> float:
    return round(time.monotonic() - began_s, 2)
