"""The head: YOLOv5's coupled 1x1 convolutions over three anchors a cell, with the decoding."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

Anchors = Sequence[Sequence[tuple[float, float]]]
"""Width and height in input pixels: three levels of three anchors."""

STRIDES = (8, 16, 32)
ANCHORS_PER_CELL = 3
DEFAULT_ANCHORS: Anchors = (
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
"""YOLOv5's, fitted to COCO at 640 pixels."""


class AnchorHead(nn.Module):
    """Fused maps to raw predictions while training, to decoded ones in evaluation mode."""

    def __init__(self, channels: Sequence[int], class_count: int, anchors: Anchors = DEFAULT_ANCHORS) -> None:
        super().__init__()
        self.class_count = class_count
        outputs = ANCHORS_PER_CELL * (5 + class_count)
        self.outputs = nn.ModuleList(nn.Conv2d(width, outputs, 1) for width in channels)
        self.anchors: Tensor
        self.register_buffer("anchors", torch.tensor(anchors, dtype=torch.float32).view(3, 3, 2))
        self._start_biases()

    def _start_biases(self) -> None:
        """Starts at about 8 objects a 640-pixel picture and 0.6 for all classes together (YOLOv5)."""
        for convolution, stride in zip(self.outputs, STRIDES, strict=True):
            assert isinstance(convolution, nn.Conv2d) and convolution.bias is not None
            bias = convolution.bias.data.view(ANCHORS_PER_CELL, -1)
            bias[:, 4] += math.log(8 / (640 / stride) ** 2)
            bias[:, 5:] += math.log(0.6 / (self.class_count - 0.99999))

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor] | Tensor:
        """Training: three maps (B, 3 * (5 + classes), H, W). Evaluation: `decode` of them."""
        raw = [convolution(maps) for convolution, maps in zip(self.outputs, levels, strict=True)]
        return raw if self.training else self.decode(raw)

    def decode(self, raw: Sequence[Tensor]) -> Tensor:
        """Raw maps to (B, N, 4 + classes): x and y of the centre, width, height in input pixels, scores.

        Per cell g and anchor a at stride s (YOLOv5 v6): xy = (2 sigmoid(t) - 0.5 + g) s,
        wh = (2 sigmoid(t))^2 a; the score of a class is objectness times class probability.
        """
        decoded = []
        for level, (maps, stride) in enumerate(zip(raw, STRIDES, strict=True)):
            batch, _, height, width = maps.shape
            cells = height * width
            values = maps.view(batch, ANCHORS_PER_CELL, -1, cells).transpose(2, 3).sigmoid()
            grid = cell_grid(height, width, maps).view(1, 1, cells, 2)
            anchors = self.anchors[level].view(1, ANCHORS_PER_CELL, 1, 2)
            centre = (values[..., :2] * 2 - 0.5 + grid) * stride
            size = (values[..., 2:4] * 2) ** 2 * anchors
            scores = values[..., 4:5] * values[..., 5:]
            decoded.append(torch.cat((centre, size, scores), -1).flatten(1, 2))
        return torch.cat(decoded, 1)


def cell_grid(height: int, width: int, like: Tensor) -> Tensor:
    """The x and y index of every cell, (height, width, 2), with the type and device of `like`."""
    rows, columns = torch.arange(height, device=like.device), torch.arange(width, device=like.device)
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack((x, y), -1).to(like.dtype)
