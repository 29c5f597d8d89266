"""Which model files there are and what they tell of themselves."""

import json
from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as engine

from services.core.errors import BadInputError
from services.detector.infer.detector import ModelInfo

WEIGHTS = Path(__file__).resolve().parents[3] / "model" / "weights"

PREFERENCE = {"traffic": ("traffic-s", "traffic-n"), "mask": ("mask-s", "mask-n")}
"""What a task's name stands for: the first that is there."""

METADATA_KEY = "sightline"

ENGINE_ERRORS = (
    engine.Fail,
    engine.InvalidArgument,
    engine.InvalidGraph,
    engine.InvalidProtobuf,
    engine.NoSuchFile,
    engine.NotImplemented,
)


def model_path(name: str) -> Path:
    """Find the file of a model given by task, name or path; BadInputError names what there is."""
    for candidate in PREFERENCE.get(name, (name,)):
        shipped = WEIGHTS / f"{candidate}.onnx"
        if shipped.is_file():
            return shipped
    path = Path(name)
    if path.suffix == ".onnx" and path.is_file():
        return path
    there = ", ".join(sorted(file.stem for file in WEIGHTS.glob("*.onnx"))) or "none"
    raise BadInputError(f"unknown model {name!r}: give one of {there}, or the path of an .onnx file")


def open_session(path: Path, threads: int = 1) -> ort.InferenceSession:
    """Load an ONNX file for ONNX Runtime on the CPU; BadInputError when it is none."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except ENGINE_ERRORS as error:
        raise BadInputError(f"{path} is no model that ONNX Runtime can load") from error


def read_info(path: Path, session: ort.InferenceSession) -> ModelInfo:
    """Read the metadata that export writes; BadInputError when the file carries none."""
    text = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
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
    return [read_info(path, open_session(path)) for path in sorted(WEIGHTS.glob("*.onnx"))]
