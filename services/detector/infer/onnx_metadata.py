"""What an ONNX file tells of itself, read without any engine: pairs of words beside the network.

The file is one protobuf message, ONNX's ModelProto (onnx.proto). The two parts of it that are read here are
described to protobuf when the program starts, which spares the package `onnx` (31 MB); protobuf skips the
other fields, the network and its weights.
"""

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass


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
