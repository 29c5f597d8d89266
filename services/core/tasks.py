"""The tasks that models are trained for, and what a camera's model of a task can find."""

from collections.abc import Iterable

from services.core.camera_address import DEMO_MASKS, demo_of
from services.core.errors import BadInputError
from services.core.types import MASK_CLASSES, TRAFFIC_CLASSES, Line

TASK_CLASSES: dict[str, tuple[str, ...]] = {"traffic": TRAFFIC_CLASSES, "mask": MASK_CLASSES}
SIZES = ("n", "s")


def classes_of_model(model: str) -> tuple[str, ...] | None:
    """Give what a shipped model can find, by its name or its task's; None for a file, which may know more."""
    task, _, size = model.partition("-")
    return TASK_CLASSES.get(task) if not size or size in SIZES else None


def model_for(url: str, model: str | None) -> str:
    """Give the model of a camera: that of mask wearing where the scene of it is shown, else traffic.

    BadInputError when there is no such scene.
    """
    demo = demo_of(url)
    is_masks = demo is not None and demo.name == DEMO_MASKS
    if model is None or (is_masks and classes_of_model(model) == TRAFFIC_CLASSES):
        return "mask" if is_masks else "traffic"
    return model


def check_classes(lines: Iterable[Line], model: str) -> None:
    """Refuse a line that counts what its camera's model never finds; BadInputError names line and class."""
    known = classes_of_model(model)
    for line in lines:
        for name in line.classes or ():
            if known is not None and name not in known:
                raise BadInputError(
                    f"line {line.id!r} counts {name}, which model {model!r} never finds: "
                    f"its classes are {', '.join(known)}"
                )
