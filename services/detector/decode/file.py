"""Video files: pictures with their time from the file's start."""

from collections.abc import Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.core.errors import BadInputError
from services.core.limits import PICTURE_LIMIT_PIXELS, size_fault

FALLBACK_FPS = 25.0

OPTIONS = {"max_pixels": str(PICTURE_LIMIT_PIXELS)}
"""FFmpeg reserves nothing for a picture that is larger."""


class VideoFile:
    """A file with a video stream, opened to read it once; a context manager.

    BadInputError when the file is missing, is no video, has no video stream, or pictures that are too large.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise BadInputError(f"there is no file {path}")
        try:
            self._container: InputContainer = av.open(str(path), "r", options=dict(OPTIONS))
        except (av.error.FFmpegError, OSError) as error:
            raise BadInputError(f"{path} is no video that can be read") from error
        if not self._container.streams.video:
            self._container.close()
            raise BadInputError(f"{path} has no video stream")
        self._stream: VideoStream = self._container.streams.video[0]
        self._stream.thread_count = 1
        self._stream.codec_context.options = dict(OPTIONS)
        self.path = path
        self._check_size()

    def __enter__(self) -> "VideoFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def _check_size(self) -> None:
        fault = str(size_fault(*self.size) or "")
        if not min(self.size):
            fault = "its pictures cannot be decoded, or are larger than Sightline takes"
        if fault:
            self._container.close()
            raise BadInputError(f"{self.path} cannot be taken: {fault}")

    @property
    def fps(self) -> float:
        """Pictures a second as the file states them."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate else FALLBACK_FPS

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._stream.width, self._stream.height

    @property
    def frames(self) -> int:
        """Pictures as the file states them, estimated from its length otherwise; 0 when unknown."""
        if self._stream.frames:
            return self._stream.frames
        length = self._container.duration
        return round(length / av.time_base * self.fps) if length else 0

    def pictures(self) -> Iterator[tuple[float, VideoFrame]]:
        """Give each picture with its time in seconds from the file's first one.

        A damaged part is skipped; a picture without a time of its own gets the next one by the rate.
        """
        first: float | None = None
        last = -1 / self.fps
        for picture in self._decoded():
            time_s = float(picture.time) if picture.time is not None else None
            if first is None:
                first = time_s or 0.0
            at = last + 1 / self.fps if time_s is None else time_s - first
            last = max(at, last + 1e-6)
            yield last, picture

    def _decoded(self) -> Iterator[VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                pictures = packet.decode()
            except av.error.InvalidDataError:
                continue
            except av.error.EOFError:
                return
            yield from pictures
