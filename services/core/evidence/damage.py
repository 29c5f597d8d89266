"""How many of a camera's pictures come damaged, and whether that is too many to count. Pure.

A damaged picture is no evidence, so that each one may cost seconds; how many, and from where on most of the
time is lost, was measured (docs/adr/0043).
"""

from collections import deque
from dataclasses import dataclass, field

from services.core.sentences.sentence import Sentence, sentence

MOST_DAMAGED = 0.2
"""Share of the pictures from which most seconds are lost to counting."""

FEW_DAMAGED = 0.1
"""Share below which a camera that was damaged too much can be counted again."""

SPAN_S = 10.0
"""Over how long a share is measured that decides."""

NOTICE_S = 60.0
"""Over how long the share is measured that people read, and for how long it is said after the last one."""

SOME = sentence("camera-damaged-some")
"""Why seconds are no evidence here and there."""


@dataclass(slots=True)
class DamageMeter:
    """Follows the pictures of one camera by their capture times."""

    share: float = 0.0
    """Share of damaged pictures in the last minute, as of the end of the last span, in whole thousandths."""
    cause: Sentence | None = None
    """Why the camera cannot be counted, and what to do; None where it can."""
    pictures: int = 0
    """Pictures that came since it began."""
    damaged: int = 0
    """How many of them were damaged."""
    _spans: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=round(NOTICE_S / SPAN_S)))
    """Pictures of each span, and how many of them were damaged."""
    _began_s: float | None = None
    _before: tuple[int, int] = (0, 0)
    """Pictures, and damaged ones, before the span that is measured."""
    _published: tuple[Sentence | None, float] = (None, 0.0)

    @property
    def notice(self) -> Sentence | None:
        """What people are to know of the camera: the cause, or that some pictures came damaged."""
        return self.cause or (SOME if self.share > 0 or self.damaged > self._before[1] else None)

    def take_changes(self) -> tuple[bool, bool]:
        """Return whether what people are to know, and whether the share, has changed since the last call."""
        (notice, share), self._published = self._published, (self.notice, self.share)
        return notice != self.notice, share != self.share

    def see(self, time_s: float, is_damaged: bool) -> Sentence | None:
        """Take the next picture and give the cause as it is now."""
        if self._began_s is None or not self._began_s - SPAN_S <= time_s < self._began_s + NOTICE_S:
            self._began_s, self._before = time_s, (self.pictures, self.damaged)
        elif time_s >= self._began_s + SPAN_S:
            self._judge()
            self._began_s, self._before = time_s, (self.pictures, self.damaged)
        self.pictures += 1
        self.damaged += is_damaged
        return self.cause

    def _judge(self) -> None:
        """Measure anew at the end of a span; the cause keeps the share that it began with."""
        pictures, damaged = self.pictures - self._before[0], self.damaged - self._before[1]
        newest = damaged / pictures
        self._spans.append((pictures, damaged))
        self.share = round(sum(span[1] for span in self._spans) / sum(span[0] for span in self._spans), 3)
        if newest >= MOST_DAMAGED and self.cause is None:
            self.cause = sentence("camera-damaged", percent=round(100 * newest))
        elif newest < FEW_DAMAGED:
            self.cause = None
