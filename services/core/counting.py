"""Counting: observed positions of tracks in, crossings out. Pure: no clock, no I/O."""

from dataclasses import dataclass, field

from services.core.geometry import DirectedLine, anchor_point
from services.core.types import Direction, Line, LineId, Point, TrackedFrame

BAND = 0.02
"""Half width of the band around a line, in picture heights: inside it a side is not clear."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A track went through a line: what geometry alone can say of a crossing."""

    line: Line
    track: int
    time_s: float
    direction: Direction
    along: float
    number: int
    """Counts the passages of this track through this line from 1."""


@dataclass(slots=True)
class _Progress:
    """What is known of one track at one line."""

    first_s: float
    """When the track was seen first."""
    time_s: float
    point: Point
    clear_side: int = 0
    """The side on which the track was clearly seen last; 0 before that."""
    net: int = 0
    """Meetings with the finite line since then, forward minus backward."""
    met: tuple[float, float] | None = None
    """Time and place of the meeting that counts if the track gets clear of the line now."""
    beyond_s: float = 0.0
    """Time spent beyond the line since that meeting, less the time back on the old side."""
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A track met the line that was never seen clear of it: nobody knows whether that was a crossing."""

    first_s: float
    """When the track was seen first."""
    time_s: float
    line: LineId


@dataclass(slots=True)
class LineCounter:
    """Counts the tracks of one camera at one line.

    A track counts when it was clearly on both sides and its observed path led through the finite line.
    The band keeps a vehicle that waits on the line from counting more than once, and the time of
    crossing is that meeting after which the track was mostly beyond the line, so that a box that
    trembles on the line does not move it.
    """

    line: Line
    """May be replaced by another version with the same points and anchor: all that is known stays."""
    aspect: float
    _geometry: DirectedLine = field(init=False)
    _progress: dict[int, _Progress] = field(init=False, default_factory=dict)
    unexplained: list[Unexplained] = field(init=False, default_factory=list)
    """The meetings of the newest frame that are no passages because their tracks began on the line."""

    def __post_init__(self) -> None:
        self._geometry = DirectedLine(self.line.points, self.aspect)

    def update(self, frame: TrackedFrame) -> list[Passage]:
        """Take the observed tracks of one frame and give the passages that became certain with it."""
        passages = []
        self.unexplained = []
        for item in frame.objects:
            x, y = anchor_point(item.box, self.line.anchor)
            passage = self._step(item.track, frame.time_s, (x * self.aspect, y))
            if passage is not None:
                passages.append(passage)
        return passages

    def undecided_s(self) -> list[float]:
        """Give the times of meetings that become passages if their tracks get clear of the line."""
        return [progress.met[0] for progress in self._progress.values() if progress.met is not None]

    def forget(self, track: int) -> None:
        """Drop what is known of a track that is closed."""
        self._progress.pop(track, None)

    def _step(self, track: int, time_s: float, point: Point) -> Passage | None:
        distance = self._geometry.signed_distance(point)
        side = 0 if abs(distance) <= BAND else (1 if distance > 0 else -1)
        progress = self._progress.get(track)
        if progress is None:
            self._progress[track] = _Progress(time_s, time_s, point, clear_side=side)
            return None
        self._follow(progress, time_s, point)
        if side == 0:
            return None
        passage = self._passage(track, progress, side)
        progress.clear_side, progress.net, progress.met, progress.beyond_s = side, 0, None, 0.0
        return passage

    def _follow(self, progress: _Progress, time_s: float, point: Point) -> None:
        """Lead the path on to a new observed position."""
        step_s = time_s - progress.time_s
        for meeting in self._geometry.meetings(progress.point, point):
            progress.net += meeting.sign
            meeting_s = progress.time_s + meeting.fraction * step_s
            if progress.clear_side == 0:
                self.unexplained.append(Unexplained(progress.first_s, meeting_s, self.line.id))
            elif progress.met is None and progress.net * progress.clear_side < 0:
                progress.met = (meeting_s, meeting.along)
                progress.beyond_s = 0.0
        if progress.met is not None:
            progress.beyond_s += step_s if progress.net else -step_s
            if progress.beyond_s < 0:
                progress.met = None
        progress.time_s, progress.point = time_s, point

    def _passage(self, track: int, progress: _Progress, side: int) -> Passage | None:
        if progress.clear_side != -side or progress.net != side or progress.met is None:
            return None
        progress.passages += 1
        time_s, along = progress.met
        direction: Direction = "forward" if side > 0 else "backward"
        return Passage(self.line, track, time_s, direction, along, progress.passages)
