"""The demos by name: the scene that an address asks for, and who draws it."""

from collections.abc import Callable
from dataclasses import dataclass

from services.core.camera_address import DEMO_MASKS, DEMO_TRAFFIC, demo_of
from services.core.errors import BadInputError, StreamError
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


DEMOS = {DEMO_TRAFFIC: Demo(make_scene, TRAFFIC_CLASSES), DEMO_MASKS: Demo(make_entrance, MASK_CLASSES)}


@dataclass(frozen=True, slots=True)
class SceneChoice:
    """A demo, and the number that varies it."""

    demo: Demo
    seed: int

    def make(self) -> AnyScene:
        """Make the scene, which takes a moment; it is kept."""
        return self.demo.make(self.seed, DEFAULT_DURATION_S)


def scene_of(url: str) -> SceneChoice:
    """Give the scene that an address names; StreamError when there is none."""
    try:
        named = demo_of(url)
    except BadInputError as error:
        raise StreamError(error.sentence) from None
    if named is None:
        raise StreamError("scene-none")
    return SceneChoice(DEMOS[named.name], DEFAULT_SEED if named.seed is None else named.seed)


def renderer_of(scene: AnyScene) -> AnyRenderer:
    """Who draws a scene."""
    return Renderer(scene) if isinstance(scene, Scene) else EntranceRenderer(scene)
