"""The pairs that an ONNX file states about itself, read without the package `onnx` (31 MB).

The file is one protobuf message, ONNX's ModelProto (onnx.proto). The two parts of it that are read here are
described to protobuf when the program starts; the other fields, network and weights, are stepped over.
"""

from collections.abc import Iterator
from os import SEEK_CUR
from pathlib import Path
from typing import Any, BinaryIO

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

METADATA_FIELD = 14
METADATA_HEAD = bytes([METADATA_FIELD << 3 | 2])
FIXED_BYTES = {1: 8, 5: 4}
"""Length of a value by its kind in protobuf's wire format."""

MOST_VARINT_BYTES = 10
LARGEST_METADATA_BYTES = 1_000_000
NO_MESSAGE = "no protobuf message, or one that is cut off"


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
