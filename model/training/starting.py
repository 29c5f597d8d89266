"""What a training starts from: the weights of another training, from its checkpoint or its export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from model.data.samples import Sample
from model.evaluation.predictions import letterbox, to_input
from model.export.reading import read_export, unfold
from model.network.build import SCALES, JointNetwork, TaskHead
from model.network.checkpoint import Description, describe, read_checkpoint
from model.training.widening import widen
from services.core.tasks import TASK_CLASSES

CALIBRATION_PICTURES = 48
HEAD_PREFIX, JOINT_PREFIX = "head.", "heads."


@dataclass(frozen=True)
class Start:
    """Weights by their names in a JointNetwork, and what they are of."""

    description: Description
    weights: Mapping[str, Tensor]

    @property
    def heads(self) -> dict[str, TaskHead]:
        """By task, those whose classes are still the task's."""
        return {head.task: head for head in self.description.heads if head.classes == TASK_CLASSES[head.task]}


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


def can_start(network: Description, start: Description) -> bool:
    """Whether a network can take over the weights: of its own architecture and depth, and not wider."""
    own, other = SCALES[network.size], SCALES[start.size]
    return (
        network.architecture == start.architecture
        and own.depth == other.depth
        and own.width >= other.width
        and own.neck_width >= other.neck_width
    )


def start_from(network: JointNetwork, description: Description, start: Start) -> None:
    """Takes all that is shared, and the heads that both have; a wider network copies channels."""
    kept = [head.task for head in description.heads if head == start.heads.get(head.task)]
    chosen = {
        name: value
        for name, value in start.weights.items()
        if not name.startswith(JOINT_PREFIX) or name.split(".")[1] in kept
    }
    widened = widen(chosen, network.state_dict())
    missing = network.load_state_dict(widened, strict=False).missing_keys
    assert all(name.startswith(JOINT_PREFIX) for name in missing)
