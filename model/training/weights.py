"""How weights move: the optimiser with its learning rate over the schedule, and the means of weights.

A short fine-tuning forgets some of what its start knew; a mean of both is often better than either.
Source: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022, section 3.
"""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from model.training.config import TrainConfig

WARM_UP_STEPS = 100
LAST_RATE = 0.02
"""The learning rate at the end of the schedule, as a share of the first."""


def make_optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """AdamW; only convolution kernels decay, not biases, norms and fusion weights."""
    kernels = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups = [
        {"params": kernels, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.99))


def learning_rate(config: TrainConfig, share_done: float, step: int) -> float:
    """A linear warm-up, then half a cosine down to LAST_RATE of the first rate."""
    cosine = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * share_done))
    return config.learning_rate * cosine * min(1.0, (step + 1) / WARM_UP_STEPS)


START_NAME, BLENDS_NAME = "start.pt", "blends.csv"
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of the end; 0 is the start itself."""


@dataclass(frozen=True)
class Blend:
    """A share of the end's weights, and the figures of the mean on the validation pictures."""

    share: float
    map50: float
    map50_95: float


def blend(start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """The mean of two states of one network, `share` of it from the end; counters are the end's."""
    return {
        name: start[name].to(value.device).lerp(value, share) if value.dtype.is_floating_point else value
        for name, value in end.items()
    }


def write_blends(run: Path, blends: Sequence[Blend]) -> None:
    """Writes the run's blends.csv."""
    with (run / BLENDS_NAME).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["share", "map50", "map50_95"])
        writer.writerows([one.share, f"{one.map50:.5g}", f"{one.map50_95:.5g}"] for one in blends)


class AveragedWeights:
    """An exponential moving average of a network's state, the weights that are evaluated and shipped."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Moves towards the network; early steps weigh more, so that the start is forgotten soon."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            average = self.state[name]
            if average.dtype.is_floating_point:
                average.mul_(decay).add_(value, alpha=1 - decay)
            else:
                average.copy_(value)
