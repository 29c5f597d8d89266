"""What a training starts from: the weights of another training, from its checkpoint or its export.

Weights of a narrower network are widened to those of one that computes the same. Source: Chen et al.,
"Net2Net: Accelerating Learning via Knowledge Transfer", ICLR 2016. Each channel of the narrow network has one
or more copies side by side in the wide one. What reads the copies divides its weight among them by chance, so
that they see different gradients and become different.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.data.samples import Sample
from model.evaluation.predictions import letterbox, to_input
from model.export.reading import read_export, unfold
from model.network.build import SCALES, JointNetwork
from model.network.checkpoint import CheckpointDescription, describe, read_checkpoint

CALIBRATION_PICTURES = 48
HEAD_PREFIX, JOINT_PREFIX = "head.", "heads."


@dataclass(frozen=True)
class Start:
    """Weights by their names in a JointNetwork, and what they are of."""

    description: CheckpointDescription
    weights: Mapping[str, Tensor]


def read_start(path: Path, samples: Sequence[Sample]) -> Start:
    """The averaged weights of a checkpoint, or those of an .onnx file that this program exported.

    Pictures of the samples give an exported file back the statistics that it has lost. Raises
    BadInputError when the file is neither.
    """
    if path.suffix != ".onnx":
        content = read_checkpoint(path)
        return Start(describe(content), content["averaged"])
    export = read_export(path)
    side_px = export.description.input_px
    step = max(1, len(samples) // CALIBRATION_PICTURES)
    chosen = samples[::step][:CALIBRATION_PICTURES]
    pictures = to_input(np.stack([letterbox(sample, side_px, side_px)[0] for sample in chosen]))
    state = unfold(export, torch.from_numpy(pictures)).state_dict()
    joint = f"{JOINT_PREFIX}{export.description.heads[0].task}."
    weights = {
        joint + name.removeprefix(HEAD_PREFIX) if name.startswith(HEAD_PREFIX) else name: value
        for name, value in state.items()
    }
    return Start(export.description, weights)


def can_start(network: CheckpointDescription, start: CheckpointDescription) -> bool:
    """Whether a network can take over the weights: of its own architecture and depth, and not wider."""
    own, other = SCALES[network.size], SCALES[start.size]
    return (
        network.architecture == start.architecture
        and own.depth == other.depth
        and own.width >= other.width
        and own.neck_width >= other.neck_width
    )


def start_from(network: JointNetwork, description: CheckpointDescription, start: Start) -> None:
    """Takes all that is shared, and the heads that both have; a wider network copies channels."""
    kept = [head.task for head in description.heads if head in start.description.heads]
    chosen = {
        name: value
        for name, value in start.weights.items()
        if not name.startswith(JOINT_PREFIX) or name.split(".")[1] in kept
    }
    widened = widen(chosen, network.state_dict())
    missing = network.load_state_dict(widened, strict=False).missing_keys
    assert all(name.startswith(JOINT_PREFIX) for name in missing)


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
