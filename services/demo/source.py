"""The built-in demo cameras as a source."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.demo.encode import access_units
from services.demo.scenes import AnyScene, DemoAddress
from services.demo.script import FPS, SIZE_PX
from services.ingest.paced import PacedConnection
from services.ingest.source import Connection, SourceUnit


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
        """Nothing is held open."""


@dataclass(frozen=True, slots=True)
class DemoSource:
    """A scripted scene by its address."""

    address: DemoAddress

    def connect(self) -> Connection:
        """Begin the scene."""
        return PacedConnection(DemoConnection(self.address.scene()))


def demo_source(url: str) -> DemoSource:
    """Give the scene that a `demo://` address names; StreamError when there is none."""
    return DemoSource(DemoAddress.parse(url))
