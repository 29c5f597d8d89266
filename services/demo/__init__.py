"""The demo cameras: scripted scenes, drawn by our own code, whose true counts are known.

`demo://traffic` is a street, `demo://masks` an entrance. Importing this package costs nothing: a scene is
loaded when its address is asked for.
"""

from services.common.video.source import Source
from services.core.camera_address import AddressKind, kind_of
from services.core.types import Line


def demo_source(url: str) -> Source:
    """Give the source of the scene that an address names; StreamError when there is none."""
    from services.demo.encode import DemoSource
    from services.demo.scenes import scene_of

    return DemoSource(scene_of(url))


def demo_lines(url: str) -> tuple[Line, ...]:
    """Give the lines of the scene that an address names, and none where it names another camera."""
    from services.demo.scenes import scene_of

    return scene_of(url).make().lines if kind_of(url) is AddressKind.DEMO else ()
