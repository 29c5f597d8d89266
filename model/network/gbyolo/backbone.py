"""The backbone and its blocks: YOLOv5 v6's stem, downs and SPPF, with Ghost stacks or C3 blocks between them.

Blocks take and give feature maps (batch, channels, height, width).
"""

import math
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Conv(nn.Module):
    """Convolution, batch normalisation and, unless `linear`, SiLU; "same" padding unless given."""

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int = 1,
        stride: int = 1,
        *,
        padding: int | None = None,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        pad = kernel // 2 if padding is None else padding
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, stride, pad, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(channels_out, eps=1e-3, momentum=0.03)
        self.activation: nn.Module = nn.Identity() if linear else nn.SiLU(inplace=True)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H / stride, W / stride)."""
        return cast(Tensor, self.activation(self.norm(self.conv(maps))))

    def fuse(self) -> None:
        """Folds the batch normalisation into the convolution; for inference only. Twice does no harm."""
        if not isinstance(self.norm, nn.BatchNorm2d):
            return
        norm, old = self.norm, self.conv
        mean, variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
        scale = norm.weight.data / torch.sqrt(variance + norm.eps)
        fused = nn.Conv2d(
            old.in_channels,
            old.out_channels,
            cast(tuple[int, int], old.kernel_size),
            cast(tuple[int, int], old.stride),
            cast(tuple[int, int], old.padding),
            groups=old.groups,
        )
        fused.weight.data = old.weight.data * scale.view(-1, 1, 1, 1)
        cast(nn.Parameter, fused.bias).data = norm.bias.data - mean * scale
        self.conv, self.norm = fused, nn.Identity()


class GhostModule(nn.Module):
    """Half of the maps by a 1x1 convolution, the other half by a cheap 3x3 depthwise one from those.

    Source: Han et al., "GhostNet: More Features from Cheap Operations", CVPR 2020, ratio s = 2.
    `channels_out` has to be even.
    """

    def __init__(self, channels_in: int, channels_out: int, *, linear: bool = False) -> None:
        super().__init__()
        if channels_out % 2:
            raise ValueError(f"a Ghost module needs an even number of output channels, not {channels_out}")
        half = channels_out // 2
        self.primary = Conv(channels_in, half, linear=linear)
        self.cheap = Conv(half, half, 3, groups=half, linear=linear)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H, W)."""
        primary = self.primary(maps)
        return torch.cat((primary, self.cheap(primary)), 1)


class GhostBottleneck(nn.Module):
    """Ghost module, linear Ghost module, and a shortcut around both (GhostNet, stride 1, expansion 1)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.expand = GhostModule(channels_in, channels_out)
        self.project = GhostModule(channels_out, channels_out, linear=True)
        same = channels_in == channels_out
        self.shortcut: nn.Module = nn.Identity() if same else Conv(channels_in, channels_out, linear=True)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H, W)."""
        return cast(Tensor, self.project(self.expand(maps)) + self.shortcut(maps))


class GhostStack(nn.Module):
    """`depth` Ghost bottlenecks in a row, in the place of a C3 block of YOLOv5; the first sets the width."""

    def __init__(self, channels_in: int, channels_out: int, depth: int) -> None:
        super().__init__()
        widths = [channels_in, *[channels_out] * depth]
        self.bottlenecks = nn.Sequential(*map(GhostBottleneck, widths, widths[1:]))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H, W)."""
        return cast(Tensor, self.bottlenecks(maps))


class SPPF(nn.Module):
    """Spatial pyramid pooling of YOLOv5 v6: three 5x5 max-pools in a row, joined with their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.reduce = Conv(channels, half)
        self.join = Conv(4 * half, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, H, W) to the same shape."""
        steps = [self.reduce(maps)]
        for _ in range(3):
            steps.append(F.max_pool2d(steps[-1], 5, 1, 2))
        return cast(Tensor, self.join(torch.cat(steps, 1)))


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
