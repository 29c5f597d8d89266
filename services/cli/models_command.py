"""The models at hand: `sightline models` with how good their cards say they are, and those the API lists."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from services.cli.console import table
from services.common.files import is_file
from services.common.settings.cameras import CameraFiles
from services.core.errors import BadInputError
from services.core.model_classes import FACE_FINDER
from services.detector.infer.models import (
    ALIASES,
    CLASSIFIER_TASK,
    SUFFIX,
    WEIGHTS,
    read_classifier,
    read_info,
    task_of,
)
from services.web.system import ModelEntry

MOST_FILES = 100
"""Of a folder of models that are offered."""

COLUMNS = ("name", "stands for", "task", "classes", "input", "size", "accuracy")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What the table shows of one model."""

    name: str
    aliases: tuple[str, ...]
    task: str
    classes: tuple[str, ...]
    input_px: tuple[int, int]
    size_bytes: int
    accuracy: str

    def cells(self) -> list[str]:
        """Give the row as texts."""
        return [
            self.name,
            ", ".join(self.aliases),
            self.task,
            ", ".join(self.classes),
            "x".join(map(str, self.input_px)),
            f"{self.size_bytes / 1e6:.1f} MB",
            self.accuracy,
        ]


def models_command() -> None:
    """List the models at hand: task, classes, input, size, and accuracy from the model card."""
    rows = list_models()
    if not rows:
        raise BadInputError(f"no model in {WEIGHTS}: train one with `sightline train`")
    table("Models", COLUMNS, [row.cells() for row in rows])


def list_models(folder: Path = WEIGHTS) -> list[ModelRow]:
    """Read what the model files and the cards beside them state."""
    return [_row(path) for path in sorted(folder.glob("*.onnx"))]


def _row(path: Path) -> ModelRow:
    if task_of(path) == CLASSIFIER_TASK:
        return _classifier_row(path)
    info = read_info(path)
    aliases = tuple(alias for alias, name in ALIASES.items() if name == path.stem)
    size_px = (info.input_width, info.input_height)
    accuracy = card_accuracy(path.with_suffix(".md"))
    return ModelRow(path.stem, aliases, info.task, info.classes, size_px, path.stat().st_size, accuracy)


def _classifier_row(path: Path) -> ModelRow:
    """Give the row of a second stage, which is named behind a face finder."""
    info = read_classifier(path)
    stands_for, size_px = (f"{FACE_FINDER}+{path.stem}",), (info.side_px, info.side_px)
    accuracy = card_accuracy(path.with_suffix(".md"))
    return ModelRow(
        path.stem, stands_for, CLASSIFIER_TASK, info.classes, size_px, path.stat().st_size, accuracy
    )


def card_accuracy(card: Path) -> str:
    """Give the figures under `accuracy` of a model card's front matter; `-` where it states none."""
    try:
        text = card.read_text(encoding="utf-8")
        front = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else {}
    except (OSError, yaml.YAMLError, IndexError):
        return "-"
    figures: Any = front.get("accuracy") if isinstance(front, dict) else None
    if isinstance(figures, dict):
        return ", ".join(f"{name} {value}" for name, value in figures.items())
    return "-" if figures is None else str(figures)


def model_entries(folder: Path = WEIGHTS) -> Sequence[ModelEntry]:
    """Give the models that cameras can be given, by name; a classifier stands behind a face finder.

    Each file is read once, and again when it has changed.
    """
    return [_entry(path, path.stat().st_mtime_ns) for path in sorted(folder.glob(f"*{SUFFIX}"))]


@lru_cache(maxsize=256)
def _entry(path: Path, changed_ns: int) -> ModelEntry:
    if task_of(path) == CLASSIFIER_TASK:
        return ModelEntry(f"{FACE_FINDER}+{path.stem}", read_classifier(path).classes)
    info = read_info(path)
    aliases = tuple(alias for alias, name in ALIASES.items() if name == path.stem)
    return ModelEntry(path.stem, info.classes, aliases, info.task)


def file_entries(files: CameraFiles) -> Sequence[ModelEntry]:
    """Give the files that cameras may name beside the models that ship; what is no model is left out."""
    found = [
        path for folder in files.folders for path in islice(sorted(folder.glob(f"*{SUFFIX}")), MOST_FILES)
    ]
    named = (Path(name) for name in sorted(files.files) if name.endswith(SUFFIX))
    return [entry for path in dict.fromkeys((*found, *named)) if (entry := _file_entry(path, files))]


def _file_entry(path: Path, files: CameraFiles) -> ModelEntry | None:
    try:
        str(path).encode()
        real = files.real_path(str(path))
        if not is_file(real):
            return None
        return replace(_entry(real, real.stat().st_mtime_ns), name=str(path), aliases=(), is_file=True)
    except (BadInputError, OSError, UnicodeEncodeError):
        return None
