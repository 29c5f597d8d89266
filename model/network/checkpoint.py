"""Checkpoints: everything a killed training needs to go on, and the weights that others load."""

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.files import replacing
from model.network.build import Architecture, DetectionNetwork, JointNetwork, Size, TaskHead, build_joint
from services.core.errors import BadInputError

FILE_NAME = "checkpoint.pt"
FORMAT = 2


@dataclass
class Progress:
    """Where a training stands."""

    epoch: int = 0
    batch: int = 0
    """Batches of this epoch that are done."""
    step: int = 0
    elapsed_s: float = 0.0
    best_map: float = -1.0
    mined: int = 0
    """How often hard examples were looked for."""


@dataclass(frozen=True)
class CheckpointDescription:
    """What the weights are of."""

    architecture: Architecture
    size: Size
    heads: tuple[TaskHead, ...]
    input_px: int
    command: str

    def head(self, task: str | None = None) -> TaskHead:
        """The head of a task, or the only one; BadInputError names those that there are."""
        chosen = [head for head in self.heads if task in (None, head.task)]
        if len(chosen) != 1:
            there = ", ".join(head.task for head in self.heads)
            raise BadInputError(f"say the task of this checkpoint: it was trained for {there}")
        return chosen[0]

    def build(self) -> JointNetwork:
        """The network with random weights."""
        return build_joint(self.architecture, self.size, self.heads)


def write_checkpoint(
    path: Path,
    description: CheckpointDescription,
    progress: Progress,
    averaged: dict[str, Tensor],
    network: nn.Module | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    counts: Mapping[str, Tensor] | None = None,
) -> None:
    """Writes atomically: a kill leaves the former file or the new one. Without network: weights only.

    `counts` (n,) say by task how often an epoch shows each picture.
    """
    content: dict[str, Any] = {
        "format": FORMAT,
        "description": asdict(description),
        "progress": vars(progress),
        "averaged": averaged,
    }
    if network is not None and optimizer is not None:
        content |= {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "counts": counts}
    with replacing(path) as partial:
        torch.save(content, partial)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The content of a checkpoint; raises BadInputError when there is none or it is not one of ours."""
    if not path.is_file():
        raise BadInputError(f"no checkpoint at {path}")
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
        raise BadInputError(
            f"{path} is no checkpoint that can be read: give checkpoint.pt or best.pt of a run"
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadInputError(f"{path} is no checkpoint of this program")
    return content


def describe(content: Mapping[str, Any]) -> CheckpointDescription:
    """The description in a checkpoint's content."""
    values = dict(content["description"])
    values["heads"] = tuple(TaskHead(**head) for head in values["heads"])
    return CheckpointDescription(**values)


def averaged_network(path: Path, task: str | None = None) -> tuple[DetectionNetwork, CheckpointDescription]:
    """The detector of a task with a checkpoint's averaged weights in evaluation mode, and what it is of."""
    content = read_checkpoint(path)
    description = describe(content)
    network = description.build()
    network.load_state_dict(content["averaged"])
    return network.detector(description.head(task).task).eval(), description
