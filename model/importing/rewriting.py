"""A foreign graph between nodes of ours: our input before it, our rows of boxes and scores behind it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper

from model.importing.layouts import Layout, Part
from model.importing.source import Extras, InputForm
from services.core.errors import BadInputError

INPUT_NAME, OUTPUT_NAME, METADATA_KEY = "images", "predictions", "sightline"
PREFIX = "foreign."

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)
"""Of the colours of ImageNet's pictures, as shares; source: torchvision's documentation of its weights."""


@dataclass
class _Nodes:
    """Nodes and constants in the order in which they are reckoned, with names that begin alike."""

    prefix: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Reckon with one more node; gives the name of what comes out."""
        name = f"{self.prefix}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: object, kind: type = np.float32) -> str:
        """Give the name of a constant."""
        name = f"{self.prefix}.constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name


def rewrite(
    source: onnx.ModelProto,
    form: InputForm,
    extras: Extras,
    layout: Layout,
    description: Mapping[str, object],
) -> onnx.ModelProto:
    """Give a model of the layout that `model.export.writing` documents, with its description.

    Input `images` (1, 3, H, W) RGB 0..1; output `predictions` (1, N, 4 + classes): centre x, y, width, height
    in input pixels, then a score for each class.
    """
    model: onnx.ModelProto = compose.add_prefix(source, PREFIX)
    graph = model.graph
    before, behind = _Nodes("before"), _Nodes("behind")
    _feed(before, form, extras)
    _answer(behind, layout, form)
    nodes = [*before.nodes, *graph.node, *behind.nodes]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*before.constants, *behind.constants])
    weights = {tensor.name for tensor in graph.initializer}
    kept = [item for item in graph.input if item.name in weights]
    del graph.input[:], graph.output[:], graph.value_info[:]
    shape = [1, 3, form.height, form.width]
    graph.input.extend([helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, shape), *kept])
    rows = helper.make_tensor_value_info(OUTPUT_NAME, TensorProto.FLOAT, [1, None, 4 + layout.classes])
    graph.output.append(rows)
    del model.metadata_props[:]
    helper.set_model_props(model, {METADATA_KEY: json.dumps(description)})
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise BadInputError(f"its graph cannot be built upon: {str(error)[:300]}") from error
    return model


def _answer(nodes: _Nodes, layout: Layout, form: InputForm) -> None:
    """Make our rows of the graph's outputs."""
    boxes = _boxes(nodes, layout, form)
    scores = _scores(nodes, layout)
    nodes.nodes.append(helper.make_node("Concat", [boxes, scores], [OUTPUT_NAME], name="rows", axis=2))


def _feed(nodes: _Nodes, form: InputForm, extras: Extras) -> None:
    """Turn our picture into what the graph takes, and give it what it takes beside."""
    for name, values in extras.items():
        nodes.constants.append(numpy_helper.from_array(values, f"{PREFIX}{name}"))
    picture = INPUT_NAME
    if form.is_bgr:
        picture = nodes.add("Gather", picture, nodes.constant([2, 1, 0], np.int64), axis=1)
    if form.values == "bytes":
        picture = nodes.add("Mul", picture, nodes.constant(255.0))
    elif form.values == "imagenet":
        mean, deviation = colour_constants(form.is_bgr)
        picture = nodes.add("Sub", picture, nodes.constant(mean))
        picture = nodes.add("Div", picture, nodes.constant(deviation))
    if form.element_type == TensorProto.UINT8:
        picture = nodes.add("Floor", nodes.add("Add", picture, nodes.constant(0.5)))
    if form.is_nhwc:
        picture = nodes.add("Transpose", picture, perm=[0, 2, 3, 1])
    if not form.has_batch:
        sides = (form.height, form.width)
        one = (*sides, 3) if form.is_nhwc else (3, *sides)
        picture = nodes.add("Reshape", picture, nodes.constant(one, np.int64))
    nodes.nodes.append(
        helper.make_node("Cast", [picture], [f"{PREFIX}{form.name}"], name="feed", to=form.element_type)
    )


