"""Writes the annotated video of `sightline count --video` and `sightline detect --save`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.codec.context import Flags
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.common.files import file_url, replacing
from services.common.live.drawing import draw_lines, draw_objects
from services.core.errors import BadInputError
from services.core.frames import Letterbox, Picture
from services.core.types import Line, TrackedFrame

TICK = Fraction(1, 90_000)
"""Seconds; every common rate has whole ones."""


@contextmanager
def annotated_video(path: Path, size: tuple[int, int], fps: float) -> Iterator["AnnotatedVideo"]:
    """Give an .mp4 to write to, which gets its name when it is whole; where the body fails there is none.

    BadInputError when it cannot be written, such as for a full disk.
    """
    with ExitStack() as stack:
        with _explained(path):
            draft = stack.enter_context(replacing(path, 0o644))
            video = AnnotatedVideo(path, draft, size, fps)
        stack.callback(video.release)
        yield video
        with _explained(path):
            video.finish()
            stack.close()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say in one line that a video cannot be written, and why."""
    try:
        yield
    except (OSError, av.error.FFmpegError) as error:
        raise BadInputError(f"{path} cannot be written: {error.strerror}") from error


class AnnotatedVideo:
    """An .mp4 with boxes, lines and running totals drawn in, as long as the video that it is made of."""

    def __init__(self, path: Path, draft: Path, size: tuple[int, int], fps: float) -> None:
        """Write to `draft`, which will be `path`. The last picture is shown for a period of `fps`."""
        self._path = path
        self._container = av.open(file_url(draft), "w", format="mp4")
        self._stream: VideoStream = self._container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1000)
        )
        self._stream.width, self._stream.height = (max(2, side // 2 * 2) for side in size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = TICK
        self._stream.codec_context.flags |= Flags.frame_duration
        self._stream.options = {"preset": "veryfast", "crf": "23", "bf": "0"}
        self._size, self._period_s = size, 1 / fps
        self._waiting: tuple[VideoFrame, int] | None = None
        """The newest picture with its time in ticks: how long it is shown the next one tells."""
        self.end_s: float | None = None
        """When the last picture is over."""

    def write(
        self,
        picture: VideoFrame,
        tracked: TrackedFrame,
        lines: Sequence[Line],
        totals: Counter[tuple[str, str]],
    ) -> None:
        """Draw one picture and append it, to be shown from its own time on."""
        canvas = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
        draw_objects(canvas, tracked.objects)
        labels = {
            str(line.id): f"{totals[line.id, 'forward']} / {totals[line.id, 'backward']}" for line in lines
        }
        draw_lines(canvas, lines, labels)
        self.append(canvas, tracked.time_s)

    def append(self, canvas: Picture, time_s: float) -> None:
        """Append a BGR picture, to be shown from its time on."""
        frame = VideoFrame.from_ndarray(_fitted(canvas, self._size), format="bgr24")
        with _explained(self._path):
            self._encode_waiting(round(time_s / TICK))
        self._waiting = frame, round(time_s / TICK)

    def _encode_waiting(self, until: int) -> None:
        """Encode the newest picture, which is shown until a time in ticks."""
        if self._waiting is None:
            return
        frame, at = self._waiting
        frame.pts, frame.time_base, frame.duration = at, TICK, max(1, until - at)
        self._mux(frame)

    def _mux(self, frame: VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def finish(self) -> None:
        """Write what is left and end the file."""
        if self._waiting is not None:
            at = self._waiting[1]
            end_s = at * TICK + Fraction(self._period_s) if self.end_s is None else self.end_s
            self._encode_waiting(round(end_s / TICK))
        self._mux(None)
        self._container.close()

    def release(self) -> None:
        """Let go of the file, finished or not."""
        with suppress(OSError, av.error.FFmpegError):
            self._container.close()


def _fitted(canvas: Picture, size: tuple[int, int]) -> Picture:
    """Give a picture in another size in its own shape, with bars beside it."""
    width, height = size
    if canvas.shape[:2] == (height, width):
        return canvas
    letterbox = Letterbox(width, height, canvas.shape[1], canvas.shape[0])
    left, top = letterbox.offset
    fitted = np.zeros((height, width, 3), np.uint8)
    small = cv2.resize(canvas, letterbox.size, interpolation=cv2.INTER_AREA)
    fitted[top : top + small.shape[0], left : left + small.shape[1]] = small
    return fitted
