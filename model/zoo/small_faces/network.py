"""RetinaNet for small faces: a feature pyramid from stride 4 on, with a context module at each level.

Sources: Lin et al., "Focal Loss for Dense Object Detection" (RetinaNet), ICCV 2017, for the pyramid, the
anchors and the prior of the scores; Deng et al., "RetinaFace", 2019 and CVPR 2020, for the levels P2 to P6,
the independent context modules and the heads of one convolution; Najibi et al., "SSH", ICCV 2017, for what is
in a context module. The backbone is GB-YOLO's of size n, so that only what lies behind it differs from it.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from model.network.build import SCALES
from model.network.gbyolo.backbone import Backbone, Conv, GhostStack
from model.zoo.small_faces.anchors import ANCHOR_SIDES_PX, decode, make_anchors

WIDTH = 64
"""Channels of the pyramid, as many as GB-YOLO n has in its neck."""
PRIOR = 0.01
"""The score of every class of every anchor before training (Lin et al., 4.1)."""


class ContextModule(nn.Module):
    """Maps seen through windows of 3, 5 and 7 cells side by side, of the width that they had.

    The larger windows are rows of 3x3 convolutions that share their first (SSH, figure 4).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        half, quarter = width // 2, width // 4
        self.near = Conv(width, half, 3, linear=True)
        self.shared = Conv(width, quarter, 3)
        self.wide = Conv(quarter, quarter, 3, linear=True)
        self.wider = nn.Sequential(Conv(quarter, quarter, 3), Conv(quarter, quarter, 3, linear=True))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, width, H, W) to the same shape."""
        shared = self.shared(maps)
        return F.silu(torch.cat((self.near(maps), self.wide(shared), self.wider(shared)), 1))


class FeaturePyramid(nn.Module):
    """Maps at strides 4, 8, 16, 32 to maps of one width at strides 4 to 64, coarse ones added to fine ones.

    Source: Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017; the last level is a
    convolution of stride 2 of the backbone's last (RetinaFace, 3.2).
    """

    def __init__(self, channels_in: Sequence[int], width: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(Conv(channels, width) for channels in channels_in)
        self.merges = nn.ModuleList(Conv(width, width, 3) for _ in channels_in[:-1])
        self.last = Conv(channels_in[-1], width, 3, 2)

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Four maps (B, channels_in[i], H / stride, W / stride) to five of `width` channels, finest first."""
        above = self.laterals[-1](levels[-1])
        maps = [above, self.last(levels[-1])]
        for index in range(len(levels) - 2, -1, -1):
            grown = F.interpolate(above, scale_factor=2.0, mode="nearest")
            above = self.merges[index](self.laterals[index](levels[index]) + grown)
            maps.insert(0, above)
        return maps


class SmallFacesNetwork(nn.Module):
    """Pictures (B, 3, H, W), RGB 0..1, H and W multiples of 32, to what every anchor is.

    While training logits (B, N, classes) and offsets (B, N, 4) of N anchors in the order of `make_anchors`;
    in evaluation mode predictions (B, N, 4 + classes) as GB-YOLO's: centre, width, height, scores.
    """

    def __init__(self, class_count: int, *, context: bool = True) -> None:
        super().__init__()
        scale = SCALES["n"]
        self.class_count = class_count
        self.backbone = Backbone(scale.width, scale.depth, GhostStack)
        finest = cast(Conv, self.backbone.downs[0]).conv.out_channels
        self.pyramid = FeaturePyramid((finest, *self.backbone.channels_out), WIDTH)
        self.contexts = nn.ModuleList(
            ContextModule(WIDTH) if context else nn.Identity() for _ in ANCHOR_SIDES_PX
        )
        self.heads = nn.ModuleList(
            nn.Conv2d(WIDTH, len(sides) * (4 + class_count), 1) for sides in ANCHOR_SIDES_PX
        )
        self._start_heads()

    def _start_heads(self) -> None:
        """Starts with boxes that are their anchors, and with the prior for every score."""
        for sides, head in zip(ANCHOR_SIDES_PX, self.heads, strict=True):
            assert isinstance(head, nn.Conv2d) and head.bias is not None
            nn.init.normal_(head.weight, std=0.01)
            bias = head.bias.data.zero_().view(len(sides), -1)
            bias[:, 4:] = -math.log((1 - PRIOR) / PRIOR)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        """Logits and offsets while training, predictions in evaluation mode."""
        maps = self.pyramid(self._levels(pictures))
        values = torch.cat(
            [
                self._flat(head(context(level)), len(sides))
                for level, context, head, sides in zip(
                    maps, self.contexts, self.heads, ANCHOR_SIDES_PX, strict=True
                )
            ],
            1,
        )
        logits, offsets = values[..., 4:], values[..., :4]
        if self.training:
            return logits, offsets
        anchors = make_anchors(int(pictures.shape[2]), int(pictures.shape[3]), pictures.device)
        return torch.cat((decode(offsets, anchors), logits.sigmoid()), -1)

    def _levels(self, pictures: Tensor) -> list[Tensor]:
        """The maps of the backbone at strides 4, 8, 16 and 32, the last one pooled."""
        maps, levels = self.backbone.stem(pictures), []
        for down, stage in zip(self.backbone.downs, self.backbone.stages, strict=True):
            maps = stage(down(maps))
            levels.append(maps)
        return [*levels[:-1], self.backbone.pool(levels[-1])]

    def _flat(self, values: Tensor, anchors_per_cell: int) -> Tensor:
        """(B, A * (4 + classes), H, W) to (B, H * W * A, 4 + classes): row by row, anchors of a cell last."""
        batch = values.shape[0]
        split = values.float().view(batch, anchors_per_cell, 4 + self.class_count, -1)
        return split.permute(0, 3, 1, 2).flatten(1, 2)

    def fuse(self) -> "SmallFacesNetwork":
        """Folds batch normalisation into the convolutions, in place; inference only."""
        for module in self.modules():
            if isinstance(module, Conv):
                module.fuse()
        return self
