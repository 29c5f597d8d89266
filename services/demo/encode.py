"""The demo camera: one loop of a scene, encoded as an IP camera would, then replayed from memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from services.common.video.source import Connection, PacedConnection, SourceUnit
from services.demo.geometry import HEIGHT_PX, WIDTH_PX, Picture
from services.demo.scenes import AnyScene, SceneChoice, renderer_of
from services.demo.script import FPS, SIZE_PX

QUALITY_CRF = 23
OPTIONS = {
    "preset": "veryfast",
    "tune": "zerolatency",
    "crf": str(QUALITY_CRF),
    "x264-params": f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0:repeat-headers=1:annexb=1",
}

Unit = tuple[bool, bytes]
"""Is it a key frame; the access unit in Annex B."""


def encode(pictures: Iterator[Picture]) -> Iterator[Unit]:
    """One access unit for each picture, at once (no look-ahead); a key frame with its headers each second."""
    codec: Any = av.CodecContext.create("libx264", "w")
    codec.width, codec.height = WIDTH_PX, HEIGHT_PX
    codec.pix_fmt, codec.time_base, codec.framerate = "yuv420p", Fraction(1, FPS), Fraction(FPS)
    codec.thread_count = 1
    codec.options = OPTIONS
    for number, picture in enumerate(pictures):
        frame: Any = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        for packet in codec.encode(frame):
            yield bool(packet.is_keyframe), bytes(packet)
    for packet in codec.encode(None):
        yield bool(packet.is_keyframe), bytes(packet)


def pictures_of(scene: AnyScene, first: int = 0, count: int | None = None) -> Iterator[Picture]:
    """A scene's pictures, from frame `first` on."""
    renderer = renderer_of(scene)
    for number in range(first, scene.frames if count is None else first + count):
        yield renderer.frame(number)


class LoopCache:
    """Keeps one encoded loop (about 5 MB a minute), so that a replay costs nothing."""

    def __init__(self, scene: AnyScene) -> None:
        self.scene = scene
        self._units: list[Unit] = []
        self._fresh: Iterator[Unit] | None = None

    def unit(self, number: int) -> Unit:
        """The access unit of a picture of the loop; encodes up to it the first time."""
        if self._fresh is None:
            self._fresh = encode(pictures_of(self.scene))
        while len(self._units) <= number:
            self._units.append(next(self._fresh))
        return self._units[number]


def access_units(scene: AnyScene, cache: LoopCache | None = None) -> Iterator[tuple[int, bool, bytes]]:
    """For ever: frame number (counts on), is it a key frame, data. The first loop is encoded as it goes."""
    kept = cache or LoopCache(scene)
    frame = 0
    while True:
        is_keyframe, data = kept.unit(frame % scene.frames)
        yield frame, is_keyframe, data
        frame += 1


@dataclass(slots=True)
class DemoConnection:
    """The scripted scene, over and over."""

    scene: AnyScene

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return SIZE_PX

    def units(self) -> Iterator[SourceUnit]:
        """Give the encoded pictures of the scene without end."""
        for index, is_keyframe, data in access_units(self.scene):
            yield SourceUnit(data, is_keyframe, index / FPS)

    def close(self) -> None:
        """Nothing is kept open."""


@dataclass(frozen=True, slots=True)
class DemoSource:
    """A scripted scene as a camera."""

    choice: SceneChoice

    def connect(self) -> Connection:
        """Begin the scene."""
        return PacedConnection(DemoConnection(self.choice.make()))


def decode(units: Iterator[bytes]) -> Iterator[Picture]:
    """The pictures of access units, as a detector sees them."""
    codec: Any = av.CodecContext.create("h264", "r")
    codec.thread_count = 1
    for data in units:
        for frame in codec.decode(av.Packet(data)):
            yield frame.to_ndarray(format="bgr24")
    for frame in codec.decode(None):
        yield frame.to_ndarray(format="bgr24")


def write_video(scene: AnyScene, path: Path) -> None:
    """One loop as an .mp4 file."""
    container: Any
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"preset": "veryfast", "crf": str(QUALITY_CRF), "bf": "0", "g": str(FPS)}
        for picture in pictures_of(scene):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
