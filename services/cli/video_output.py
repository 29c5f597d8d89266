"""Writes the annotated video of `sightline count --video`."""

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.common.live.drawing import draw_lines, draw_objects
from services.core.errors import BadInputError
from services.core.types import Line, TrackedFrame


class AnnotatedVideo:
    """An .mp4 with boxes, lines and running totals drawn in; it gets its name when it is whole."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float) -> None:
        self._path = path
        try:
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=".mp4")
        except OSError as error:
            raise BadInputError(f"{path} cannot be written: {error.strerror}") from error
        os.close(handle)
        self._temporary = Path(temporary)
        self._container = av.open(temporary, "w", format="mp4")
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
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Finish the file and give it its name."""
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()
        self._temporary.chmod(0o644)
        self._temporary.replace(self._path)

    def discard(self) -> None:
        """Throw away what was written: the counting failed."""
        self._temporary.unlink(missing_ok=True)
