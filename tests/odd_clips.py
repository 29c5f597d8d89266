"""A short scripted clip in all the forms in which files come, and a detector that finds what moves in it.

Two red boxes go through a grey picture: one down through the middle, then one from the left to the right.
"""

import subprocess
from pathlib import Path

import av
import cv2
import numpy as np

from services.core.frames import Letterbox, Picture
from services.core.lines import lines_from_json
from services.core.types import Detection
from services.detector.count_file import FileCount, OnFrame, count_video
from services.detector.decode.file import VideoFile
from services.detector.infer.detector import ModelInfo

WIDTH, HEIGHT, FPS, SECONDS = 320, 180, 10, 5
SCENE = (
    f"color=c=0x606060:s={WIDTH}x{HEIGHT}:r={FPS}:d={SECONDS}[b];"
    f"color=c=0xC82828:s=40x30:r={FPS}:d={SECONDS}[r];[r]split[p][q];"
    "[b][p]overlay=x=200:y='-40+80*t':eval=frame[m];[m][q]overlay=x='-160+90*t':y=30:eval=frame"
)
LINES = lines_from_json(
    '{"lines": [{"id": "across", "x1": 0.5, "y1": 0.6, "x2": 0.95, "y2": 0.6},'
    ' {"id": "upright", "x1": 0.35, "y1": 0.05, "x2": 0.35, "y2": 0.5}]}'
)
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-crf", "12")


def ffmpeg(*arguments: object) -> None:
    subprocess.run(["ffmpeg", "-y", "-v", "error", *map(str, arguments)], check=True, timeout=60)


def make_clip(path: Path, filters: str = "format=yuv420p", *options: str) -> Path:
    """Render the scene, treated by filters, with the options of an encoder."""
    ffmpeg("-f", "lavfi", "-i", f"{SCENE},{filters}", *(options or X264), f"file:{path}")
    return path


def turn(source: Path, path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Copy a clip with a display matrix beside it, by its linear part `a, b, c, d`."""
    a, b, c, d = (value * 65536 for value in matrix)
    with av.open(str(source)) as container, av.open(str(path), "w") as output:
        stream = container.streams.video[0]
        copy = output.add_stream_from_template(stream)
        copy.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        for packet in container.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                output.mux(packet)
    return path


class RedBoxes:
    """Finds red boxes: a detector without a network."""

    info = ModelInfo("red", "traffic", ("car",), WIDTH, HEIGHT, 0.5, 0.5, Path("red"))
    engine = "none"

    def letterbox(self, width: int, height: int) -> Letterbox:
        return Letterbox(WIDTH, WIDTH, width, height)

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        colours = scaled_rgb.astype(np.int16)
        is_red = colours[..., 0] - np.maximum(colours[..., 1], colours[..., 2]) > 50
        _, _, found, _ = cv2.connectedComponentsWithStats(is_red.astype(np.uint8))
        height, width = is_red.shape
        return [
            Detection((x / width, y / height, (x + w) / width, (y + h) / height), "car", 0.9)
            for x, y, w, h, area in found[1:]
            if area > 60
        ]


def count_clip(path: Path, fps: float | None = None, on_frame: OnFrame | None = None) -> FileCount:
    with VideoFile(path) as video:
        return count_video(video, RedBoxes(), LINES, fps, on_frame)


def events(result: FileCount) -> list[tuple[str, str]]:
    return [(str(one.line), one.direction) for one in sorted(result.crossings, key=lambda one: one.time_s)]
