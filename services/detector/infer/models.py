"""Which model files there are, and what they state about themselves, read without any engine.

An ONNX file is one protobuf message, ONNX's ModelProto (onnx.proto). The two parts of it that are read here
are described to protobuf when the program starts, which spares the package `onnx` (31 MB); protobuf skips
the other fields, the network and its weights.
"""

import json
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from services.common.files import is_file
from services.common.settings.cameras import CameraFiles
from services.core.errors import BadInputError
from services.detector.infer.detector import ModelInfo

WEIGHTS = Path(__file__).resolve().parents[3] / "model" / "weights"

ALIASES = {"traffic": "traffic-n", "mask": "mask-n"}
"""What a task's name stands for: the best that ships within a frame's budget on one core."""

METADATA_KEY = "sightline"
SUFFIX = ".onnx"


def model_path(name: str) -> Path:
    """Find the file of a model given by task, name or path; BadInputError names what there is."""
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
    if _shipped(name) is None and not (name.endswith(SUFFIX) and _is_among(name, files, sees_files)):
        raise BadInputError("model-not-allowed", model=name[:80], models=_shipped_names())


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
    return ", ".join(sorted(file.stem for file in WEIGHTS.glob(f"*{SUFFIX}"))) or "none"


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


def _model_proto() -> Any:
    """Give the class of ModelProto with the one field `metadata_props`."""
    text, message = FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_MESSAGE
    optional, repeated = FieldDescriptorProto.LABEL_OPTIONAL, FieldDescriptorProto.LABEL_REPEATED
    file = FileDescriptorProto(name="metadata.proto", package="onnx", syntax="proto3")
    pair = file.message_type.add(name="StringStringEntryProto")
    pair.field.add(name="key", number=1, type=text, label=optional)
    pair.field.add(name="value", number=2, type=text, label=optional)
    file.message_type.add(name="ModelProto").field.add(
        name="metadata_props", number=14, type=message, label=repeated, type_name=f".onnx.{pair.name}"
    )
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("onnx.ModelProto"))


ModelProto = _model_proto()


def read_metadata(path: Path) -> dict[str, str]:
    """Give the pairs; ValueError when the file is no such message."""
    try:
        model = ModelProto.FromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError("no protobuf message, or one that is cut off") from error
    return {pair.key: pair.value for pair in model.metadata_props}
