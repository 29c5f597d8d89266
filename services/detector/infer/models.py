"""Which model files there are, and what they state about themselves, read without any engine."""

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from services.common.files import is_file
from services.common.settings.cameras import CameraFiles
from services.core.costs import LONGEST_WORD
from services.core.errors import BadInputError
from services.core.identifiers import clean_name
from services.core.model_classes import (
    FACE_CLASSES,
    FACE_FINDER,
    LEAST_INPUT_PX,
    MOST_INPUT_PX,
    checked_class_names,
    classes_of_model,
    stages_of,
)
from services.core.types import MASK_CLASSES
from services.detector.infer.detector import ClassifierInfo, ModelInfo
from services.detector.infer.metadata import read_metadata

WEIGHTS = Path(__file__).resolve().parents[3] / "model" / "weights"

ALIASES = {"traffic": "traffic-n", "mask": "mask-n"}
"""What a task's name stands for: the best that ships within a frame's budget on one core."""

METADATA_KEY = "sightline"
SUFFIX = ".onnx"

LARGEST_SIDE_PX = 512
LARGEST_MARGIN = 1.0
"""Of what a classifier takes: a square of pixels, and what lies around a face."""

LONGEST_NAME = 200
"""Characters of the name that a model states."""

UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, RecursionError, BadInputError)
"""What a strange value among the metadata raises where it is read."""

CLASSIFIER_TASK = "mask-classifier"
"""The task of a second stage: it tells the mask state of a face that was found."""


def model_path(name: str) -> Path:
    """Find the file of a detector given by task, name or path; BadInputError names what there is."""
    if stages_of(name) is not None:
        raise BadInputError("model-two-stages", model=name[:80])
    path = _found(name)
    if task_of(path) == CLASSIFIER_TASK:
        raise BadInputError("model-classifier", model=name[:80])
    return path


def stage_paths(name: str) -> tuple[Path, Path | None]:
    """Find the files of a model of one stage or two: a detector, and the classifier of what it finds.

    BadInputError where there is none, or where the two cannot work together.
    """
    stages = stages_of(name)
    if stages is None:
        return model_path(name), None
    finder, classifier = _finder_path(stages[0]), classifier_path(stages[1])
    stated = _stated(finder).get("classes")
    classes = [str(name) for name in stated] if isinstance(stated, list) else FACE_CLASSES
    if not set(classes) & set(FACE_CLASSES):
        raise BadInputError("finder-no-faces", model=stages[0][:80], classes=", ".join(classes)[:200])
    return finder, classifier


def model_files(name: str) -> tuple[Path, ...]:
    """Give the files that a model is read from; BadInputError as `stage_paths`."""
    return tuple(path for path in stage_paths(name) if path is not None)


def classifier_path(name: str) -> Path:
    """Find the file of a classifier by name or path; BadInputError where there is none."""
    path = _found(name)
    if task_of(path) not in ("", CLASSIFIER_TASK):
        raise BadInputError("classifier-wanted", model=name[:80])
    return path


def _finder_path(name: str) -> Path:
    return model_path(ALIASES["mask"] if name == FACE_FINDER else name)


def _found(name: str) -> Path:
    shipped = _shipped(name)
    if shipped is not None:
        return shipped
    path = Path(name)
    if path.suffix == SUFFIX and is_file(path):
        return path
    raise BadInputError("model-unknown", model=name[:80], models=_shipped_names())


def check_named_model(name: str, files: CameraFiles, sees_files: bool = True) -> None:
    """Refuse a model that does not ship and is none of `files`; BadInputError says what may stand there.

    No other file is looked for, so that no answer shows which files there are. `sees_files`: the files of
    this machine are those that the detector will open.
    """
    stages = stages_of(name)
    names = stages or (name,)
    if not all((one == FACE_FINDER and stages) or _may_be_named(one, files, sees_files) for one in names):
        raise BadInputError("model-not-allowed", model=name[:80], models=_shipped_names())
    if sees_files or all(one == FACE_FINDER or _shipped(one) for one in names):
        stage_paths(name)


def _may_be_named(name: str, files: CameraFiles, sees_files: bool) -> bool:
    return _shipped(name) is not None or (name.endswith(SUFFIX) and _is_among(name, files, sees_files))


def _is_among(name: str, files: CameraFiles, sees_files: bool) -> bool:
    try:
        files.check_path(name)
        return not sees_files or is_file(files.real_path(name))
    except (BadInputError, OSError, ValueError):
        return False


def _shipped(name: str) -> Path | None:
    """Give the file of a model that ships; the name is never taken for a path."""
    return {file.stem: file for file in WEIGHTS.glob(f"*{SUFFIX}")}.get(ALIASES.get(name, name))


def _shipped_names() -> str:
    """Name what a camera can be given: detectors, and those of two stages."""
    return ", ".join(detector_names() + [f"{FACE_FINDER}+{name}" for name in classifier_names()]) or "none"


