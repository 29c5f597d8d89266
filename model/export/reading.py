"""An exported ONNX file as the start of a training: its batch normalisations are put back.

The export folds them into the convolutions. Here each gets back the mean and variance that its
convolution has on some pictures, and the scale and shift with which the network computes what it did.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError
from torch import Tensor, nn

from model.export.writing import METADATA_KEY
from model.network.build import DetectionNetwork, TaskHead
from model.network.checkpoint import CheckpointDescription
from model.network.gbyolo.backbone import Conv
from model.network.gbyolo.neck import Fusion
from services.core.errors import BadInputError

ANCHOR_SHAPE = (1, 3, 1, 2)
"""The shape of a level's anchors in the exported decoding."""


@dataclass(frozen=True)
class ExportedModel:
    """What an exported file holds: what it is of, its tensors by name, and its constants by node."""

    description: CheckpointDescription
    tensors: Mapping[str, Tensor]
    constants: Mapping[str, Tensor]
    """By the name of the node that multiplies with them."""


def read_export(path: Path) -> ExportedModel:
    """Reads an ONNX file of this program; raises BadInputError when it is none."""
    if not path.is_file():
        raise BadInputError(f"no model at {path}")
    try:
        graph = onnx.load(str(path))
    except DecodeError as error:
        raise BadInputError(f"{path} is no ONNX file") from error
    metadata = {pair.key: pair.value for pair in graph.metadata_props}
    if METADATA_KEY not in metadata:
        raise BadInputError(f"{path} was not exported by this program")
    values = {one.name: _tensor(one) for one in graph.graph.initializer}
    for node in graph.graph.node:
        if node.op_type == "Constant":
            values[node.output[0]] = _tensor(node.attribute[0].t)
        elif node.op_type == "Cast" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].float()
    constants = {
        node.name: values[name]
        for node in graph.graph.node
        if node.op_type == "Mul"
        for name in node.input
        if name in values
    }
    return ExportedModel(_description(json.loads(metadata[METADATA_KEY]), constants), values, constants)


def _tensor(proto: Any) -> Tensor:
    return torch.from_numpy(np.array(onnx.numpy_helper.to_array(proto)))


def _description(values: Mapping[str, Any], constants: Mapping[str, Tensor]) -> CheckpointDescription:
    anchors = [value.reshape(3, 2) for value in constants.values() if value.shape == ANCHOR_SHAPE]
    levels = tuple(tuple((float(w), float(h)) for w, h in level) for level in anchors)
    head = TaskHead(values["task"], tuple(values["classes"]), levels)
    return CheckpointDescription(
        values["architecture"],
        values["size"],
        (head,),
        max(values["input"]),
        values["trained_by"],
    )


@torch.no_grad()
def unfold(export: ExportedModel, pictures: Tensor) -> DetectionNetwork:
    """The network of an exported file in evaluation mode, ready to be trained on.

    Gives what the file gives; `pictures` (B, 3, H, W), RGB 0..1, set the statistics of its normalisations.
    """
    network = export.description.build().detector(export.description.heads[0].task).eval()
    for name, module in network.named_modules():
        if isinstance(module, Conv):
            _restore(module, export.tensors[f"{name}.conv.weight"], export.tensors[f"{name}.conv.bias"])
        elif isinstance(module, Fusion):
            module.raw_weights.copy_(_fusion_weights(export, name, len(module.raw_weights)))
    for name, parameter in network.head.named_parameters():
        parameter.copy_(export.tensors[f"head.{name}"])
    hooks = [
        module.norm.register_forward_pre_hook(_calibrate)
        for module in network.modules()
        if isinstance(module, Conv)
    ]
    network(pictures)
    for hook in hooks:
        hook.remove()
    return network


def _restore(module: Conv, weight: Tensor, bias: Tensor) -> None:
    """A normalisation that only adds the bias."""
    norm = cast(nn.BatchNorm2d, module.norm)
    module.conv.weight.copy_(weight.float())
    norm.weight.fill_(1.0)
    norm.bias.copy_(bias.float())
    cast(Tensor, norm.running_mean).zero_()
    cast(Tensor, norm.running_var).fill_(1.0 - norm.eps)


def _calibrate(norm: nn.Module, inputs: tuple[Tensor]) -> None:
    """Takes the statistics of what comes in and keeps what goes out."""
    assert isinstance(norm, nn.BatchNorm2d)
    mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3), correction=0)
    norm.bias.add_(mean)
    norm.weight.copy_(torch.sqrt(variance + norm.eps))
    cast(Tensor, norm.running_mean).copy_(mean)
    cast(Tensor, norm.running_var).copy_(variance)


def _fusion_weights(export: ExportedModel, name: str, count: int) -> Tensor:
    """The constants that a module multiplies its inputs with."""
    (node,) = (
        node for node in export.constants if node.endswith("/Mul") and _is_of(node.removesuffix("/Mul"), name)
    )
    nodes = [node, *(f"{node}_{number}" for number in range(1, count))]
    return torch.stack([export.constants[one].reshape(()).float() for one in nodes])


def _is_of(scope: str, name: str) -> bool:
    """Whether a scope of the graph is that of a module; the graph leaves out what only contains modules."""
    inner, parts = scope.strip("/").split("/"), iter(name.split("."))
    return inner[-1] == name.split(".")[-1] and all(part in parts for part in inner)
