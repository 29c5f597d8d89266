"""What a training is told: tasks with their classes, data sources, and the settings of one run."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from model.gbyolo.network import Size
from services.core.errors import BadInputError
from services.core.types import MASK_CLASSES, TRAFFIC_CLASSES

TASKS: dict[str, tuple[str, ...]] = {"traffic": TRAFFIC_CLASSES, "mask": MASK_CLASSES}
RARE_CLASSES: dict[str, dict[str, float]] = {
    "traffic": {"person": 2.0, "bicycle": 3.0, "motorbike": 2.0},
    "mask": {"mask_incorrect": 2.0},
}
"""How often a picture with such an object is shown in an epoch, for classes with few examples."""


@dataclass(frozen=True)
class DataSource:
    """A YOLO folder (images/{train,val}, labels/{train,val}) and how often its pictures are shown."""

    folder: Path
    repeat: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "DataSource":
        """Reads FOLDER or FOLDER@REPEAT; raises BadInputError for a repeat that is no positive number."""
        folder, separator, repeat = text.rpartition("@")
        if not separator:
            return cls(Path(text))
        try:
            value = float(repeat)
        except ValueError:
            value = 0.0
        if not 0 < value < 100:
            raise BadInputError(f"--data {text}: after @ stands how often to show the folder, such as 0.5")
        return cls(Path(folder), value)


@dataclass(frozen=True)
class TrainConfig:
    """The settings of one training; the schedule ends at `minutes` or `epochs`, whichever comes first."""

    data: tuple[DataSource, ...]
    run: Path
    task: str = "traffic"
    size: Size = "n"
    input_px: int = 416
    batch: int = 16
    minutes: float | None = 50.0
    epochs: int | None = None
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    mosaic: float = 0.7
    mosaic_until: float = 0.85
    """The share of the schedule after which no mosaic is made any more."""
    ema_decay: float = 0.998
    threads: int = 2
    """At most; fewer are used while fewer are faster."""
    seed: int = 0
    bf16: bool = True
    init: Path | None = None
    """A checkpoint whose averaged weights and anchors are the start."""
    evaluate_every: int = 2
    checkpoint_s: float = 120.0
    rare_classes: dict[str, float] = field(default_factory=dict)
    """Overrides RARE_CLASSES of the task when not empty."""

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise BadInputError(f"no task {self.task!r}, there are {', '.join(TASKS)}")
        if self.input_px < 64 or self.input_px % 32:
            raise BadInputError("the training size is a multiple of 32 pixels, at least 64")
        if self.minutes is None and self.epochs is None:
            raise BadInputError("a training needs a number of minutes or of epochs")

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the task's classes, in label order."""
        return TASKS[self.task]

    def progress(self, elapsed_s: float, epochs_done: float) -> float:
        """The share of the schedule that is done, 0 to 1, by the limit that is nearer."""
        by_clock = elapsed_s / 60 / self.minutes if self.minutes else 0.0
        by_epochs = epochs_done / self.epochs if self.epochs else 0.0
        return min(1.0, max(by_clock, by_epochs))

    def to_json(self) -> str:
        """The settings as indented JSON."""
        return json.dumps(asdict(self), indent=2, default=str) + "\n"
