"""The sources that a camera's address can name."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.core.errors import StreamError
from services.ingest.container import RTSP_OPTIONS, ContainerConnection
from services.ingest.demo.encode import access_units
from services.ingest.demo.script import DEFAULT_SEED, FPS, SIZE_PX, Scene
from services.ingest.demo.traffic import make_scene
from services.ingest.source import Connection, Source, SourceUnit

LARGEST_PAUSE_S = 1.0
"""A pacer that fell behind by more than this starts anew instead of hurrying."""


@dataclass(frozen=True, slots=True)
class RtspSource:
    """A camera that is dialled by RTSP over TCP."""

    url: str

    def connect(self) -> Connection:
        """Open the session."""
        options = RTSP_OPTIONS if self.url.startswith(("rtsp:", "rtsps:")) else {}
        return ContainerConnection.open(self.url, dict(options))


@dataclass(slots=True)
class PacedConnection:
    """Lets an endless or a stored stream go by as fast as its clock runs."""

    inner: Connection

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.inner.resolution

    def units(self) -> Iterator[SourceUnit]:
        """Give each unit when its time has come."""
        offset_s: float | None = None
        for unit in self.inner.units():
            if unit.stream_s is not None:
                now_s = time.monotonic()
                if offset_s is None or now_s - (offset_s + unit.stream_s) > LARGEST_PAUSE_S:
                    offset_s = now_s - unit.stream_s
                time.sleep(max(0.0, offset_s + unit.stream_s - now_s))
            yield unit

    def close(self) -> None:
        """Let go of the stream."""
        self.inner.close()


@dataclass(frozen=True, slots=True)
class FileSource:
    """A video file, played at its own speed; each pass is a connection of its own."""

    path: Path

    def connect(self) -> Connection:
        """Open the file."""
        return PacedConnection(ContainerConnection.open(str(self.path)))


@dataclass(slots=True)
class DemoConnection:
    """The scripted scene, over and over."""

    scene: Scene

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return SIZE_PX

    def units(self) -> Iterator[SourceUnit]:
        """Give the encoded pictures of the scene without end."""
        for index, is_keyframe, data in access_units(self.scene):
            yield SourceUnit(data, is_keyframe, index / FPS)

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True)
class DemoSource:
    """A scripted scene by its seed."""

    seed: int = DEFAULT_SEED

    def connect(self) -> Connection:
        """Begin the scene."""
        return PacedConnection(DemoConnection(make_scene(self.seed)))


def source_of(url: str) -> Source:
    """Give the source that an address names; StreamError when it names none."""
    if url.startswith(("rtsp://", "rtsps://")):
        return RtspSource(url)
    if url.startswith("demo://"):
        return _demo_source(url)
    if "://" in url:
        raise StreamError(
            "this kind of address is not supported: give rtsp://, rtsps://, a file or demo://traffic"
        )
    return FileSource(Path(url))


def _demo_source(url: str) -> Source:
    name, _, query = url.removeprefix("demo://").partition("?")
    if name != "traffic":
        raise StreamError(f"there is no demo scene {name!r}: give demo://traffic")
    if not query:
        return DemoSource()
    key, _, value = query.partition("=")
    if key != "seed" or not value.isdigit():
        raise StreamError("a demo scene takes only ?seed=NUMBER")
    return DemoSource(int(value))
