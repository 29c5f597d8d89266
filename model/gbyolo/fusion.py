"""Fast normalised fusion, the weighted sum at every node of a BiFPN."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class WeightedAdd(nn.Module):
    """O = sum_i w_i I_i with w_i = relu(v_i) / (eps + sum_j relu(v_j)) and learned v.

    Source: Tan, Pang, Le, "EfficientDet: Scalable and Efficient Object Detection", CVPR 2020, 3.3.
    """

    def __init__(self, inputs: int, eps: float = 1e-4) -> None:
        super().__init__()
        self.raw_weights = nn.Parameter(torch.ones(inputs))
        self.eps = eps
        self.constants: list[float] | None = None

    def weights(self) -> Tensor:
        """The normalised weights (inputs,): none negative, their sum just under 1."""
        positive = torch.relu(self.raw_weights)
        return positive / (positive.sum() + self.eps)

    def deploy(self) -> None:
        """Turns the weights into constants, so that an exported graph only multiplies and adds."""
        self.constants = [float(weight) for weight in self.weights().detach()]

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Adds maps of one shape; raises ValueError when their number is not that of the weights."""
        if len(maps) != len(self.raw_weights):
            raise ValueError(f"{len(maps)} maps for {len(self.raw_weights)} fusion weights")
        weights = self.weights() if self.constants is None else self.constants
        total = maps[0] * weights[0]
        for index in range(1, len(maps)):
            total = total + maps[index] * weights[index]
        return total
