"""What of a video file could not be counted: pure."""

import math
from dataclasses import dataclass, field
from typing import Literal

from services.core.evidence.seconds import HOLE_S

DOUBT_S = 1.0
"""What a container lacks shows in its pictures as much later: some wait in the decoder."""

GapCause = Literal["damaged", "no-pictures", "cut-off"]

LEAST_END_S = 0.25
"""A file that ends this much before its declared length is whole: lengths are rounded, and those of sound."""

HOLE_PERIODS = 3.0
"""A file of few pictures a second has no hole between each two of them."""


@dataclass(frozen=True, slots=True)
class ClipGap:
    """A span that was not counted, in seconds from the beginning, and why."""

    from_s: float
    to_s: float
    cause: GapCause


@dataclass(frozen=True, slots=True)
class PictureState:
    """What the decoder says of a picture."""

    is_key: bool = False
    """Whether it stands on no other picture."""
    is_damaged: bool = False
    has_lost: bool = False
    """Whether others before it could not be decoded."""
    is_doubtful: bool = False
    """Whether the container is said to lack something about here; files that were joined say so too."""


@dataclass(slots=True)
class ClipGaps:
    """Collects the gaps of a file while it is read, in the order of its pictures."""

    period_s: float
    gaps: list[ClipGap] = field(default_factory=list)
    _end_s: float | None = None
    """When the newest picture was over."""
    _begun_s: float = math.inf
    """The time of the newest picture."""
    _doubtful_until_s: float = -math.inf
    _is_broken: bool = False
    """Whether pictures stand on damaged ones."""

    def see(self, time_s: float, duration_s: float, picture: PictureState) -> None:
        """Take a picture, and for how long it is shown by the file's own words; 0: it says nothing."""
        last_s, step_s, was_broken = self._end_s, time_s - self._begun_s, self._is_broken
        has_hole = step_s > max(HOLE_S, HOLE_PERIODS * self.period_s)
        if picture.is_doubtful:
            self._doubtful_until_s = time_s + DOUBT_S
        has_lost = picture.has_lost or (time_s <= self._doubtful_until_s and step_s > 1.5 * self.period_s)
        if picture.is_damaged or picture.is_key:
            self._is_broken = picture.is_damaged
        elif has_lost:
            self._is_broken = True
        is_damage = was_broken or has_lost or picture.is_damaged
        if last_s is not None and (has_hole or is_damage):
            self._add(last_s, time_s, "damaged" if is_damage else "no-pictures")
        shown_s = duration_s if 0 < duration_s <= HOLE_S else self.period_s
        if self._is_broken:
            self._add(time_s, time_s + shown_s, "damaged")
        self._begun_s, self._end_s = time_s, time_s + shown_s

    @property
    def read_s(self) -> float:
        """When the newest picture was over, in seconds from the beginning."""
        return self._end_s or 0.0

    def end(self, declared_s: float | None, lost: int) -> float:
        """Take the length that the file declares, and how many pictures were lost at its end.

        Gives the length that counts, in seconds.
        """
        read_s = self.read_s
        if declared_s is not None and declared_s - read_s > max(LEAST_END_S, 2 * self.period_s):
            self._add(read_s, declared_s, "cut-off")
            return declared_s
        if lost:
            self._add(read_s, read_s + lost * self.period_s, "damaged")
        return read_s + lost * self.period_s

    def _add(self, from_s: float, to_s: float, cause: GapCause) -> None:
        last = self.gaps[-1] if self.gaps else None
        if last is not None:
            from_s = max(from_s, last.to_s)
        if to_s - from_s < 0.5 * self.period_s:
            return
        if last is not None and last.cause == cause and from_s - last.to_s < 0.5 * self.period_s:
            self.gaps[-1] = ClipGap(last.from_s, to_s, cause)
        else:
            self.gaps.append(ClipGap(from_s, to_s, cause))

    def coverage(self, length_s: float) -> float:
        """Give the share of a length that was counted."""
        missing_s = sum(gap.to_s - gap.from_s for gap in self.gaps)
        return 1.0 if length_s <= 0 else max(0.0, min(1.0, 1 - missing_s / length_s))
