"""A painted camera without a network, and real RTSP clients, for tests of the RTSP ports."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import av
import numpy as np
import numpy.typing as npt

from services.common.video.hub import VideoHub
from services.core.codecs import Codec
from services.core.types import AccessUnit, CameraId
from tests.makers import GATE

Picture = npt.NDArray[np.uint8]

FPS = 25
BLOCK = 0.25, 0.25, 0.5, 0.5
"""Where the camera shows an object, normalised."""


def paint(width: int, height: int) -> Picture:
    """A grey picture with a white block."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[height // 4 : height // 2, width // 4 : width // 2] = 235
    return picture


def encode(
    pictures: list[Picture], key_every: int = FPS, encoder: str = "libx264"
) -> list[tuple[bytes, bool]]:
    """Encode pictures as a camera does: Annex B, headers before each key frame, no B-frames."""
    height, width = pictures[0].shape[:2]
    codec = av.CodecContext.create(encoder, "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.framerate = FPS
    codec.gop_size = key_every
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": "scenecut=0:sliced-threads=0:threads=1",
        "x265-params": "scenecut=0:pools=none:frame-threads=1:log-level=none",
    }
    frames = [av.VideoFrame.from_ndarray(picture, format="bgr24") for picture in pictures]
    packets = [packet for frame in [*frames, None] for packet in codec.encode(frame)]
    return [(bytes(packet), bool(packet.is_keyframe)) for packet in packets]


@dataclass
class PaintedCamera:
    """Publishes a painted picture 25 times a second until it is stopped."""

    hub: VideoHub
    id: CameraId = GATE
    size: tuple[int, int] = (640, 360)
    key_every: int = FPS
    connection: int = 1
    codec: Codec = Codec.H264
    sent: list[AccessUnit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stopped = threading.Event()
        encoder = "libx265" if self.codec is Codec.HEVC else "libx264"
        self._units = encode([paint(*self.size)] * self.key_every, self.key_every, encoder)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        begin_s = time.time()
        number = 0
        while not self._stopped.wait(max(0.0, begin_s + number / FPS - time.time())):
            data, is_key = self._units[number % len(self._units)]
            time_s = begin_s + number / FPS
            unit = AccessUnit(self.id, number, time_s, is_key, data, self.connection, codec=self.codec)
            self.sent.append(unit)
            self.hub.publish(unit)
            number += 1

    @property
    def is_sending(self) -> bool:
        return bool(self.sent) and not self._stopped.is_set()

    def stop(self) -> None:
        """Fall silent."""
        self._stopped.set()
        self._thread.join()


@contextmanager
def painted(hub: VideoHub, **settings: object) -> Iterator[PaintedCamera]:
    """A painted camera for the length of a test."""
    camera = PaintedCamera(hub, **settings)  # type: ignore[arg-type]
    try:
        yield camera
    finally:
        camera.stop()


@contextmanager
def watching(url: str, transport: str = "tcp") -> Iterator[Iterator[av.VideoFrame]]:
    """The decoded pictures of a client, from when it connects."""
    options = {"rtsp_transport": transport, "analyzeduration": "200000", "probesize": "200000"}
    with av.open(url, options=options, timeout=(8, 4)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        yield container.decode(stream)


def take(frames: Iterator[av.VideoFrame], count: int) -> list[Picture]:
    """The next pictures, BGR."""
    return [next(frames).to_ndarray(format="bgr24") for _ in range(count)]
