"""What a source of video is: one connection, read to its end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SourceUnit:
    """One access unit as the source gives it: H.264, Annex B, key frames with their headers."""

    data: bytes
    is_keyframe: bool
    stream_s: float | None
    """The stream's own clock, None where the stream tells none."""


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
