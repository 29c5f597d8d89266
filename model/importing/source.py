"""A foreign ONNX file: loaded within bounds, and what it says of its input and its classes."""

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper

from services.core.errors import BadInputError
from services.core.model_classes import checked_class_names

LARGEST_BYTES = 512 * 1024 * 1024
"""Of a file with all that lies beside it."""

MOST_NODES, MOST_OUTPUTS, MOST_INPUTS = 20_000, 32, 4
LONGEST_METADATA = 100_000
LEAST_SIDE, MOST_SIDE, STEP = 32, 4096, 32
UNUSED_NAME = "N/A"
"""What lists of COCO's 91 classes call each number that has no class."""

OLDEST_OPSET = 11
"""Older graphs are converted to it: what is added to them is written in its words."""

NAME_KEYS = ("names", "classes", "class_names", "labels", "id2label")
BYTE_DIVISOR = 100.0
"""A graph that divides its input by more than this takes 0..255."""

OTHER_TASKS = {"segment", "pose", "obb", "classify", "semantic", "depth"}

Values = Literal["unit", "imagenet", "bytes"]
"""What a network is given for the colours 0..255: shares 0..1, those less ImageNet's mean and divided by its
deviation, or the colours themselves."""

TYPES: dict[int, type[np.generic]] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.FLOAT16: np.float16,
    TensorProto.UINT8: np.uint8,
}

Extras = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class InputForm:
    """How a picture enters the foreign graph."""

    name: str
    width: int
    height: int
    element_type: int
    """ONNX's number of it: float32, float16 or uint8."""
    is_nhwc: bool
    values: Values
    is_bgr: bool = False
    has_batch: bool = True
    """False for a network that takes pictures one by one, without a number of them before their sides."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person says of the input; None: as the file says."""

    size: tuple[int, int] | None = None
    """Width and height."""
    values: Values | None = None
    is_bgr: bool | None = None


def load(path: Path) -> onnx.ModelProto:
    """Read a file and what lies beside it; BadInputError when it is too large, or none."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise BadInputError(f"{path} has more than {LARGEST_BYTES >> 20} MB")
        model = onnx.load(str(path), load_external_data=False)
        _load_beside(model, path)
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}") from error
    except (DecodeError, ValueError, onnx.checker.ValidationError) as error:
        raise BadInputError(f"{path} is no whole ONNX file: {str(error)[:300]}") from error
    graph = model.graph
    if len(graph.node) > MOST_NODES or len(graph.output) > MOST_OUTPUTS or not graph.node:
        raise BadInputError(f"{path} is no detector: it has {len(graph.node)} nodes")
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and opset.version < OLDEST_OPSET:
            return _converted(model)
    return model


def _load_beside(model: onnx.ModelProto, path: Path) -> None:
    """Take weights that lie in files of their own into the graph; they may lie only beside it."""
    names = {
        entry.value
        for tensor in model.graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    for name in names:
        beside = path.parent / name
        if Path(name).name != name or not beside.is_file():
            raise BadInputError(f"the weights of {path} lie in {name[:80]}, which is not beside it")
    if sum((path.parent / name).stat().st_size for name in names) > LARGEST_BYTES:
        raise BadInputError(f"{path} has weights of more than {LARGEST_BYTES >> 20} MB")
    onnx.load_external_data_for_model(model, str(path.parent))


def _converted(model: onnx.ModelProto) -> onnx.ModelProto:
    from onnx import version_converter

    try:
        converted: onnx.ModelProto = version_converter.convert_version(model, OLDEST_OPSET)
    except (RuntimeError, ValueError) as error:
        raise BadInputError(
            f"it is of an old ONNX (below opset {OLDEST_OPSET}) that cannot be converted: export it anew "
            f"({str(error)[:200]})"
        ) from error
    return converted


def metadata_of(model: onnx.ModelProto) -> dict[str, str]:
    """Give the texts that the file carries, bounded."""
    return {item.key: item.value for item in model.metadata_props if len(item.value) <= LONGEST_METADATA}


def check_task(metadata: Mapping[str, str]) -> None:
    """Refuse what says itself that it is no detector of upright boxes; BadInputError."""
    if metadata.get("task") in OTHER_TASKS:
        raise BadInputError(f"it is made for the task {metadata['task']}: Sightline counts upright boxes")


def names_in(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """Give the classes that the file names; None where it names none."""
    for key in NAME_KEYS:
        value = _literal(metadata.get(key, ""))
        if isinstance(value, Mapping):
            numbers = [int(one) for one in value if str(one).isdecimal()]
            if len(numbers) == len(value) and sorted(numbers) == list(range(len(numbers))):
                value = [value[one] for one in sorted(value, key=int)]
        if isinstance(value, list | tuple) and value:
            return checked_class_names(distinct_names(value))
    return None


def distinct_names(names: Iterable[object]) -> list[object]:
    """Give names of which those that stand for no class have their numbers, so that none comes twice."""
    return [f"{UNUSED_NAME} {number}" if name == UNUSED_NAME else name for number, name in enumerate(names)]


def _literal(text: str) -> Any:
    """Read JSON or a literal of Python; None for anything else."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None


