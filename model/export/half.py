"""Weights stored as float16 in an ONNX file that computes in float32: half the size, the same speed.

Each stored tensor goes through a Cast to float32. Engines fold a Cast of a constant when they load the file,
so that what runs is the float32 network with rounded weights. (The converters of onnxconverter-common and
ONNX Runtime make the computation float16 too, for which most processors have no fast instructions.)
"""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from services.core.errors import BadInputError

LEAST_VALUES = 16
"""Smaller tensors stay as they are: a Cast takes more bytes than they would save."""


def store_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose float32 weights are stored as float16; BadInputError when one is too large for that."""
    half = onnx.ModelProto()
    half.CopyFrom(model)
    casts = []
    for tensor in half.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < LEAST_VALUES:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(_rounded(tensor), f"{name}.float16"))
        casts.append(onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *half.graph.node]
    del half.graph.node[:]
    half.graph.node.extend(nodes)
    return half


def _rounded(tensor: onnx.TensorProto) -> npt.NDArray[np.float16]:
    values = numpy_helper.to_array(tensor)
    if np.abs(values).max() > np.finfo(np.float16).max:
        raise BadInputError(f"{tensor.name} holds values beyond float16: export the weights as float32")
    return values.astype(np.float16)
