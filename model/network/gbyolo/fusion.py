"""Fast normalised fusion: the weighted sum at every node of a BiFPN, and the paper's weighted join."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


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
