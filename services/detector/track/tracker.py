"""What a tracker does: detections of one frame in, observed tracks out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.core.types import Detection, TrackedObject


@dataclass(frozen=True, slots=True)
class TrackerUpdate:
    """What one frame changed."""

    observed: tuple[TrackedObject, ...]
    """Confirmed tracks seen in this frame; never a predicted position."""
    closed: tuple[int, ...]
    """Tracks that ended and will not come back."""


class Tracker(Protocol):
    """Follows the objects of one camera from frame to frame."""

    def update(self, time_s: float, detections: Sequence[Detection]) -> TrackerUpdate:
        """Take the detections of the next frame; times only grow."""

    def add_opinion(self, track: int, votes: Mapping[str, float]) -> str:
        """Add another's votes on the class of a track that was just observed; give its class by all votes."""
