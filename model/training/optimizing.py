"""The optimiser and its learning rate over the schedule."""

import math

import torch
from torch import nn

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
