"""One camera's analysis: detections in; live tracks, crossings and pieces of trajectories out. Pure.

The same analyser counts a live camera and a file; only its caller knows which.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from services.core.counting import LineCounter, Passage
from services.core.evidence.seconds import CountingChange, Pending
from services.core.frames import Picture
from services.core.model_classes import has_mask_states, mask_state
from services.core.pieces import PieceRecorder, Recorded
from services.core.times import whole
from services.core.types import (
    Anchor,
    Box,
    CameraId,
    Crossing,
    Detection,
    Line,
    LineId,
    Point,
    TrackedFrame,
    TrackedObject,
)
from services.detector.second_opinion import SecondOpinion
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
        classes: Collection[str] | None = None,
        second_opinion: SecondOpinion | None = None,
    ) -> None:
        """`classes` are what the camera's model finds; None: nobody says, and names tell mask states."""
        self._camera, self._aspect = camera, aspect
        self._epoch, self._connection = epoch, connection
        has_masks = classes is None or has_mask_states(classes)
        self._tracker: Tracker = tracker or ByteTracker(aspect, has_masks=has_masks)
        self._second_opinion = second_opinion
        self._recorder = PieceRecorder(camera, aspect, epoch, connection)
        self._counters: list[LineCounter] = []
        self._seen_s: dict[int, float] = {}
        """When each live track was seen last."""
        self._has_appeared = False
        self.set_lines(lines)

    def set_lines(self, lines: Sequence[Line]) -> CountingChange:
        """Count on these lines from now on, and say what that does to the counting of each.

        A line keeps what it knows of tracks as long as it lies where it lay, whatever it is called.
        """
        known = {_place(counter.line): counter for counter in self._counters}
        kept = {_place(line): counter for line in lines if (counter := known.get(_place(line)))}
        cut = {counter.line.id for counter in self._counters if _place(counter.line) not in kept}
        cut |= {
            line.id
            for line in lines
            if _place(line) in kept and kept[_place(line)].line.classes != line.classes
        }
        begun = {line.id for line in lines if _place(line) not in kept}
        self._counters = [kept.get(_place(line)) or LineCounter(line, self._aspect) for line in lines]
        for line, counter in zip(lines, self._counters, strict=True):
            counter.line = line
        return CountingChange(frozenset(cut), frozenset(begun))

    def update(
        self, frame: int, time_s: float, detections: Sequence[Detection], picture_rgb: Picture | None = None
    ) -> Analysis:
        """Take the detections of the next frame; in its picture a second opinion looks closer."""
        step = self._tracker.update(time_s, detections)
        observed = self._verified(time_s, step.observed, picture_rgb)
        tracked = TrackedFrame(self._camera, frame, time_s, observed)
        seen = {item.track: item for item in observed}
        self._has_appeared = any(
            item.track not in self._seen_s and not _is_entering(item.box) for item in observed
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

    def _verified(
        self, time_s: float, observed: tuple[TrackedObject, ...], picture_rgb: Picture | None
    ) -> tuple[TrackedObject, ...]:
        """Give the tracks with the classes that they have after a second opinion, where there is one."""
        if self._second_opinion is None or picture_rgb is None:
            return observed
        opinions = self._second_opinion.of(time_s, observed, picture_rgb)
        voted = {one.track: self._tracker.add_opinion(one.track, one.votes) for one in opinions}
        return tuple(
            replace(item, class_name=voted[item.track], mask=mask_state(voted[item.track]))
            if item.track in voted
            else item
            for item in observed
        )

    def pending(self) -> Pending:
        """Say what the frames up to now leave open: it withholds the evidence of some seconds."""
        return Pending(
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
            time_s=whole(passage.time_s),
            class_name=item.class_name,
            direction=passage.direction,
            along=min(1.0, max(0.0, passage.along)),
            track=passage.track,
            confidence=self._recorder.confidence(passage.track),
            epoch=self._epoch,
            mask=item.mask,
        )

    def _forget(self, tracks: tuple[int, ...]) -> None:
        if self._second_opinion is not None:
            self._second_opinion.forget(tracks)
        for track in tracks:
            self._seen_s.pop(track, None)
            for counter in self._counters:
                counter.forget(track)


def _place(line: Line) -> tuple[LineId, tuple[Point, ...], Anchor]:
    """Give what the crossings of a line depend on, but for the classes that are left out afterwards."""
    return line.id, line.points, line.anchor


def _is_entering(box: Box) -> bool:
    return min(box) < ENTRY or max(box) > 1 - ENTRY
