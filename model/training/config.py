"""What a training is given: the tasks, and the settings of one run."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from model.data.samples import DataSource
from model.network.build import ARCHITECTURES, Architecture, Size
from services.core.errors import BadInputError
from services.core.model_classes import TASK_CLASSES

JOINT = "joint"
"""All tasks at once: one backbone and neck with a head for each, the start of every fine-tuning."""
OWN = "own"
"""The task of a person's own classes."""
RARE_CLASSES: dict[str, dict[str, float]] = {
    "traffic": {"person": 2.0, "bicycle": 3.0, "motorbike": 2.0},
    "mask": {"mask_incorrect": 2.0},
}
"""How often a picture with such an object is shown in an epoch, for classes with few examples."""

CHANGEABLE = {"run", "minutes", "epochs", "threads", "workers", "evaluate_every", "checkpoint_s"}
"""The settings of a run that its continuation may have otherwise."""


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one training; the schedule ends at `minutes` or `epochs`, whichever comes first."""

    data: tuple[DataSource, ...]
    run: Path
    task: str = "traffic"
    architecture: Architecture = "gbyolo"
    size: Size = "n"
    input_px: int = 416
    batch: int = 16
    minutes: float | None = 50.0
    epochs: int | None = None
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    mosaic: float = 0.7
    """The share of pictures that are four in one; the rest show objects as large as they are."""
    multi_scale: float = 0.25
    """How far the side of a batch's pictures may be from `input_px`, as a share of it."""
    mosaic_until: float = 0.85
    """The share of the schedule after which no mosaic is made any more."""
    ema_decay: float = 0.998
    threads: int = 2
    """At most; fewer are used while fewer are faster."""
    workers: int = 1
    """Processes that augment pictures."""
    seed: int = 0
    bf16: bool = True
    """Compute in bfloat16 where the device does so itself."""
    init: Path | None = None
    """A checkpoint whose averaged weights are the start, with the heads and anchors of the same tasks."""
    mine_at: tuple[float, ...] = (0.35, 0.65)
    """The shares of the schedule at which hard examples are looked for."""
    backgrounds: tuple[Path, ...] = ()
    """Traffic folders whose pictures without a person are shown to the task mask as free of faces."""
    evaluate_every: int = 2
    checkpoint_s: float = 120.0
    classes: tuple[str, ...] = ()
    """Those of the task own, in the order of their numbers in the label files."""

    def __post_init__(self) -> None:
        if self.task not in (tasks := (*TASK_CLASSES, JOINT, OWN)):
            raise BadInputError(f"no task {self.task!r}, there are {', '.join(tasks)}")
        if (self.task == OWN) != bool(self.classes):
            raise BadInputError(
                f"classes are those of --task {OWN}, which needs some; other tasks have theirs"
            )
        if self.architecture not in ARCHITECTURES:
            raise BadInputError(
                f"no architecture {self.architecture!r}, there are {', '.join(ARCHITECTURES)}"
            )
        if self.backgrounds and "mask" not in self.tasks:
            raise BadInputError("--background gives pictures without faces: for the task mask or joint")
        for source in self.data:
            if self.task == JOINT and source.task is None:
                raise BadInputError(f"--data {source.folder}: a joint training needs TASK=FOLDER")
            if source.task not in (None, *self.tasks):
                raise BadInputError(f"--data {source.folder}: {source.task} is not a task of this training")
        if self.input_px < 64 or self.input_px % 32:
            raise BadInputError("the training size is a multiple of 32 pixels, at least 64")
        if self.minutes is None and self.epochs is None:
            raise BadInputError("a training needs a number of minutes or of epochs")

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that are trained."""
        return tuple(TASK_CLASSES) if self.task == JOINT else (self.task,)

    def classes_of(self, task: str) -> tuple[str, ...]:
        """The names of a task's classes in label order."""
        return self.classes if task == OWN else TASK_CLASSES[task]

    def sources(self, task: str) -> tuple[DataSource, ...]:
        """The data of a task."""
        return tuple(source for source in self.data if source.task in (None, task))

    def progress(self, elapsed_s: float, epochs_done: float) -> float:
        """The share of the schedule that is done, 0 to 1, by the limit that is nearer."""
        by_clock = elapsed_s / 60 / self.minutes if self.minutes else 0.0
        by_epochs = epochs_done / self.epochs if self.epochs else 0.0
        return min(1.0, max(by_clock, by_epochs))

    def changes(self, former: str) -> list[str]:
        """The settings that are not those of a run's config.json, less those that may change on its way."""
        own, other = json.loads(self.to_json()), json.loads(former)
        return [name for name in own if name not in CHANGEABLE and own[name] != other.get(name, own[name])]

    def to_json(self) -> str:
        """The settings as indented JSON."""
        return json.dumps(asdict(self), indent=2, default=str) + "\n"
