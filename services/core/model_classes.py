"""What models can find: the classes of each task, and what the mask states among them say together."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from services.core.camera_address import DEMO_MASKS, demo_of
from services.core.errors import BadInputError
from services.core.identifiers import clean_name
from services.core.types import MASK_CLASSES, TRAFFIC_CLASSES, Camera, Line

TASK_CLASSES: dict[str, tuple[str, ...]] = {"traffic": TRAFFIC_CLASSES, "mask": MASK_CLASSES}
SIZES = ("n", "s")

MOST_CLASSES, LONGEST_CLASS_NAME = 1000, 60
"""Bounds of what a foreign model may name: names become keys, columns and words on a page."""

LEAST_INPUT_PX, MOST_INPUT_PX = 8, 4096
"""Bounds of the sides of a network's input."""

MOST_LISTED = 100
"""Classes that a sentence names."""

COMPLIANT = "mask"
"""Only this state complies: a mask under the nose or the chin (mask_incorrect) does not."""


FACE_FINDER = "face"
"""As a face finder: the mask model that ships, whose boxes of all states are faces."""

LONGEST_FINDER = 200
"""Characters before the +: no name of a camera's model is longer."""

FACE_CLASSES = ("face", *MASK_CLASSES)
"""What a face finder finds."""


def stages_of(model: str) -> tuple[str, str] | None:
    """Give the two names of FINDER+CLASSIFIER; None for a model of one stage, also a file with a + in it."""
    for place, letter in enumerate(model[:LONGEST_FINDER]):
        finder, classifier = model[:place], model[place + 1 :]
        if letter == "+" and classifier and _may_find(finder):
            return finder, classifier
    return None


def _may_find(name: str) -> bool:
    return name == FACE_FINDER or name.endswith(".onnx") or _classes_of_name(name) is not None


def classes_of_model(model: str) -> tuple[str, ...] | None:
    """Give what a shipped model can find, by its name or its task's; None for a file, which may know more.

    A model of two stages finds faces by the states of their masks.
    """
    return MASK_CLASSES if stages_of(model) is not None else _classes_of_name(model)


def _classes_of_name(name: str) -> tuple[str, ...] | None:
    task, _, size = name.partition("-")
    return TASK_CLASSES.get(task) if not size or size in SIZES else None


def checked_class_names(names: Iterable[object]) -> tuple[str, ...]:
    """Give the names of a model's classes as they are kept; BadInputError for one that is none, or twice."""
    found: dict[str, None] = {}
    for name in names:
        kept = class_name_from(name)
        if kept is None:
            shown = name[:80] if isinstance(name, str) else type(name).__name__
            raise BadInputError("class-name-invalid", name=shown, most=LONGEST_CLASS_NAME)
        if kept in found:
            raise BadInputError("class-name-twice", name=kept)
        found[kept] = None
        if len(found) > MOST_CLASSES:
            raise BadInputError("classes-number", most=MOST_CLASSES)
    if not found:
        raise BadInputError("classes-number", most=MOST_CLASSES)
    return tuple(found)


def class_name_from(value: object) -> str | None:
    """Give the name of a class as it is kept; None for what can be none."""
    return (clean_name(value, LONGEST_CLASS_NAME) or None) if isinstance(value, str) else None


def may_be_verified(model: str) -> bool:
    """Return whether a second opinion can be had on what a model finds: the mask model's, or a file's."""
    return stages_of(model) is None and classes_of_model(model) in (None, MASK_CLASSES)


def check_verified(camera: Camera, known: Collection[str] | None) -> None:
    """Refuse a second opinion on what a camera's model finds; `known` as in `check_classes`."""
    if camera.verify and known is not None and not set(known) <= set(MASK_CLASSES):
        raise BadInputError("verify-not-masks", model=camera.model[:80])


def model_for(url: str, model: str | None) -> str:
    """Give the model of a camera: that of mask wearing where the scene of it is shown, else traffic.

    BadInputError when there is no such scene.
    """
    demo = demo_of(url)
    is_masks = demo is not None and demo.name == DEMO_MASKS
    if model is None or (is_masks and classes_of_model(model) == TRAFFIC_CLASSES):
        return "mask" if is_masks else "traffic"
    return model


def check_classes(lines: Iterable[Line], model: str, known: Collection[str] | None) -> None:
    """Refuse a line that counts what its camera's model never finds; BadInputError names line and class.

    `known` is what the model finds, None where nobody has seen its file.
    """
    for line in lines:
        for name in line.classes or ():
            if known is not None and name not in known:
                raise BadInputError(
                    "line-class-never",
                    line=line.id,
                    class_name=name,
                    model=model,
                    classes=listed(known),
                )


def listed(names: Iterable[str]) -> str:
    """Give names for a person, the first of many."""
    found = list(names)
    return ", ".join([*found[:MOST_LISTED], *(["…"] if len(found) > MOST_LISTED else [])])


def has_mask_states(classes: Collection[str]) -> bool:
    """Return whether a model finds mask states and nothing else, so that shares of them say something.

    A model of protective clothing may have a class `mask` of its own.
    """
    return {COMPLIANT, "no_mask"} <= set(classes) <= set(MASK_CLASSES)


def mask_state(class_name: str) -> str | None:
    """Give the mask state that a class of a mask model stands for; None for another class."""
    return class_name if class_name in MASK_CLASSES else None


def counts_all_states(classes: Iterable[str] | None) -> bool:
    """Whether a line that counts these classes (None: all) counts all mask states, or none of them.

    One that leaves out a state would give a rate of something else.
    """
    return classes is None or len(set(classes) & set(MASK_CLASSES)) in (0, len(MASK_CLASSES))


@dataclass(frozen=True, slots=True)
class MaskCompliance:
    """How many of the people counted wore their mask over mouth and nose."""

    counted: int
    """People whose mask state was counted: mask, no_mask and mask_incorrect together."""
    compliant: int

    @classmethod
    def of(cls, *counts: Mapping[str, int]) -> "MaskCompliance":
        """Take counts by class; other classes than the three mask states say nothing here."""
        counted = sum(by_class.get(name, 0) for by_class in counts for name in MASK_CLASSES)
        return cls(counted, sum(by_class.get(COMPLIANT, 0) for by_class in counts))

    @property
    def rate(self) -> float | None:
        """The share that complied, 0 to 1; None where nobody was counted."""
        return self.compliant / self.counted if self.counted else None
