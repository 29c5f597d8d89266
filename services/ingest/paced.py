"""A stream that goes by as fast as its own clock runs."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from services.ingest.source import Connection, SourceUnit

LARGEST_PAUSE_S = 1.0
"""A pacer that fell behind by more than this starts anew instead of hurrying."""


@dataclass(slots=True)
class PacedConnection:
    """Lets an endless or a stored stream go by as fast as its clock runs."""

    inner: Connection

    @property
    def resolution(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.inner.resolution

    def units(self) -> Iterator[SourceUnit]:
        """Give each unit when its time has come."""
        offset_s: float | None = None
        for unit in self.inner.units():
            if unit.stream_s is not None:
                now_s = time.monotonic()
                if offset_s is None or now_s - (offset_s + unit.stream_s) > LARGEST_PAUSE_S:
                    offset_s = now_s - unit.stream_s
                time.sleep(max(0.0, offset_s + unit.stream_s - now_s))
            yield unit

    def close(self) -> None:
        """Let go of the stream."""
        self.inner.close()
