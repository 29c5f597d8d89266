"""What a source of video is: one connection, read to its end, as fast as it comes or as its clock runs."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from services.core.limits import UNITS_PER_S_LIMIT

LARGEST_PAUSE_S = 1.0
"""A pacer that fell behind by more than this starts anew instead of hurrying."""

LONGEST_WAIT_S = 30.0
"""A stream whose clock jumps ahead by more than this is anchored anew."""

LEAST_STEP_S = 1 / UNITS_PER_S_LIMIT
"""Units come no closer than this, whatever the stream's clock says, or where it has none."""


@dataclass(frozen=True, slots=True)
class SourceUnit:
    """One access unit as the source gives it: H.264, Annex B, key frames with their headers."""

    data: bytes
    is_keyframe: bool
    stream_s: float | None
    """The stream's own clock, None where the stream has none."""
    is_damaged: bool = False
    """Whether a part of it was lost on the way, or of a picture that it stands on."""


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
        offset_s: float | None = None
        earliest_s = self.now_s()
        for unit in self.inner.units():
            now_s = due_s = self.now_s()
            if unit.stream_s is not None:
                if (
                    offset_s is None
                    or not -LARGEST_PAUSE_S < offset_s + unit.stream_s - now_s < LONGEST_WAIT_S
                ):
                    offset_s = now_s - unit.stream_s
                due_s = offset_s + unit.stream_s
            due_s = max(due_s, earliest_s)
            self.sleep(max(0.0, due_s - now_s))
            earliest_s = max(due_s, now_s) + LEAST_STEP_S
            yield unit

    def close(self) -> None:
        """Let go of the stream."""
        self.inner.close()
