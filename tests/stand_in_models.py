"""Small models that stand in for trained ones: it can be told what they answer to a picture."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from services.core.types import MASK_CLASSES
from services.detector.infer.models import CLASSIFIER_TASK

Row = tuple[float, ...]
"""One prediction of a finder: centre, width and height in input pixels, then a score for each class."""


def write_classifier(
    path: Path, classes: Sequence[str] = MASK_CLASSES, side: int = 16, margin: float = 0.2
) -> Path:
    """Write a classifier of how blue, green or red a face is: the first class is of blue, and so on.

    A pure colour gives its class a probability of 0.98 or more.
    """
    weights = 10 * np.eye(3, len(classes), dtype=np.float32)[::-1]
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["colours"], keepdims=0),
        helper.make_node("MatMul", ["colours", "weights"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["probabilities"], axis=1),
    ]
    fixed = [
        numpy_helper.from_array(np.array([2, 3], np.int64), "axes"),
        numpy_helper.from_array(np.ascontiguousarray(weights), "weights"),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, side, side])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(classes)])],
        fixed,
    )
    stated = {
        "name": path.stem,
        "task": CLASSIFIER_TASK,
        "classes": list(classes),
        "input": [side, side],
        "margin": margin,
    }
    return _write(path, graph, stated, 18)


def write_finder(
    path: Path, rows: Sequence[Row], classes: Sequence[str] = MASK_CLASSES, size: tuple[int, int] = (64, 48)
) -> Path:
    """Write a detector that finds the same in every picture."""
    width, height = size
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["brightest"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["brightest", "nothing"], ["zero"]),
        helper.make_node("Add", ["rows", "zero"], ["predictions"]),
    ]
    fixed = [
        numpy_helper.from_array(np.zeros(1, np.float32), "nothing"),
        numpy_helper.from_array(np.array([rows], np.float32), "rows"),
    ]
    graph = helper.make_graph(
        nodes,
        "finder",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, height, width])],
        [helper.make_tensor_value_info("predictions", TensorProto.FLOAT, [1, len(rows), 4 + len(classes)])],
        fixed,
    )
    stated = {
        "name": path.stem,
        "task": "mask",
        "classes": list(classes),
        "input": [width, height],
        "confidence": 0.25,
        "iou": 0.45,
    }
    return _write(path, graph, stated, 17)


def _write(path: Path, graph: onnx.GraphProto, stated: dict[str, object], version: int) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)
    helper.set_model_props(model, {"sightline": json.dumps(stated)})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
