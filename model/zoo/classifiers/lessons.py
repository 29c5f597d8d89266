"""Crops as a lesson for a network that classifies them, and what a network says of crops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from model.data.samples import Picture
from model.training.computing import computes_bf16
from model.zoo.classifiers.augment import plain, training_batch
from model.zoo.classifiers.crops import FaceCrop, chances
from model.zoo.classifiers.networks import NetworkKind
from model.zoo.classifiers.training import Answered
from services.core.crops import to_blob
from services.core.errors import BadInputError

BATCH = 32
LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class CropLesson:
    """What is trained, for how long, and from what. Implements the protocol Lesson."""

    kind: NetworkKind
    shown: int
    """Crops in all, of which the network's kind may take a share."""
    train: Sequence[FaceCrop] = field(repr=False)
    val: Sequence[FaceCrop] = field(repr=False)
    batch: int = BATCH

    @property
    def identity(self) -> Mapping[str, Any]:
        """The network and its input."""
        return {"name": self.kind.name, "side_px": self.kind.side_px}

    @property
    def steps(self) -> int:
        """Steps in all, at least one."""
        return max(1, round(self.shown * self.kind.shown_share / self.batch))

    @property
    def pool(self) -> int:
        """How many crops there are."""
        return len(self.train)

    @property
    def learning_rate(self) -> float:
        """That of the network's kind."""
        return self.kind.learning_rate

    @cached_property
    def _chances(self) -> npt.NDArray[np.float64]:
        return chances(self.train)

    def build(self) -> nn.Module:
        """The network with new weights."""
        return self.kind.build()

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Picture, npt.NDArray[np.int64]]:
        """Augmented crops (count, S, S, 3) and their labels."""
        return training_batch(self.train, self._chances, count, self.kind.side_px, rng)

    def answer(self, network: nn.Module, rng: np.random.Generator) -> Answered:
        """Cross entropy over augmented crops."""
        pictures, labels = self.draw(self.batch, rng)
        target = torch.from_numpy(labels)
        bf16 = self.kind.bf16 and computes_bf16(torch.device("cpu"))
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(to_tensor(pictures))
        right = int((logits.argmax(1) == target).sum())
        return Answered(cross_entropy(logits.float(), target), right, self.batch)

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """Loss and accuracy on the crops that measure."""
        said = probabilities(network, self.val, self.kind.side_px)
        labels = labels_of(self.val)
        of_true = np.maximum(said[np.arange(len(labels)), labels], LEAST_PROBABILITY)
        return {
            "val_loss": float(-np.log(of_true).mean()),
            "val_accuracy": float((said.argmax(1) == labels).mean()),
        }


def labels_of(crops: Sequence[FaceCrop]) -> npt.NDArray[np.int64]:
    """The classes of crops (n,)."""
    return np.array([crop.label for crop in crops], np.int64)


def to_tensor(pictures: Picture) -> Tensor:
    """Crops (n, S, S, 3) BGR as network input."""
    return torch.from_numpy(to_blob(pictures)).contiguous(memory_format=torch.channels_last)


def probabilities(network: nn.Module, crops: Sequence[FaceCrop], side_px: int) -> npt.NDArray[np.float32]:
    """What a network in evaluation mode says of crops as they are, (n, classes)."""
    if not crops:
        raise BadInputError("there is no face to classify")
    parts = []
    with torch.inference_mode():
        for start in range(0, len(crops), BATCH):
            pictures = np.stack([plain(crop, side_px) for crop in crops[start : start + BATCH]])
            parts.append(network(to_tensor(pictures)).softmax(1).numpy())
    together: npt.NDArray[np.float32] = np.concatenate(parts)
    return together
