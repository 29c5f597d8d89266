"""YOLOv5's PANet neck: top-down and bottom-up, each step joined by concatenation.

With `weighted`, the GB-YOLO paper's form of it: fast normalised weights in every concatenation, and the
BiFPN's skip edge from the backbone's middle level to the middle output.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.network.gbyolo.backbone import BlockFactory, Conv
from model.network.gbyolo.neck import WeightedConcat


class Bottleneck(nn.Module):
    """1x1 and 3x3 convolution of one width, with a shortcut around both where wanted."""

    def __init__(self, channels: int, *, shortcut: bool) -> None:
        super().__init__()
        self.reduce, self.extend = Conv(channels, channels), Conv(channels, channels, 3)
        self.shortcut = shortcut

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        result: Tensor = self.extend(self.reduce(maps))
        return maps + result if self.shortcut else result


class C3(nn.Module):
    """Half of the channels through bottlenecks, half past them, joined by a 1x1 convolution.

    Source: YOLOv5 v6; the cross-stage-partial idea is Wang et al., "CSPNet", CVPR Workshops 2020.
    """

    def __init__(self, channels_in: int, channels_out: int, depth: int, *, shortcut: bool = True) -> None:
        super().__init__()
        half = channels_out // 2
        self.into, self.past = Conv(channels_in, half), Conv(channels_in, half)
        self.bottlenecks = nn.Sequential(*(Bottleneck(half, shortcut=shortcut) for _ in range(depth)))
        self.join = Conv(2 * half, channels_out)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H, W)."""
        return cast(Tensor, self.join(torch.cat((self.bottlenecks(self.into(maps)), self.past(maps)), 1)))


class Concat(nn.Module):
    """Maps of one height and width side by side."""

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps (B, C_i, H, W) to (B, sum of C_i, H, W)."""
        return torch.cat(list(maps), 1)


class PathAggregation(nn.Module):
    """Maps of the backbone at strides 8, 16, 32 to fused maps of the same channels and strides.

    Source: Liu et al., "Path Aggregation Network for Instance Segmentation", CVPR 2018, as YOLOv5 v6 has it.
    """

    def __init__(self, channels: Sequence[int], depth: int, block: BlockFactory, *, weighted: bool) -> None:
        super().__init__()
        low, middle, high = channels
        self.channels_out = tuple(channels)
        self.weighted = weighted
        self.reduce_high, self.reduce_middle = Conv(high, middle), Conv(middle, low)
        self.middle_top_down = block(2 * middle, middle, depth)
        self.low_out = block(2 * low, low, depth)
        self.low_down, self.middle_down = Conv(low, low, 3, 2), Conv(middle, middle, 3, 2)
        self.middle_out = block(2 * low + (middle if weighted else 0), middle, depth)
        self.high_out = block(2 * middle, high, depth)
        inputs = {"middle_top_down": 2, "low_out": 2, "middle_out": 3 if weighted else 2, "high_out": 2}
        self.joins = nn.ModuleDict(
            {name: WeightedConcat(count) if weighted else Concat() for name, count in inputs.items()}
        )

    def forward(self, p3: Tensor, p4: Tensor, p5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Three maps (B, channels[i], H / stride, W / stride) to three of the same shapes."""
        high = self.reduce_high(p5)
        middle = self.reduce_middle(self.middle_top_down(self._join("middle_top_down", _up(high), p4)))
        low_out = self.low_out(self._join("low_out", _up(middle), p3))
        skip = (p4,) if self.weighted else ()
        middle_out = self.middle_out(self._join("middle_out", self.low_down(low_out), middle, *skip))
        high_out = self.high_out(self._join("high_out", self.middle_down(middle_out), high))
        return low_out, middle_out, high_out

    def _join(self, name: str, *maps: Tensor) -> Tensor:
        return cast(Tensor, self.joins[name](maps))


def _up(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="nearest")
