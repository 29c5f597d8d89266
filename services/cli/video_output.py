"""Writes the annotated video of `sightline count --video`."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.common.files import replacing
from services.common.live.drawing import draw_lines, draw_objects
from services.core.errors import BadInputError
from services.core.types import Line, TrackedFrame


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
    """An .mp4 with boxes, lines and running totals drawn in."""

    def __init__(self, path: Path, draft: Path, size: tuple[int, int], fps: float) -> None:
        """Write to `draft`, which will be `path`."""
        self._path = path
        self._container = av.open(str(draft), "w", format="mp4")
        self._stream: VideoStream = self._container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1000)
        )
        self._stream.width, self._stream.height = size[0] // 2 * 2, size[1] // 2 * 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"preset": "veryfast", "crf": "23"}

    def write(
        self,
        picture: VideoFrame,
        tracked: TrackedFrame,
        lines: Sequence[Line],
        totals: Counter[tuple[str, str]],
    ) -> None:
        """Draw one picture and append it."""
        canvas = np.asarray(picture.to_ndarray(format="bgr24"), np.uint8)
        draw_objects(canvas, tracked.objects)
        labels = {
            str(line.id): f"{totals[line.id, 'forward']} / {totals[line.id, 'backward']}" for line in lines
        }
        draw_lines(canvas, lines, labels)
        frame = VideoFrame.from_ndarray(canvas, format="bgr24")
        with _explained(self._path):
            for packet in self._stream.encode(frame):
                self._container.mux(packet)

    def finish(self) -> None:
        """Write what is left and end the file."""
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()

    def release(self) -> None:
        """Let go of the file, finished or not."""
        with suppress(OSError, av.error.FFmpegError):
            self._container.close()
