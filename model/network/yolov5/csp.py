"""YOLOv5's C3: a cross-stage-partial block of plain bottlenecks."""

from typing import cast

import torch
from torch import Tensor, nn

from model.network.gbyolo.blocks import Conv


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
