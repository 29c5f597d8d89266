"""What a detector does: one picture in, detections out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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
