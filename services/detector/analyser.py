"""One camera's analysis: detections in; live tracks, crossings and pieces of trajectories out. Pure.

The same analyser counts a live camera and a file; only its caller knows which.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from services.core.counting import LineCounter, Passage
from services.core.pieces import PieceRecorder, Recorded
from services.core.types import (
    Box,
    CameraId,
    Crossing,
    Detection,
    Line,
    TrackedFrame,
    TrackedObject,
)
from services.detector.coverage import Doubt
from services.detector.track.bytetrack import ByteTracker
from services.detector.track.tracker import Tracker

ENTRY = 0.1
"""A track that is seen first this near to the border of the picture has just come in."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one frame brought."""

    tracked: TrackedFrame
    crossings: tuple[Crossing, ...]
    recorded: tuple[Recorded, ...]
    """Pieces of trajectories, each with the word for its seconds behind it: publish them in this order."""


class Analyser:
    """Tracks and counts the objects of one camera."""

    def __init__(
        self,
        camera: CameraId,
        aspect: float,
        lines: Sequence[Line] = (),
        epoch: int = 0,
        connection: int = 0,
        tracker: Tracker | None = None,
    ) -> None:
        self._camera, self._aspect = camera, aspect
        self._epoch, self._connection = epoch, connection
        self._tracker: Tracker = tracker or ByteTracker(aspect)
        self._recorder = PieceRecorder(camera, aspect, epoch, connection)
        self._counters: list[LineCounter] = []
        self._seen_s: dict[int, float] = {}
        """When each live track was seen last."""
        self._has_appeared = False
        self.set_lines(lines)

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Count on these lines from now on; a line that did not change keeps what it knows of tracks."""
        kept = {counter.line: counter for counter in self._counters}
        self._counters = [kept.get(line) or LineCounter(line, self._aspect) for line in lines]

    def update(self, frame: int, time_s: float, detections: Sequence[Detection]) -> Analysis:
        """Take the detections of the next frame."""
        step = self._tracker.update(time_s, detections)
        tracked = TrackedFrame(self._camera, frame, time_s, step.observed)
        seen = {item.track: item for item in step.observed}
        self._has_appeared = any(
            item.track not in self._seen_s and not _is_entering(item.box) for item in step.observed
        )
        self._seen_s.update(dict.fromkeys(seen, time_s))
        recorded = self._recorder.add(tracked)
        crossings = [
            self._crossing(passage, seen[passage.track])
            for counter in self._counters
            for passage in counter.update(tracked)
            if counter.line.classes is None or seen[passage.track].class_name in counter.line.classes
        ]
        self._forget(step.closed)
        recorded += self._recorder.close(step.closed)
        return Analysis(tracked, tuple(crossings), tuple(recorded))

    def doubt(self) -> Doubt:
        """Tell what the frames up to now leave open: it withholds the evidence of some seconds."""
        return Doubt(
            unseen_since_s=min(self._seen_s.values(), default=math.inf),
            undecided_s=[time_s for counter in self._counters for time_s in counter.undecided_s()],
            unexplained=[meeting for counter in self._counters for meeting in counter.unexplained],
            has_appeared=self._has_appeared,
        )

    def finish(self) -> tuple[Recorded, ...]:
        """Close all tracks: the stream has ended."""
        self._forget(tuple(self._seen_s))
        return tuple(self._recorder.finish())

    def _crossing(self, passage: Passage, item: TrackedObject) -> Crossing:
        line = passage.line
        return Crossing(
            id=f"{self._recorder.identity(passage.track)}/{line.id}.{line.version}/{passage.number}",
            camera=self._camera,
            line=line.id,
            line_version=line.version,
            time_s=passage.time_s,
            class_name=item.class_name,
            direction=passage.direction,
            along=min(1.0, max(0.0, passage.along)),
            track=passage.track,
            confidence=self._recorder.confidence(passage.track),
            epoch=self._epoch,
            mask=item.mask,
        )

    def _forget(self, tracks: tuple[int, ...]) -> None:
        for track in tracks:
            self._seen_s.pop(track, None)
            for counter in self._counters:
                counter.forget(track)


def _is_entering(box: Box) -> bool:
    return min(box) < ENTRY or max(box) > 1 - ENTRY
