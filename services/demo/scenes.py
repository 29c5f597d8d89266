"""The demos by name: the scene that an address asks for, and who draws it."""

from collections.abc import Callable
from dataclasses import dataclass

from services.core.errors import StreamError
from services.core.types import MASK_CLASSES, TRAFFIC_CLASSES
from services.demo.entrance.render import EntranceRenderer
from services.demo.entrance.scene import Entrance, make_entrance
from services.demo.render import Renderer
from services.demo.script import DEFAULT_DURATION_S, DEFAULT_SEED, Scene
from services.demo.traffic import make_scene

AnyScene = Scene | Entrance
AnyRenderer = Renderer | EntranceRenderer


@dataclass(frozen=True, slots=True)
class Demo:
    """One kind of scene and the classes of what it shows."""

    make: Callable[[int, float], AnyScene]
    classes: tuple[str, ...]


DEMOS = {"traffic": Demo(make_scene, TRAFFIC_CLASSES), "masks": Demo(make_entrance, MASK_CLASSES)}


@dataclass(frozen=True, slots=True)
class DemoAddress:
    """What a `demo://` address names."""

    demo: Demo
    seed: int

    @classmethod
    def parse(cls, url: str) -> "DemoAddress":
        """Read an address; StreamError when there is no such scene."""
        name, _, query = url.removeprefix("demo://").partition("?")
        if name not in DEMOS:
            raise StreamError(f"there is no demo scene {name!r}: give demo://traffic or demo://masks")
        key, _, value = query.partition("=")
        if query and (key != "seed" or not (value.isascii() and value.isdecimal())):
            raise StreamError("a demo scene takes only ?seed=NUMBER")
        return cls(DEMOS[name], int(value) if query else DEFAULT_SEED)

    def scene(self) -> AnyScene:
        """Make the scene, which takes a moment; it is kept."""
        return self.demo.make(self.seed, DEFAULT_DURATION_S)


def renderer_of(scene: AnyScene) -> AnyRenderer:
    """Who draws a scene."""
    return Renderer(scene) if isinstance(scene, Scene) else EntranceRenderer(scene)
