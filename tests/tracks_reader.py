"""Follows a camera's live tracks over the API, and remembers when each analysed frame was taken and heard."""

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from services.common.wire import parse_time


class TracksReader:
    """Frames as `(capture time, arrival)`, in seconds since 1970."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ended = threading.Event()
        self.frames: list[tuple[float, float]] = []

    @contextmanager
    def reading(self) -> Iterator["TracksReader"]:
        """Follow for the length of a context."""
        thread = threading.Thread(target=self._read)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def heard_after(self, time_s: float) -> tuple[float, float] | None:
        """Give the first frame that was heard after a time; its time may be a little ahead."""
        return next((frame for frame in list(self.frames) if frame[1] > time_s), None)

    def heard_before(self, time_s: float) -> tuple[float, float] | None:
        """Give the last frame that was heard before a time."""
        return next((frame for frame in reversed(list(self.frames)) if frame[1] <= time_s), None)

    def before(self, time_s: float) -> tuple[float, float] | None:
        """Give the last frame that was taken before a time."""
        return next((frame for frame in reversed(list(self.frames)) if frame[0] <= time_s), None)

    def largest_pause_s(self, from_s: float, to_s: float) -> float:
        """Give the longest time between two frames that follow each other within a span."""
        times = [taken_s for taken_s, _ in list(self.frames) if from_s <= taken_s <= to_s]
        return max((b - a for a, b in itertools.pairwise(times)), default=to_s - from_s)

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                with httpx.stream("GET", self._url, timeout=2) as answer:
                    for line in answer.iter_lines():
                        if self._ended.is_set():
                            return
                        if line.startswith("data: "):
                            taken_s = parse_time(json.loads(line[6:])["time"])
                            self.frames.append((taken_s, time.time()))
            except httpx.HTTPError:
                time.sleep(0.1)
