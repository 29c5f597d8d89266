"""The networks in their architectures and sizes, and the way to build one."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn

from model.network.gbyolo.backbone import Backbone, Conv, GhostStack
from model.network.gbyolo.head import DEFAULT_ANCHORS, AnchorHead, Anchors
from model.network.gbyolo.neck import BiFPN, Fusion
from model.network.yolov4 import CspDarknet, PlainAggregation
from model.network.yolov5 import C3, PathAggregation

Architecture = Literal["gbyolo", "gbyolo-concat", "yolov5", "yolov4"]
"""GB-YOLO with a BiFPN, and with the paper's weighted concatenation in a PANet; YOLOv5 v6; YOLOv4."""
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)

Size = Literal["n", "s"]
Trunk = Backbone | CspDarknet
Neck = BiFPN | PathAggregation | PlainAggregation


@dataclass(frozen=True)
class TaskHead:
    """What a head is for: its task, the names of its classes in label order, and its anchors."""

    task: str
    classes: tuple[str, ...]
    anchors: Anchors = DEFAULT_ANCHORS


@dataclass(frozen=True)
class Scale:
    """Multiples of YOLOv5's widths and depths, and the common width of the BiFPN."""

    width: float
    depth: float
    neck_width: int

    @property
    def neck_depth(self) -> int:
        """The depth of a PANet's blocks."""
        return max(1, round(3 * self.depth))


SCALES: dict[str, Scale] = {"n": Scale(0.25, 0.33, 64), "s": Scale(0.5, 0.33, 96)}


class DetectionNetwork(nn.Module):
    """Pictures (B, 3, H, W), RGB 0..1, H and W multiples of 32, to predictions (see AnchorHead)."""

    def __init__(self, backbone: Trunk, neck: Neck, head: AnchorHead) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head

    def forward(self, pictures: Tensor) -> list[Tensor] | Tensor:
        """Raw maps in training mode, (B, N, 4 + classes) in evaluation mode."""
        predictions: list[Tensor] | Tensor = self.head(self.neck(*self.backbone(pictures)))
        return predictions

    def fuse(self) -> "DetectionNetwork":
        """Folds batch normalisation and fusion weights into constants, in place; inference only."""
        for module in self.modules():
            if isinstance(module, Conv):
                module.fuse()
            elif isinstance(module, Fusion):
                module.deploy()
        return self


class JointNetwork(nn.Module):
    """One backbone and neck with a head for each task; pictures as in DetectionNetwork."""

    def __init__(self, backbone: Trunk, neck: Neck, heads: Sequence[TaskHead]) -> None:
        super().__init__()
        self.backbone, self.neck = backbone, neck
        self.heads = nn.ModuleDict(
            {head.task: AnchorHead(neck.channels_out, len(head.classes), head.anchors) for head in heads}
        )

    def forward(self, pictures: Tensor, task: str) -> list[Tensor] | Tensor:
        """The predictions of a task, raw in training mode."""
        predictions: list[Tensor] | Tensor = self.heads[task](self.neck(*self.backbone(pictures)))
        return predictions

    def head(self, task: str) -> AnchorHead:
        """The head of a task."""
        return cast(AnchorHead, self.heads[task])

    def detector(self, task: str) -> DetectionNetwork:
        """The network of one task, which shares its weights with this one."""
        return DetectionNetwork(self.backbone, self.neck, self.head(task))


def build(
    architecture: Architecture, size: Size, class_count: int, anchors: Anchors = DEFAULT_ANCHORS
) -> DetectionNetwork:
    """A network of one task with random weights; ValueError for an unknown architecture or size."""
    if class_count < 1:
        raise ValueError("a detector needs at least one class")
    backbone, neck = _trunk(architecture, size)
    return DetectionNetwork(backbone, neck, AnchorHead(neck.channels_out, class_count, anchors))


def build_joint(architecture: Architecture, size: Size, heads: Sequence[TaskHead]) -> JointNetwork:
    """A network of several tasks with random weights; ValueError as in `build`."""
    if not heads or not all(head.classes for head in heads):
        raise ValueError("a detector needs at least one class")
    return JointNetwork(*_trunk(architecture, size), heads)


def _trunk(architecture: Architecture, size: Size) -> tuple[Trunk, Neck]:
    if architecture not in ARCHITECTURES:
        raise ValueError(f"no architecture {architecture!r}, there are {', '.join(ARCHITECTURES)}")
    if size not in SCALES:
        raise ValueError(f"no size {size!r}, there are {', '.join(SCALES)}")
    scale = SCALES[size]
    if architecture == "yolov4":
        darknet = CspDarknet(scale.width, scale.depth)
        return darknet, PlainAggregation(darknet.channels_out)
    backbone = Backbone(scale.width, scale.depth, C3 if architecture == "yolov5" else GhostStack)
    return backbone, _neck(architecture, backbone, scale)


def _neck(
    architecture: Literal["gbyolo", "gbyolo-concat", "yolov5"], backbone: Backbone, scale: Scale
) -> Neck:
    channels, depth = backbone.channels_out, scale.neck_depth
    match architecture:
        case "gbyolo":
            return BiFPN(channels, scale.neck_width)
        case "gbyolo-concat":
            return PathAggregation(channels, depth, GhostStack, weighted=True)
        case "yolov5":
            return PathAggregation(channels, depth, partial(C3, shortcut=False), weighted=False)


def parameter_count(network: nn.Module) -> int:
    """The number of learned values."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiplications(network: nn.Module, width: int = 640, height: int = 640) -> int:
    """The multiply-accumulates of convolutions and full layers for one picture; GFLOPs are twice as many."""
    total = 0

    def count(module: nn.Module, _: object, result: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d | nn.Linear)
        total += module.weight[0].numel() * result.numel()

    hooks = [
        m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)
    ]
    try:
        was_training = network.training
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, height, width))
        network.train(was_training)
    finally:
        for hook in hooks:
            hook.remove()
    return total
