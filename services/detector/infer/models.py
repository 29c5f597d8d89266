"""Which model files there are and what they tell of themselves."""

import json
from pathlib import Path

from services.common.files import is_file
from services.core.errors import BadInputError
from services.detector.infer.detector import ModelInfo
from services.detector.infer.onnx_metadata import read_metadata

WEIGHTS = Path(__file__).resolve().parents[3] / "model" / "weights"

ALIASES = {"traffic": "traffic-n", "mask": "mask-n"}
"""What a task's name stands for: the best that ships within a frame's budget on one core."""

METADATA_KEY = "sightline"


def model_path(name: str) -> Path:
    """Find the file of a model given by task, name or path; BadInputError names what there is."""
    shipped = WEIGHTS / f"{ALIASES.get(name, name)}.onnx"
    if is_file(shipped):
        return shipped
    path = Path(name)
    if path.suffix == ".onnx" and is_file(path):
        return path
    there = ", ".join(sorted(file.stem for file in WEIGHTS.glob("*.onnx"))) or "none"
    raise BadInputError(f"unknown model {name[:80]!r}: give one of {there}, or the path of an .onnx file")


def read_info(path: Path) -> ModelInfo:
    """Read the metadata that export writes; BadInputError when the file carries none."""
    try:
        text = read_metadata(path).get(METADATA_KEY)
    except (ValueError, OSError) as error:
        raise BadInputError(f"{path} is no ONNX model: {error}") from error
    if text is None:
        raise BadInputError(f"{path} carries no Sightline metadata: export it with `sightline export`")
    try:
        data = json.loads(text)
        width, height = data["input"]
        return ModelInfo(
            name=str(data["name"]),
            task=str(data["task"]),
            classes=tuple(str(name) for name in data["classes"]),
            input_width=int(width),
            input_height=int(height),
            confidence=float(data["confidence"]),
            overlap=float(data["iou"]),
            path=path,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadInputError(f"the Sightline metadata of {path} cannot be read: {error}") from error


def available_models() -> list[ModelInfo]:
    """Describe the models that ship, by name."""
    return [read_info(path) for path in sorted(WEIGHTS.glob("*.onnx"))]