def named_classes(name: str) -> tuple[str, ...] | None:
    """Give what the model of a name finds; None where no file of it can be read here."""
    known = classes_of_model(name)
    if known is not None:
        return known
    try:
        path = model_path(name)
        state = path.stat()
        return _file_classes(path, state.st_mtime_ns, state.st_size)
    except (BadInputError, OSError, ValueError):
        return None


@lru_cache(maxsize=64)
def _file_classes(path: Path, changed_ns: int, size_bytes: int) -> tuple[str, ...]:
    """Read a file once, and again when it has changed."""
    return read_info(path).classes


def detector_names() -> list[str]:
    """Name the detectors that ship."""
    return sorted(file.stem for file in WEIGHTS.glob(f"*{SUFFIX}") if task_of(file) != CLASSIFIER_TASK)


def classifier_names() -> list[str]:
    """Name the classifiers that ship."""
    return sorted(file.stem for file in WEIGHTS.glob(f"*{SUFFIX}") if task_of(file) == CLASSIFIER_TASK)


def file_word(path: Path) -> str:
    """Give the word by which people and settings know a model's file, whatever name it states itself."""
    return os.fsencode(path.stem).decode("utf-8", "replace")[:LONGEST_WORD]


def task_of(path: Path) -> str:
    """Give the task that a model file states; empty where it states none, or is no model."""
    task = _stated(path).get("task")
    return task if isinstance(task, str) else ""


def _stated(path: Path) -> dict[str, Any]:
    """Give what a model file states about itself; empty where that cannot be read."""
    try:
        return _read_stated(path, path.stat().st_mtime_ns)
    except (BadInputError, OSError):
        return {}


@lru_cache(maxsize=64)
def _read_stated(path: Path, changed_ns: int) -> dict[str, Any]:
    return read_stated(path)


def read_stated(path: Path) -> dict[str, Any]:
    """Read the metadata that export writes; BadInputError when the file carries none."""
    try:
        text = read_metadata(path).get(METADATA_KEY)
    except (ValueError, OSError) as error:
        raise BadInputError(f"{path} is no ONNX model: {error}") from error
    if text is None:
        raise BadInputError(f"{path} carries no Sightline metadata: export it with `sightline export`")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"the Sightline metadata of {path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise BadInputError(f"the Sightline metadata of {path} cannot be read: it is no object")
    return data


def read_info(path: Path) -> ModelInfo:
    """Read the metadata that export writes; BadInputError when the file carries none."""
    data = read_stated(path)
    try:
        width, height = data["input"]
        info = ModelInfo(
            name=_name(data["name"]),
            task=_name(data["task"]),
            classes=checked_class_names(_listed(data["classes"])),
            input_width=int(width),
            input_height=int(height),
            confidence=float(data["confidence"]),
            overlap=float(data["iou"]),
            path=path,
        )
    except UNREADABLE as error:
        raise BadInputError(f"the Sightline metadata of {path} cannot be read: {error}") from error
    if not all(LEAST_INPUT_PX <= side <= MOST_INPUT_PX for side in (info.input_width, info.input_height)):
        raise BadInputError(
            f"{path} is no model that can be used: the sides of its input are {LEAST_INPUT_PX} to "
            f"{MOST_INPUT_PX} pixels"
        )
    if not (0 <= info.confidence <= 1 and 0 <= info.overlap <= 1):
        raise BadInputError(f"{path} is no model that can be used: its confidence and overlap are 0 to 1")
    return info


def _name(value: object) -> str:
    """Give a word that a file states about itself as people can be shown it; ValueError for another."""
    name = clean_name(str(value), LONGEST_NAME)
    if not name:
        raise ValueError("a name in it is none")
    return name


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("its classes are no list")
    return value


def read_classifier(path: Path) -> ClassifierInfo:
    """Read what a classifier states; BadInputError where it states too little, or is none of masks."""
    data = read_stated(path)
    if data.get("task") != CLASSIFIER_TASK:
        raise BadInputError("classifier-wanted", model=path.name[:80])
    try:
        width, height = (int(side) for side in data["input"])
        classes = tuple(str(name) for name in _listed(data["classes"]))
        info = ClassifierInfo(_name(data["name"]), classes, width, float(data["margin"]), path)
    except UNREADABLE as error:
        raise BadInputError(f"the Sightline metadata of {path} cannot be read: {error}") from error
    _check(info, height)
    return info


def _check(info: ClassifierInfo, height: int) -> None:
    is_square = 0 < info.side_px == height <= LARGEST_SIDE_PX
    are_states = len(set(info.classes)) == len(info.classes) > 1 and set(info.classes) <= set(MASK_CLASSES)
    if not is_square or not are_states or not 0 <= info.margin <= LARGEST_MARGIN:
        raise BadInputError(
            f"{info.path} is no classifier that can be used: its input is a square of at most "
            f"{LARGEST_SIDE_PX} pixels, its margin 0 to {LARGEST_MARGIN:g}, its classes are among "
            f"{', '.join(MASK_CLASSES)}"
        )
