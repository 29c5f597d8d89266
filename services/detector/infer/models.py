"""Which model files there are, and what they state about themselves, read without any engine.

An ONNX file is one protobuf message, ONNX's ModelProto (onnx.proto). The two parts of it that are read here
are described to protobuf when the program starts, which spares the package `onnx` (31 MB); the other fields,
the network and its weights, are stepped over.
"""

import json
from collections.abc import Iterator
from functools import lru_cache
from os import SEEK_CUR
from pathlib import Path
from typing import Any, BinaryIO

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from services.common.files import is_file
from services.common.settings.cameras import CameraFiles
from services.core.errors import BadInputError
from services.core.model_classes import checked_class_names, classes_of_model
from services.detector.infer.detector import ModelInfo

WEIGHTS = Path(__file__).resolve().parents[3] / "model" / "weights"

ALIASES = {"traffic": "traffic-n", "mask": "mask-n"}
"""What a task's name stands for: the best that ships within a frame's budget on one core."""

METADATA_KEY = "sightline"
METADATA_FIELD = 14
METADATA_HEAD = bytes([METADATA_FIELD << 3 | 2])
FIXED_BYTES = {1: 8, 5: 4}
"""Length of a value by its kind in protobuf's wire format."""

MOST_VARINT_BYTES = 10
LARGEST_METADATA_BYTES = 1_000_000
NO_MESSAGE = "no protobuf message, or one that is cut off"
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
            classes=checked_class_names(data["classes"]),
            input_width=int(width),
            input_height=int(height),
            confidence=float(data["confidence"]),
            overlap=float(data["iou"]),
            path=path,
        )
    except (ValueError, KeyError, TypeError, RecursionError, BadInputError) as error:
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
    """Give the pairs; ValueError when the file is no such message. Large networks take a moment only."""
    with path.open("rb") as file:
        parts = b"".join(_metadata_fields(file, path.stat().st_size))
    try:
        model = ModelProto.FromString(parts)
    except DecodeError as error:
        raise ValueError(NO_MESSAGE) from error
    return {pair.key: pair.value for pair in model.metadata_props}


def _metadata_fields(file: BinaryIO, size_bytes: int) -> Iterator[bytes]:
    """Give the fields `metadata_props` as they stand, stepping over the others; ValueError for no message.

    Source of the wire format: protobuf.dev, "Encoding". A field is its number and kind, then its value or,
    of kind 2, its length and so many bytes.
    """
    while file.tell() < size_bytes:
        head = _varint(file)
        number, kind = head >> 3, head & 7
        if number == 0 or kind not in (0, *FIXED_BYTES, 2):
            raise ValueError(NO_MESSAGE)
        length = 0
        if kind == 0:
            _varint(file)
        else:
            length = FIXED_BYTES.get(kind) or _varint(file)
        if file.tell() + length > size_bytes:
            raise ValueError(NO_MESSAGE)
        if number != METADATA_FIELD:
            file.seek(length, SEEK_CUR)
        elif kind == 2 and length <= LARGEST_METADATA_BYTES:
            yield METADATA_HEAD + _as_varint(length) + file.read(length)
        else:
            raise ValueError(NO_MESSAGE)


def _varint(file: BinaryIO) -> int:
    """Read a number of seven bits a byte, the lowest first."""
    value = 0
    for place in range(MOST_VARINT_BYTES):
        byte = file.read(1)
        if not byte:
            break
        value |= (byte[0] & 0x7F) << 7 * place
        if byte[0] < 0x80:
            return value
    raise ValueError(NO_MESSAGE)


def _as_varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
