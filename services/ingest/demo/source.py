"""The built-in demo camera as a source."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.core.errors import StreamError
from services.ingest.demo.encode import access_units
from services.ingest.demo.script import DEFAULT_SEED, FPS, SIZE_PX, Scene
from services.ingest.demo.traffic import make_scene
from services.ingest.paced import PacedConnection
from services.ingest.source import Connection, SourceUnit


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


def demo_source(url: str) -> DemoSource:
    """Give the scene that a `demo://` address names; StreamError when there is none."""
    name, _, query = url.removeprefix("demo://").partition("?")
    if name != "traffic":
        raise StreamError(f"there is no demo scene {name!r}: give demo://traffic")
    if not query:
        return DemoSource()
    key, _, value = query.partition("=")
    if key != "seed" or not value.isdigit():
        raise StreamError("a demo scene takes only ?seed=NUMBER")
    return DemoSource(int(value))
