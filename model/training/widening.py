"""Weights of a narrow network in a wider one of the same depth that computes the same, to train on from.

Source: Chen et al., "Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016. Each channel of the
narrow network has one or more copies side by side in the wide one. What reads the copies divides its weight
among them by chance, so that they see different gradients and become different.
"""

from collections.abc import Mapping

import torch
from torch import Tensor


def widen(weights: Mapping[str, Tensor], wide: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights by name in the shapes that the tensors of the same names have in the wide network.

    Copies lie in the order of the channels, so that concatenated maps keep theirs, as long as all parts
    of a concatenation grow by the same factor.
    """
    return {name: _widened(value, wide[name].shape) for name, value in weights.items()}


def _widened(value: Tensor, shape: torch.Size) -> Tensor:
    if value.shape == shape:
        return value
    rows = value[_origins(value.shape[0], shape[0])]
    if value.ndim == 1 or value.shape[1] == shape[1]:
        return rows
    columns = _origins(value.shape[1], shape[1])
    return rows[:, columns] * _shares(columns, shape[0])[:, :, None, None]


def _origins(narrow: int, wide: int) -> Tensor:
    """The narrow channel of which each wide one is a copy."""
    return torch.arange(wide) * narrow // wide


def _shares(origins: Tensor, rows: int) -> Tensor:
    """Random shares (rows, copies), of which those of one origin have the sum 1."""
    drawn = torch.rand(rows, len(origins)) + 0.5
    sums = torch.zeros(rows, int(origins.max()) + 1).index_add_(1, origins, drawn)
    return drawn / sums[:, origins]