def colour_constants(is_bgr: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give ImageNet's mean and deviation (1, 3, 1, 1) in the order of the colours."""
    step = -1 if is_bgr else 1
    mean, deviation = IMAGENET_MEAN[::step], IMAGENET_DEVIATION[::step]
    both = np.array([mean, deviation], np.float32).reshape(2, 1, 3, 1, 1)
    return both[0], both[1]


def _rows(nodes: _Nodes, part: Part) -> str:
    """Give the columns of a part as (1, N, columns) in float32."""
    values = nodes.add("Cast", f"{PREFIX}{part.output}", to=TensorProto.FLOAT)
    if part.is_turned:
        values = nodes.add("Transpose", values, perm=[0, 2, 1])
    values = nodes.add("Reshape", values, nodes.constant([1, -1, part.width], np.int64))
    if part.columns == tuple(range(part.width)):
        return values
    return nodes.add("Gather", values, nodes.constant(part.columns, np.int64), axis=2)


def _columns(nodes: _Nodes, values: str, *columns: int) -> str:
    return nodes.add("Gather", values, nodes.constant(columns, np.int64), axis=2)


def _boxes(nodes: _Nodes, layout: Layout, form: InputForm) -> str:
    boxes = _rows(nodes, layout.boxes)
    if layout.strides:
        cells, strides = grid(layout.strides, form.width, form.height)
        places = nodes.add("Add", _columns(nodes, boxes, 0, 1), nodes.constant(cells))
        sizes = nodes.add("Exp", _columns(nodes, boxes, 2, 3))
        both = nodes.add("Concat", places, sizes, axis=2)
        return nodes.add("Mul", both, nodes.constant(strides))
    if layout.is_normalised:
        is_down_first = layout.box_form == "yxyx"
        one, two = (form.height, form.width) if is_down_first else (form.width, form.height)
        boxes = nodes.add("Mul", boxes, nodes.constant([one, two, one, two]))
    if layout.box_form == "cxcywh":
        return boxes
    first, second = ((1, 0), (3, 2)) if layout.box_form == "yxyx" else ((0, 1), (2, 3))
    low, high = _columns(nodes, boxes, *first), _columns(nodes, boxes, *second)
    centre = nodes.add("Mul", nodes.add("Add", low, high), nodes.constant(0.5))
    return nodes.add("Concat", centre, nodes.add("Sub", high, low), axis=2)


def grid(strides: Sequence[int], width: int, height: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the place of each cell (1, N, 2; x, y) and its side in pixels (1, N, 1), as YOLOX orders them."""
    cells, sides = [], []
    for stride in strides:
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        cells.append(np.stack([x.reshape(-1), y.reshape(-1)], axis=1))
        sides.append(np.full((x.size, 1), stride))
    return np.concatenate(cells).astype(np.float32)[None], np.concatenate(sides).astype(np.float32)[None]


def _scores(nodes: _Nodes, layout: Layout) -> str:
    part = layout.scores
    if layout.labels is not None:
        labels = nodes.add("Cast", _rows(nodes, layout.labels), to=TensorProto.INT64)
        known = nodes.constant(np.arange(layout.classes) + layout.first_label, np.int64)
        marks = nodes.add("Cast", nodes.add("Equal", labels, known), to=TensorProto.FLOAT)
        return nodes.add("Mul", marks, _rows(nodes, part))
    if layout.activation == "softmax":
        whole = nodes.add(
            "Softmax", _rows(nodes, Part.whole(part.output, part.width, part.is_turned)), axis=-1
        )
        return _columns(nodes, whole, *part.columns)
    scores = _rows(nodes, part)
    if layout.activation == "sigmoid":
        scores = nodes.add("Sigmoid", scores)
    if layout.objectness is None:
        return scores
    objectness = _rows(nodes, layout.objectness)
    if layout.activation == "sigmoid":
        objectness = nodes.add("Sigmoid", objectness)
    return nodes.add("Mul", scores, objectness)
