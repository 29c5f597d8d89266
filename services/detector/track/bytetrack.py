"""ByteTrack (Zhang et al., ECCV 2022): strong detections first, weak ones only for tracks that go on.

Without appearance features. Overlap is taken of grown boxes (C-BIoU, WACV 2023), so that small and fast
objects are still followed at ten frames a second. Only observed boxes leave the tracker.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from services.core.boxes import centres, corners, overlaps
from services.core.model_classes import mask_state
from services.core.types import Detection, TrackedObject
from services.detector.track.classes import ClassVote, group_of, merge_same_objects
from services.detector.track.kalman import BoxFilter
from services.detector.track.tracker import TrackerUpdate

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

EDGE = 0.01
"""A box this near to the border of the picture is cut by it."""

CUT_FACE_WEIGHT = 0.05
"""Weight in the vote of a face that the border cuts: what is missing may be its mask, and it is large."""


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Thresholds; one set for all cameras and clips."""

    strong: float = 0.3
    """Confidence from which a detection may begin or find again a track."""
    weak: float = 0.1
    """Confidence from which a detection may continue a track that was just seen."""
    begin: float = 0.3
    """Confidence from which a detection begins a track: low, since what does not move cannot cross."""
    match: float = 0.25
    """Least overlap of grown boxes for strong detections."""
    match_weak: float = 0.35
    """Least overlap of grown boxes for weak detections."""
    match_new: float = 0.2
    """Least overlap of grown boxes for tracks that are not confirmed yet."""
    other_class: float = 0.7
    """Factor on the overlap where a detection's class is not the track's: a car that comes out from behind a
    lorry must not go on as the lorry."""
    growth: float = 0.3
    """By which share of its size a box grows on each side before overlaps are taken."""
    confirm: int = 3
    """Observations from which a track is confirmed, and leaves the tracker."""
    keep_lost_s: float = 1.5
    """Time after which a track that is not seen is closed."""
    keep_left_s: float = 0.5
    """The same for a track last seen at the picture's edge: what left must not come back as another."""


@dataclass(slots=True)
class _Track:
    """What is known of one track beside its filter."""

    number: int
    group: str
    seen_s: float
    votes: ClassVote = field(default_factory=ClassVote)
    observations: int = 0
    confidence: float = 0.0
    is_at_edge: bool = False


