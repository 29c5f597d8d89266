"""Decoded pictures of one camera while somebody watches: a thread and a short memory."""

import threading
import time
from collections import deque
from collections.abc import Callable

from services.common.h264 import DecodedPicture, H264Decoder
from services.common.video import VideoSource
from services.core.types import AccessUnit, CameraId

KEPT_S = 2.0
"""The detector may be this late for its tracks still to find their picture."""

KEPT_BYTES = 96_000_000
"""Most memory for one camera's pictures; large ones are kept for less time."""

CAUGHT_UP_S = 0.05
LONGEST_CATCHING_UP_S = 1.0
"""A thread that begins with an old group tells of pictures when it has come to the newest, or after this."""

READ_TIMEOUT_S = 0.5
STOP_TIMEOUT_S = 3.0


class PictureMemory:
    """The newest pictures, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pictures: deque[DecodedPicture] = deque()

    def put(self, decoded: DecodedPicture) -> None:
        """Keep a picture, and drop those that are too old or too many."""
        size_bytes = decoded.picture.width * decoded.picture.height * 3 // 2
        most = max(2, KEPT_BYTES // max(1, size_bytes))
        with self._lock:
            pictures = self._pictures
            pictures.append(decoded)
            while len(pictures) > most or _is_old(pictures[0].unit, decoded.unit):
                pictures.popleft()

    def newest(self) -> DecodedPicture | None:
        """Give the newest picture."""
        with self._lock:
            return self._pictures[-1] if self._pictures else None

    def find(self, frame: int, time_s: float) -> DecodedPicture | None:
        """Give the picture of a frame; its time tells apart equal numbers of two connections."""
        with self._lock:
            for decoded in reversed(self._pictures):
                if decoded.unit.frame == frame and abs(decoded.unit.time_s - time_s) < 1e-6:
                    return decoded
        return None


def _is_old(kept: AccessUnit, newest: AccessUnit) -> bool:
    """Tell whether a picture is too old to be kept; the times of two connections say nothing together."""
    return kept.connection != newest.connection or kept.time_s < newest.time_s - KEPT_S


class DecodingThread:
    """Decodes one camera until it is stopped."""

    def __init__(self, camera: CameraId, video: VideoSource, on_picture: Callable[[], None]) -> None:
        self.memory = PictureMemory()
        self._camera, self._video, self._on_picture = camera, video, on_picture
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"live-{camera}", daemon=True)

    def start(self) -> None:
        """Begin with the newest group of pictures."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it does within its read timeout."""
        self._stopped.set()

    def join(self) -> None:
        """Wait for the end of the thread."""
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        decoder, connection = H264Decoder(), -1
        told_s = time.monotonic()
        with self._video.reader(self._camera) as reader:
            while not self._stopped.is_set():
                unit = reader.read(READ_TIMEOUT_S)
                if unit is None:
                    continue
                if unit.connection != connection:
                    decoder, connection = H264Decoder(), unit.connection
                decoded = decoder.decode(unit)
                if decoded is None:
                    continue
                self.memory.put(decoded)
                now_s = time.monotonic()
                if reader.backlog_s < CAUGHT_UP_S or now_s - told_s > LONGEST_CATCHING_UP_S:
                    told_s = now_s
                    self._on_picture()
