"""GB-YOLO for Ultralytics: importing this registers the modules of its definitions, without a fork.

    from model.zoo.ultralytics.plugin import definition
    from ultralytics import YOLO
    YOLO(definition("n")).train(data="data.yaml", epochs=100, imgsz=416)

Its checkpoints hold Sightline's modules by name, so that a program that loads one has `model` on its path (in
.venv-ultralytics it is), and imports this where it trains on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from model.network.gbyolo.backbone import GhostStack
from model.network.gbyolo.neck import WeightedAdd
from model.zoo.torchvision_ops import import_torchvision
from model.zoo.ultralytics.quiet import keep_to_itself

keep_to_itself()
import_torchvision()

from ultralytics.nn import tasks  # noqa: E402

DEFINITIONS = Path(__file__).parent / "definitions"

STAND_INS = {"GhostStack": ("C1", GhostStack), "WeightedAdd": ("CBFuse", WeightedAdd)}
"""By their names in a definition: our modules, and that of Ultralytics whose arguments each takes.

Ultralytics reads a definition with fixed lists of modules that tell how the arguments and channels of each
are found. C1 takes the channels that come in, those that go out, and its repeats; CBFuse takes several maps,
of which the last tells the channels, and its arguments as they are.
"""

_parse_ultralytics = tasks.parse_model


def definition(size: str) -> str:
    """The path of GB-YOLO's definition in a size, n or s; ValueError for another size."""
    path = DEFINITIONS / f"gbyolo-{size}.yaml"
    if not path.is_file():
        raise ValueError(f"GB-YOLO has no size {size!r}: n or s")
    return str(path)


def parse_model(d: dict[str, Any], ch: int, verbose: bool = True) -> Any:
    """Ultralytics' `parse_model`, with its names of parameters, which reads our modules too."""
    layers = [*d["backbone"], *d["head"]]
    if not any(module in STAND_INS for _, _, module, _ in layers):
        return _parse_ultralytics(d, ch, verbose)
    renamed = {part: [_renamed(layer) for layer in d[part]] for part in ("backbone", "head")}
    with _stand_ins():
        return _parse_ultralytics({**d, **renamed}, ch, verbose)


def _renamed(layer: list[Any]) -> list[Any]:
    source, repeats, module, arguments = layer
    return [source, repeats, STAND_INS[module][0] if module in STAND_INS else module, arguments]


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Let the names of the stand-ins mean our modules for as long as one definition is read."""
    former = {name: getattr(tasks, name) for name, _ in STAND_INS.values()}
    try:
        for name, module in STAND_INS.values():
            setattr(tasks, name, module)
        yield
    finally:
        for name, module in former.items():
            setattr(tasks, name, module)


tasks.parse_model = parse_model
