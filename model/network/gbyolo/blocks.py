"""The building blocks: convolution, Ghost module and bottleneck, spatial pyramid pooling.

All take and give feature maps (batch, channels, height, width).
"""

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
