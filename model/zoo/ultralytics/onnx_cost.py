"""What an exported network costs, counted in its file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime

from model.zoo.rival import Cost


def onnx_cost(path: Path) -> Cost:
    """The learned values of convolutions and matrix products, twice their multiplications, and the size."""
    graph = onnx.shape_inference.infer_shapes(_folded(path), data_prop=True).graph
    shapes = {one.name: tuple(one.dims) for one in graph.initializer}
    learned = set(shapes)
    for value in (*graph.value_info, *graph.input, *graph.output):
        shapes[value.name] = tuple(one.dim_value for one in value.type.tensor_type.shape.dim)
    parameters = multiplications = 0
    for node in graph.node:
        if node.op_type in MULTIPLICATIONS:
            multiplications += MULTIPLICATIONS[node.op_type](node, shapes)
            parameters += sum(int(np.prod(shapes[name])) for name in node.input if name in learned)
    return Cost(parameters, 2 * multiplications / 1e9, path.stat().st_size)


def _folded(path: Path) -> onnx.ModelProto:
    """The network with its constants computed: only then are the shapes of what is cut in parts known."""
    with TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder) / "folded.onnx")
        options.log_severity_level = 3
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


Shapes = Mapping[str, Sequence[int]]


def _of_convolution(node: onnx.NodeProto, shapes: Shapes) -> int:
    """Each value of the result takes as many as one filter has values."""
    return int(np.prod(shapes[node.output[0]])) * int(np.prod(shapes[node.input[1]][1:]))


def _of_product(node: onnx.NodeProto, shapes: Shapes) -> int:
    return int(np.prod(shapes[node.output[0]])) * shapes[node.input[0]][-1]


MULTIPLICATIONS = {"Conv": _of_convolution, "MatMul": _of_product, "Gemm": _of_product}
