"""What a source of video is: one connection, read to its end, as fast as it comes or as its clock runs."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from services.core.codecs import Codec
from services.core.limits import UNITS_PER_S_LIMIT

LARGEST_PAUSE_S = 1.0
"""A pacer that fell behind by more than this starts anew instead of hurrying."""

LONGEST_WAIT_S = 5.0
"""A step of the clock that is longer than this, and unlike the others, is a jump and is not waited for."""

STEPS_KEPT, UNUSUAL = 15, 4.0
"""Steps that show what is usual, and how many times longer a step is that is unlike them."""

LEAST_STEP_S = 1 / UNITS_PER_S_LIMIT
"""Units come no closer than this, whatever the stream's clock says, or where it has none."""


@dataclass(frozen=True, slots=True)
class SourceUnit:
    """One access unit as the source gives it: Annex B, key frames with their headers."""

    data: bytes
    is_keyframe: bool
    stream_s: float | None
    """The stream's own clock, None where the stream has none."""
    is_damaged: bool = False
    """Whether a part of it was lost on the way, or of a picture that it stands on."""
    codec: Codec = Codec.H264


class Connection(Protocol):
    """An open stream."""

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""

    def units(self) -> Iterator[SourceUnit]:
        """Give access units until the stream ends; StreamError when it breaks."""

    def close(self) -> None:
        """Let go of the stream; called by the thread that reads `units`, which FFmpeg demands."""


class Source(Protocol):
    """Where a camera's video comes from."""

    def connect(self) -> Connection:
        """Open the stream; StreamError says in plain words why it cannot, without secrets."""


@dataclass(slots=True)
class PacedConnection:
    """Lets an endless or a stored stream go by as fast as its clock runs."""

    inner: Connection
    now_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.inner.resolution

    def units(self) -> Iterator[SourceUnit]:
        """Give each unit when its time has come."""
        steps = _Steps()
        due_s = earliest_s = self.now_s()
        for unit in self.inner.units():
            now_s = self.now_s()
            due_s += 0.0 if unit.stream_s is None else steps.step_s(unit.stream_s)
            if now_s - due_s > LARGEST_PAUSE_S:
                due_s = now_s
            shown_s = max(due_s, earliest_s, now_s)
            self.sleep(shown_s - now_s)
            earliest_s = shown_s + LEAST_STEP_S
            yield unit

    def close(self) -> None:
        """Let go of the stream."""
        self.inner.close()


class _Steps:
    """Follows the clock of a stored stream: how long after its newest picture the next one is shown."""

    def __init__(self) -> None:
        self._newest_s: float | None = None
        self._before_s = -math.inf
        self._usual_s: deque[float] = deque(maxlen=STEPS_KEPT)

    def step_s(self, stream_s: float) -> float:
        """Take the next time of the stream; a jump, as where videos were joined, is a step as the others."""
        newest_s = self._newest_s
        if newest_s is None:
            self._newest_s = stream_s
            return 0.0
        if self._before_s < stream_s <= newest_s:  # it shows before the newest, or with it
            return 0.0
        usual_s = median(self._usual_s) if self._usual_s else 0.0
        step_s = stream_s - newest_s
        if step_s > 0:
            self._usual_s.append(step_s)
        is_jump = not 0 < step_s <= max(LONGEST_WAIT_S, UNUSUAL * usual_s)
        self._newest_s, self._before_s = stream_s, stream_s - usual_s if is_jump else newest_s
        return usual_s if is_jump else step_s
