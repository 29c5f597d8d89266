"""What a detector does: one picture in, detections out; and a classifier: faces in, probabilities out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.core.frames import Letterbox, Picture
from services.core.types import Detection


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model file states about itself."""

    name: str
    task: str
    classes: tuple[str, ...]
    input_width: int
    input_height: int
    confidence: float
    overlap: float
    path: Path


class Detector(Protocol):
    """A network with its pre- and post-processing; one instance is used by one thread."""

    @property
    def info(self) -> ModelInfo:
        """The model behind it."""

    @property
    def engine(self) -> str:
        """Name of the engine that computes it."""

    def letterbox(self, width: int, height: int) -> Letterbox:
        """Give how a picture of this size is scaled for `detect`."""

    def detect(self, scaled_rgb: Picture, letterbox: Letterbox, confidence: float) -> list[Detection]:
        """Find objects in a picture that was scaled to `letterbox.size`."""


Faces = NDArray[np.float32]
"""Crops (n, 3, S, S), RGB from 0 to 1; or what is said of each, (n, classes)."""


@dataclass(frozen=True, slots=True)
class ClassifierInfo:
    """What a classifier's file states about itself."""

    name: str
    classes: tuple[str, ...]
    side_px: int
    """Of the square that it takes a face in."""
    margin: float
    """Share of a face's longer side that the square reaches beyond it, on each side."""
    path: Path


class Classifier(Protocol):
    """A network that tells the class of each crop; one instance is used by one thread."""

    @property
    def info(self) -> ClassifierInfo:
        """The file behind it."""

    @property
    def engine(self) -> str:
        """Name of the engine that computes it."""

    def probabilities(self, faces: Faces) -> Faces:
        """Give the probability of each class (n, classes) for crops (n, 3, S, S), RGB from 0 to 1."""
