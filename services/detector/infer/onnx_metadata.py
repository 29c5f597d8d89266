"""What an ONNX file tells of itself, read without any engine: pairs of words beside the network.

The file is one protobuf message, ONNX's ModelProto. Its fields are skipped by their length, so that the
weights are never looked at.
"""

from collections.abc import Iterator
from pathlib import Path

METADATA_FIELD = 14
"""`metadata_props` of ModelProto, once for each pair."""

KEY_FIELD, VALUE_FIELD = 1, 2
VARINT, FIXED_64, LENGTH, FIXED_32 = 0, 1, 2, 5
"""How protobuf writes a field, by the last three bits of its tag."""


def read_metadata(path: Path) -> dict[str, str]:
    """Give the pairs; ValueError when the file is no such message."""
    pairs: dict[str, str] = {}
    for number, value in _fields(memoryview(path.read_bytes())):
        if number == METADATA_FIELD:
            pair = {name: bytes(text).decode() for name, text in _fields(value)}
            pairs[pair.get(KEY_FIELD, "")] = pair.get(VALUE_FIELD, "")
    return pairs


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Give number and content of each field that has a length."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == LENGTH:
            length, position = _varint(data, position)
            yield number, data[position : position + length]
            position += length
        elif kind == VARINT:
            _, position = _varint(data, position)
        elif kind in (FIXED_32, FIXED_64):
            position += 4 if kind == FIXED_32 else 8
        else:
            raise ValueError(f"no protobuf message: a field of kind {kind}")
    if position > len(data):
        raise ValueError("no protobuf message: it is cut off")


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the lowest first; give it and what follows it."""
    value = shift = 0
    while position < len(data):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("no protobuf message: a number is cut off")