class ByteTracker:
    """Follows the objects of one camera; `aspect` is the picture's width over its height.

    `has_masks`: what the camera's model finds are mask states.
    """

    def __init__(
        self, aspect: float, settings: TrackerSettings | None = None, has_masks: bool = True
    ) -> None:
        self._aspect, self._has_masks = aspect, has_masks
        self._settings = settings or TrackerSettings()
        self._scale = np.array([aspect, 1.0, aspect, 1.0])
        self._filter = BoxFilter()
        self._tracks: list[_Track] = []
        self._next = 1
        self._time_s: float | None = None

    def update(self, time_s: float, detections: Sequence[Detection]) -> TrackerUpdate:
        """Take the detections of the next frame."""
        step_s = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        previous_s, self._time_s = self._time_s, time_s
        usable = [d for d in detections if d.confidence >= self._settings.weak]
        merged = merge_same_objects(usable, self._aspect)
        self._filter.predict(step_s)
        free, seen = self._associate(time_s, previous_s, merged)
        seen += self._begin(time_s, merged, free)
        closed = self._close(time_s)
        return TrackerUpdate(
            tuple(self._observed(*pair) for pair in seen if self._is_confirmed(pair[0])), closed
        )

    def add_opinion(self, track: int, votes: Mapping[str, float]) -> str:
        """Add another's votes on the class of a track that was just observed; give its class by all votes."""
        known = next(one for one in self._tracks if one.number == track)
        known.votes.add_opinion(votes)
        return known.votes.winner

    def _associate(
        self, time_s: float, previous_s: float | None, detections: list[Detection]
    ) -> tuple[list[int], list[tuple[_Track, Detection]]]:
        """Pair detections with tracks in three rounds; give the detections left over and the pairs."""
        settings = self._settings
        confidences = np.array([d.confidence for d in detections])
        strong = np.flatnonzero(confidences >= settings.strong)
        weak = np.flatnonzero(confidences < settings.strong)
        confirmed = self._rows(lambda t: t.observations >= settings.confirm)
        fresh = self._rows(lambda t: t.observations < settings.confirm)
        seen: list[tuple[_Track, Detection]] = []
        rest, strong_left = self._round(time_s, confirmed, strong, detections, settings.match, seen)
        just_seen = np.array([r for r in rest if self._tracks[r].seen_s == previous_s], np.intp)
        self._round(time_s, just_seen, weak, detections, settings.match_weak, seen)
        _, strong_left = self._round(time_s, fresh, strong_left, detections, settings.match_new, seen)
        return [int(i) for i in strong_left], seen

    def _rows(self, condition: Callable[[_Track], bool]) -> Rows:
        return np.array([i for i, track in enumerate(self._tracks) if condition(track)], np.intp)

    def _round(
        self,
        time_s: float,
        rows: Rows,
        columns: Rows,
        detections: list[Detection],
        least: float,
        seen: list[tuple[_Track, Detection]],
    ) -> tuple[Rows, Rows]:
        """Pair some tracks with some detections, correct the tracks; give what is left of both."""
        similarity = self._similarity(rows, columns, detections)
        i, j = assign(similarity, least)
        chosen = [detections[k] for k in columns[j]]
        if chosen:
            self._filter.correct(rows[i], self._measured(chosen))
        for row, detection in zip(rows[i], chosen, strict=True):
            track = self._tracks[row]
            self._observe(track, time_s, detection)
            seen.append((track, detection))
        return np.delete(rows, i), np.delete(columns, j)

    def _similarity(self, rows: Rows, columns: Rows, detections: list[Detection]) -> Floats:
        if not len(rows) or not len(columns):
            return np.zeros((len(rows), len(columns)))
        predicted = grown(corners(self._filter.mean[rows, :4]), self._settings.growth)
        boxes = grown(self._corners([detections[j] for j in columns]), self._settings.growth)
        tracks = [self._tracks[i] for i in rows]
        groups = np.array([track.group for track in tracks])
        others = np.array([group_of(detections[j].class_name) for j in columns])
        voted = np.array([track.votes.winner for track in tracks])
        classes = np.array([detections[j].class_name for j in columns])
        weight = np.where(voted[:, None] == classes[None, :], 1.0, self._settings.other_class)
        similarity: Floats = np.where(groups[:, None] == others[None, :], weight, 0.0)
        return similarity * overlaps(predicted, boxes)

    def _corners(self, detections: list[Detection]) -> Floats:
        boxes: Floats = np.array([d.box for d in detections]).reshape(-1, 4) * self._scale
        return boxes

    def _measured(self, detections: list[Detection]) -> Floats:
        return centres(self._corners(detections))

    def _observe(self, track: _Track, time_s: float, detection: Detection) -> None:
        x1, y1, x2, y2 = detection.box
        track.seen_s = time_s
        track.observations += 1
        track.is_at_edge = min(detection.box) <= EDGE or max(detection.box) >= 1 - EDGE
        track.confidence = max(track.confidence, detection.confidence)
        is_cut_face = track.is_at_edge and self._mask_state(detection.class_name) is not None
        weight = CUT_FACE_WEIGHT if is_cut_face else 1.0
        track.votes.add(detection.class_name, detection.confidence, (x2 - x1) * (y2 - y1) * weight)

    def _begin(
        self, time_s: float, detections: list[Detection], free: list[int]
    ) -> list[tuple[_Track, Detection]]:
        chosen = [detections[i] for i in free if detections[i].confidence >= self._settings.begin]
        if not chosen:
            return []
        self._filter.add(self._measured(chosen))
        begun = []
        for detection in chosen:
            track = _Track(self._next, group_of(detection.class_name), time_s)
            self._next += 1
            self._observe(track, time_s, detection)
            self._tracks.append(track)
            begun.append((track, detection))
        return begun

    def _close(self, time_s: float) -> tuple[int, ...]:
        """Drop tracks that are lost for long, and unconfirmed ones at once; name the confirmed ones."""
        settings = self._settings
        keep = np.array([self._stays(track, time_s) for track in self._tracks], bool)
        ended = [t for t, kept in zip(self._tracks, keep, strict=True) if not kept]
        self._tracks = [t for t, kept in zip(self._tracks, keep, strict=True) if kept]
        self._filter.keep(keep)
        return tuple(t.number for t in ended if t.observations >= settings.confirm)

    def _stays(self, track: _Track, time_s: float) -> bool:
        if track.observations < self._settings.confirm:
            return track.seen_s == time_s
        settings = self._settings
        keep_s = settings.keep_left_s if track.is_at_edge else settings.keep_lost_s
        return time_s - track.seen_s <= keep_s + 1e-6

    def _is_confirmed(self, track: _Track) -> bool:
        return track.observations >= self._settings.confirm

    def _observed(self, track: _Track, detection: Detection) -> TrackedObject:
        voted = track.votes.winner
        mask = self._mask_state(voted)
        return TrackedObject(track.number, detection.box, voted, detection.confidence, mask)

    def _mask_state(self, class_name: str) -> str | None:
        return mask_state(class_name) if self._has_masks else None


def grown(boxes: Floats, share: float) -> Floats:
    """Grow boxes on each side by a share of their size (the buffer of C-BIoU, Yang et al., WACV 2023)."""
    margin = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.hstack([boxes[:, :2] - margin, boxes[:, 2:] + margin])


def assign(similarity: Floats, least: float) -> tuple[Rows, Rows]:
    """Pair rows with columns so that the sum of similarities is greatest; pairs below least are left out."""
    if not similarity.size:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    usable = np.where(similarity >= least, similarity, -1.0)
    rows, columns = linear_sum_assignment(-usable)
    good = usable[rows, columns] >= least
    return rows[good], columns[good]