def fix_input(model: onnx.ModelProto, wanted: Wanted, metadata: Mapping[str, str]) -> InputForm:
    """Say how a picture enters, and give the graph's input its one size; BadInputError says what is odd."""
    pictures = [item for item in _inputs(model) if len(item.type.tensor_type.shape.dim) in (3, 4)]
    if len(pictures) != 1:
        raise BadInputError(f"it takes {len(pictures)} pictures at once, and not one (1, 3, height, width)")
    (taken,) = pictures
    kind = taken.type.tensor_type.elem_type
    if kind not in TYPES:
        raise BadInputError(
            f"its input has values of type {TensorProto.DataType.Name(kind)}: export with float32"
        )
    dims = taken.type.tensor_type.shape.dim
    sizes = [max(0, dim.dim_value) if dim.HasField("dim_value") else 0 for dim in dims]
    has_batch = len(sizes) == 4
    sizes = sizes if has_batch else [1, *sizes]
    is_nhwc = sizes[3] == 3 and sizes[1] != 3
    if (sizes[3] if is_nhwc else sizes[1]) not in (0, 3):
        raise BadInputError(f"its input {sizes} is no colour picture")
    if sizes[0] > 1:
        raise BadInputError(f"it takes {sizes[0]} pictures at once: export it with a batch of 1")
    height, width = (sizes[1], sizes[2]) if is_nhwc else (sizes[2], sizes[3])
    width, height = _size(width, height, wanted.size, metadata)
    fixed = (1, height, width, 3) if is_nhwc else (1, 3, height, width)
    for dim, size in zip(dims, fixed if has_batch else fixed[1:], strict=True):
        dim.dim_value = size
    del model.graph.value_info[:]
    values = wanted.values or (
        "bytes" if kind == TensorProto.UINT8 or _takes_bytes(model, taken.name) else "unit"
    )
    return InputForm(taken.name, width, height, kind, is_nhwc, values, bool(wanted.is_bgr), has_batch)


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    weights = {tensor.name for tensor in model.graph.initializer}
    found = [item for item in model.graph.input if item.name not in weights]
    if not 0 < len(found) <= MOST_INPUTS:
        raise BadInputError(f"it has {len(found)} inputs: a detector takes a picture")
    return found


def _size(
    width: int, height: int, wanted: tuple[int, int] | None, metadata: Mapping[str, str]
) -> tuple[int, int]:
    """Give the size of the input: the file's own where it is fixed, else the one that is wanted."""
    if width and height:
        if not all(1 < side <= MOST_SIDE for side in (width, height)):
            raise BadInputError(
                f"its input is {width}x{height}: Sightline gives up to {MOST_SIDE} pixels a side"
            )
        if wanted not in (None, (width, height)):
            raise BadInputError(
                f"its input is {width}x{height} for good: leave --input away, or export it anew"
            )
        return width, height
    if wanted is None:
        sides = _literal(metadata.get("imgsz", ""))
        if isinstance(sides, list) and len(sides) == 2 and all(isinstance(side, int) for side in sides):
            wanted = (sides[1], sides[0])
    if wanted is None:
        raise BadInputError("it takes pictures of any size: give the one to use, as --input 640x640")
    if any(side % STEP or not LEAST_SIDE <= side <= MOST_SIDE for side in wanted):
        raise BadInputError(f"--input: sides are multiples of {STEP}, up to {MOST_SIDE} pixels")
    return wanted


def _takes_bytes(model: onnx.ModelProto, name: str) -> bool:
    """Return whether the first reckoning with the input shows that it goes up to 255."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants |= {
                name: one.t for name in node.output for one in node.attribute if one.name == "value"
            }
    for node in _chain(model, name):
        numbers = [numpy_helper.to_array(constants[one]) for one in node.input if one in constants]
        if not numbers or not numbers[0].size:
            continue
        largest = float(np.abs(numbers[0]).max())
        if node.op_type == "Div":
            return largest > BYTE_DIVISOR
        if node.op_type == "Mul":
            return largest < 1 / BYTE_DIVISOR
        if node.op_type == "Sub":
            return largest > BYTE_DIVISOR / 10
    return False


def _chain(model: onnx.ModelProto, name: str) -> Iterator[onnx.NodeProto]:
    """Follow the input through nodes that only pass it on, up to the one that reckons, and give that too."""
    for node in model.graph.node:
        if name in node.input and node.output:
            yield node
            if node.op_type not in ("Cast", "Transpose", "Identity", "Resize", "Squeeze", "Unsqueeze"):
                return
            name = node.output[0]


def extra_inputs(model: onnx.ModelProto, form: InputForm) -> Extras:
    """Give constants for what a graph takes beside the picture: sizes, scales and masks, by their names."""
    sizes = {
        "orig_target_sizes": (form.width, form.height),
        "im_shape": (form.height, form.width),
        "image_shape": (form.height, form.width),
        "scale_factor": (1, 1),
    }
    found: Extras = {}
    for item in _inputs(model):
        if item.name == form.name:
            continue
        kind = onnx.helper.tensor_dtype_to_np_dtype(item.type.tensor_type.elem_type)
        if item.name in sizes:
            found[item.name] = np.array([sizes[item.name]], kind)
        elif item.name == "pixel_mask":
            found[item.name] = np.ones((1, form.height, form.width), kind)
        else:
            raise BadInputError(f"it takes {item.name[:80]} beside the picture: Sightline does not have that")
    return found
