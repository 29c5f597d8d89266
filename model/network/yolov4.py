"""YOLOv4: CSPDarknet53 with Mish, spatial pyramid pooling, and a PANet of plain convolutions.

Source: Bochkovskiy, Wang and Liao, "YOLOv4: Optimal Speed and Accuracy of Object Detection", 2020, section
3.4. Of its width and depth there are the multiples that YOLOv5's sizes have; head, anchors and loss are those
of the other networks here, so that backbone and neck are what differs.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.network.gbyolo.backbone import Conv

FULL_CHANNELS = (32, 64, 128, 256, 512, 1024)
FULL_DEPTHS = (1, 2, 8, 8, 4)
POOLS = (5, 9, 13)
LEAK = 0.1


class MishConv(Conv):
    """Convolution, batch normalisation and Mish: x tanh(softplus(x)); of the backbone."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(channels_in, channels_out, kernel, stride)
        self.activation = nn.Mish(inplace=True)


class LeakyConv(Conv):
    """Convolution, batch normalisation and leaky ReLU; of everything behind the backbone."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(channels_in, channels_out, kernel, stride)
        self.activation = nn.LeakyReLU(LEAK, inplace=True)


class Residual(nn.Module):
    """1x1 and 3x3 convolution with a shortcut around both."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.reduce, self.extend = MishConv(channels, hidden), MishConv(hidden, channels, 3)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        return maps + cast(Tensor, self.extend(self.reduce(maps)))


class CspStage(nn.Module):
    """A stage of CSPDarknet53: halves the size, sends one part through residuals and one past them.

    The first stage has both parts at full width, the others at half of it.
    """

    def __init__(self, channels_in: int, channels_out: int, depth: int, *, first: bool) -> None:
        super().__init__()
        part = channels_out if first else channels_out // 2
        hidden = channels_out // 2 if first else part
        self.down = MishConv(channels_in, channels_out, 3, 2)
        self.into, self.past = MishConv(channels_out, part), MishConv(channels_out, part)
        self.residuals = nn.Sequential(*(Residual(part, hidden) for _ in range(depth)))
        self.leave = MishConv(part, part)
        self.join = MishConv(2 * part, channels_out)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H / 2, W / 2)."""
        maps = self.down(maps)
        through = self.leave(self.residuals(self.into(maps)))
        return cast(Tensor, self.join(torch.cat((through, self.past(maps)), 1)))


class SpatialPyramid(nn.Module):
    """Max-pools of three sizes beside their input, between three convolutions on each side (SPP).

    Source: He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks", ECCV 2014, as YOLOv4 has it.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.before = nn.Sequential(
            LeakyConv(channels, half), LeakyConv(half, channels, 3), LeakyConv(channels, half)
        )
        self.after = nn.Sequential(
            LeakyConv(4 * half, half), LeakyConv(half, channels, 3), LeakyConv(channels, half)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, channels / 2, H, W)."""
        maps = self.before(maps)
        pooled = [F.max_pool2d(maps, side, 1, side // 2) for side in reversed(POOLS)]
        return cast(Tensor, self.after(torch.cat((*pooled, maps), 1)))


class CspDarknet(nn.Module):
    """Pictures (B, 3, H, W) to maps at strides 8, 16 and 32; H and W are multiples of 32."""

    def __init__(self, width: float, depth: float) -> None:
        super().__init__()
        channels = tuple(max(8, round(count * width / 8) * 8) for count in FULL_CHANNELS)
        depths = tuple(max(1, round(count * depth)) for count in FULL_DEPTHS)
        self.stem = MishConv(3, channels[0], 3)
        self.stages = nn.ModuleList(
            CspStage(channels[index], channels[index + 1], count, first=index == 0)
            for index, count in enumerate(depths)
        )
        self.pool = SpatialPyramid(channels[5])
        self.channels_out = (channels[3], channels[4], channels[5] // 2)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The maps P3, P4 and P5, with `channels_out` channels."""
        maps, levels = self.stem(pictures), []
        for stage in self.stages:
            maps = stage(maps)
            levels.append(maps)
        return levels[2], levels[3], self.pool(levels[4])


def five(channels_in: int, channels: int) -> nn.Sequential:
    """The five convolutions, 1x1 and 3x3 in turn, by which YOLOv4 joins two maps; gives `channels`."""
    wide = 2 * channels
    return nn.Sequential(
        LeakyConv(channels_in, channels),
        LeakyConv(channels, wide, 3),
        LeakyConv(wide, channels),
        LeakyConv(channels, wide, 3),
        LeakyConv(wide, channels),
    )


class PlainAggregation(nn.Module):
    """YOLOv4's PANet: maps of the backbone at strides 8, 16, 32 to fused ones, ready for the head."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        low, middle, high = channels[0] // 2, channels[1] // 2, channels[2]
        self.channels_out = (2 * low, 2 * middle, 2 * high)
        self.reduce_high, self.side_middle = LeakyConv(high, middle), LeakyConv(channels[1], middle)
        self.middle_top_down = five(2 * middle, middle)
        self.reduce_middle, self.side_low = LeakyConv(middle, low), LeakyConv(channels[0], low)
        self.low_out = five(2 * low, low)
        self.low_down, self.middle_down = LeakyConv(low, middle, 3, 2), LeakyConv(middle, high, 3, 2)
        self.middle_out, self.high_out = five(2 * middle, middle), five(2 * high, high)
        self.last = nn.ModuleList(LeakyConv(count, 2 * count, 3) for count in (low, middle, high))

    def forward(self, p3: Tensor, p4: Tensor, p5: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Three maps (B, channels[i], H / stride, W / stride) to three of `channels_out` channels."""
        up = _up(self.reduce_high(p5))
        middle = self.middle_top_down(torch.cat((self.side_middle(p4), up), 1))
        low = self.low_out(torch.cat((self.side_low(p3), _up(self.reduce_middle(middle))), 1))
        middle = self.middle_out(torch.cat((self.low_down(low), middle), 1))
        high = self.high_out(torch.cat((self.middle_down(middle), p5), 1))
        first, second, third = (last(maps) for last, maps in zip(self.last, (low, middle, high), strict=True))
        return first, second, third


def _up(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2.0, mode="nearest")
