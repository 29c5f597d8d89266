"""The neck: one BiFPN layer over P3, P4, P5 at a common width.

Source: Tan, Pang, Le, "EfficientDet", CVPR 2020, 3.2: no node with a single input, a same-level skip
edge at the middle level, fast normalised fusion at every node. One full 3x3 convolution follows a
fusion, because it costs less on a CPU than its share of multiplications says; downs are max-pools.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from model.network.gbyolo.blocks import Conv
from model.network.gbyolo.fusion import WeightedAdd

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
