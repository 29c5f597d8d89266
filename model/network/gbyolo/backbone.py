"""The backbone: YOLOv5 v6's stem, downs and SPPF, with Ghost stacks or C3 blocks between them."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from model.network.gbyolo.blocks import SPPF, Conv

BlockFactory = Callable[[int, int, int], nn.Module]
"""Makes a block from the channels it takes, those it gives, and its depth."""

FULL_CHANNELS = (64, 128, 256, 512, 1024)
FULL_DEPTHS = (3, 6, 9, 3)


def scaled_channels(width: float) -> tuple[int, ...]:
    """Channels of the stem and the four stages at a width multiple, rounded up to a multiple of 8."""
    return tuple(max(8, math.ceil(channels * width / 8) * 8) for channels in FULL_CHANNELS)


def scaled_depths(depth: float) -> tuple[int, ...]:
    """The depths of the four stages at a depth multiple."""
    return tuple(max(1, round(count * depth)) for count in FULL_DEPTHS)


class Backbone(nn.Module):
    """Pictures (B, 3, H, W) to maps at strides 8, 16 and 32; H and W are multiples of 32."""

    def __init__(self, width: float, depth: float, block: BlockFactory) -> None:
        super().__init__()
        channels, depths = scaled_channels(width), scaled_depths(depth)
        self.stem = Conv(3, channels[0], 6, 2, padding=2)
        self.downs = nn.ModuleList(Conv(channels[i], channels[i + 1], 3, 2) for i in range(4))
        self.stages = nn.ModuleList(block(channels[i + 1], channels[i + 1], depths[i]) for i in range(4))
        self.pool = SPPF(channels[4])
        self.channels_out = channels[2:]

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The maps P3, P4 and P5, with `channels_out` channels."""
        maps, levels = self.stem(pictures), []
        for down, stage in zip(self.downs, self.stages, strict=True):
            maps = stage(down(maps))
            levels.append(maps)
        return levels[1], levels[2], self.pool(levels[3])
