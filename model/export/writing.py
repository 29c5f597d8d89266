"""Export of a checkpoint to ONNX with all that the detector service has to know in its metadata."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from model.files import replacing
from model.network.checkpoint import CheckpointDescription, averaged_network
from services.core.errors import BadInputError

OPSET = 17
INPUT_NAME, OUTPUT_NAME, METADATA_KEY = "images", "predictions", "sightline"
DEFAULT_CONFIDENCE, DEFAULT_IOU = 0.25, 0.45


@dataclass(frozen=True)
class ExportConfig:
    """What to export: input size in pixels (multiples of 32) and the thresholds to suggest."""

    checkpoint: Path
    output: Path
    task: str | None = None
    """The head of a joint training; None: the only one."""
    name: str = ""
    """The model's name; empty: the output's file name."""
    width: int = 640
    height: int = 384
    confidence: float = DEFAULT_CONFIDENCE
    iou: float = DEFAULT_IOU
    half: bool = False
    """Whether the weights are stored as float16; the computation stays float32."""

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 32 or self.width % 32 or self.height % 32:
            raise BadInputError("the input's width and height are multiples of 32 pixels")


def metadata(config: ExportConfig, description: CheckpointDescription) -> dict[str, object]:
    """The description that travels in the file, under the key `sightline`."""
    head = description.head(config.task)
    return {
        "name": config.name or config.output.stem,
        "task": head.task,
        "classes": list(head.classes),
        "architecture": description.architecture,
        "size": description.size,
        "input": [config.width, config.height],
        "confidence": config.confidence,
        "iou": config.iou,
        "trained_by": without_folders(description.command),
    }


def without_folders(command: str) -> str:
    """A command line whose absolute paths are reduced to their last names: files are handed to others."""
    return shlex.join(re.sub(r"^([\w-]*=)?/.*/(?=[^/])", r"\1", word) for word in shlex.split(command))


def write_onnx(network: nn.Module, path: Path, width: int, height: int) -> None:
    """Writes the graph of a network in evaluation mode for pictures of one size."""
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, height, width),),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=[INPUT_NAME],
        output_names=[OUTPUT_NAME],
    )


def export_model(config: ExportConfig) -> dict[str, object]:
    """Writes the fused network as ONNX that computes in fp32, atomically, and returns its metadata.

    Input `images` (1, 3, H, W) RGB 0..1; output `predictions` (1, N, 4 + classes): centre x, y, width,
    height in input pixels, then a score for each class.
    """
    network, description = averaged_network(config.checkpoint, config.task)
    network.fuse()
    config.output.parent.mkdir(parents=True, exist_ok=True)
    values = metadata(config, description)
    with replacing(config.output) as partial:
        write_onnx(network, partial, config.width, config.height)
        graph = onnx.load(str(partial))
        if config.half:
            graph = store_half(graph)
        onnx.helper.set_model_props(graph, {METADATA_KEY: json.dumps(values)})
        onnx.checker.check_model(graph)
        onnx.save(graph, str(partial))
    return values


LEAST_VALUES = 16
"""Smaller tensors stay as they are: a Cast takes more bytes than they would save."""


def store_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose float32 weights are stored as float16; BadInputError when one is too large for that.

    Each stored tensor goes through a Cast to float32. Engines fold a Cast of a constant when they load the
    file, so that what runs is the float32 network with rounded weights: half the size, the same speed. (The
    converters of onnxconverter-common and ONNX Runtime make the computation float16 too, for which most
    processors have no fast instructions.)
    """
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
