"""The neck: one BiFPN layer over P3, P4, P5 at a common width.

Source: Tan, Pang, Le, "EfficientDet", CVPR 2020, 3.2: no node with a single input, a same-level skip
edge at the middle level, fast normalised fusion at every node. One full 3x3 convolution follows a
fusion, because it costs less on a CPU than its share of multiplications says; downs are max-pools.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.network.gbyolo.backbone import Conv


class Fusion(nn.Module):
    """Learned weights of a node's inputs: w_i = relu(v_i) / (eps + sum_j relu(v_j)) with learned v.

    Source: Tan, Pang, Le, "EfficientDet: Scalable and Efficient Object Detection", CVPR 2020, 3.3.
    """

    def __init__(self, inputs: int, eps: float = 1e-4) -> None:
        super().__init__()
        self.raw_weights = nn.Parameter(torch.ones(inputs))
        self.inputs, self.eps = inputs, eps
        self.constants: list[float] | None = None

    def weights(self) -> Tensor:
        """The normalised weights (inputs,): none negative, their sum just under 1."""
        positive = torch.relu(self.raw_weights)
        return positive / (positive.sum() + self.eps)

    def deploy(self) -> None:
        """Turns the weights into constants, so that an exported graph only multiplies and joins."""
        self.constants = [float(weight) for weight in self.weights().detach()]

    def weighted(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Each input times its weight; raises ValueError when their number is not that of the weights."""
        if len(maps) != self.inputs:
            raise ValueError(f"{len(maps)} maps for {self.inputs} fusion weights")
        weights = self.weights() if self.constants is None else self.constants
        return [maps[index] * weights[index] for index in range(len(maps))]


class WeightedAdd(Fusion):
    """O = sum_i w_i I_i, of maps of one shape."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C, H, W) to one of the same shape."""
        first, *others = self.weighted(maps)
        return sum(others, start=first)


class WeightedConcat(Fusion):
    """The inputs side by side, each times its weight and their number: equal weights join plainly.

    The form in which the GB-YOLO paper puts the BiFPN's weights into YOLOv5's Concat layers.
    """

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C_i, H, W) to (B, sum of C_i, H, W)."""
        return torch.cat([part * len(maps) for part in self.weighted(maps)], 1)


NODE_INPUTS = {
    "p4_top_down": ("p4", "p5"),
    "p3_out": ("p3", "p4_top_down"),
    "p4_out": ("p4", "p4_top_down", "p3_out"),
    "p5_out": ("p5", "p4_out"),
}
"""The nodes in the order of computation, each with its inputs; the skip edge is p4 to p4_out."""


class FusionNode(nn.Module):
    """A weighted sum of maps of one shape and a 3x3 convolution."""

    def __init__(self, width: int, inputs: int) -> None:
        super().__init__()
        self.add = WeightedAdd(inputs)
        self.conv = Conv(width, width, 3)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, width, H, W) to one of the same shape."""
        fused: Tensor = self.conv(self.add(maps))
        return fused


class BiFPN(nn.Module):
    """Maps of the backbone at strides 8, 16, 32 to fused maps of `width` channels at the same strides."""

    def __init__(self, channels_in: Sequence[int], width: int) -> None:
        super().__init__()
        self.channels_out = (width, width, width)
        self.laterals = nn.ModuleList(Conv(channels, width, linear=True) for channels in channels_in)
        self.nodes = nn.ModuleDict(
            {name: FusionNode(width, len(inputs)) for name, inputs in NODE_INPUTS.items()}
        )

    def forward(self, p3: Tensor, p4: Tensor, p5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Three maps (B, channels_in[i], H / stride, W / stride) to three of `width` channels."""
        p3, p4, p5 = (lateral(level) for lateral, level in zip(self.laterals, (p3, p4, p5), strict=True))
        p4_top_down = self.nodes["p4_top_down"]((p4, _up(p5)))
        p3_out = self.nodes["p3_out"]((p3, _up(p4_top_down)))
        p4_out = self.nodes["p4_out"]((p4, p4_top_down, _down(p3_out)))
        p5_out = self.nodes["p5_out"]((p5, _down(p4_out)))
        return p3_out, p4_out, p5_out


def _up(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="nearest")


def _down(maps: Tensor) -> Tensor:
    pooled: Tensor = F.max_pool2d(maps, 3, 2, 1)
    return pooled
