"""Reads of records for tests."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from itertools import islice

from services.common.database.reading import BATCH, CrossingCursor, CrossingSelection, Records
from services.core.types import Crossing, MinuteCount, StatusChange, Trajectory


class RecordReader:
    """The same reads for the event loop of a test, with all that they give in memory."""

    def __init__(self, records: Callable[[float], Records]) -> None:
        self._records = records

    def for_thread(self, limit_s: float = math.inf) -> Records:
        """Give reads that a thread may do, for so long."""
        return self._records(limit_s)

    async def minute_counts(
        self, camera: str, from_s: float, to_s: float, line: str | None = None
    ) -> list[MinuteCount]:
        """Give the counted minutes that begin in a span, in the order of time."""
        return await asyncio.to_thread(
            lambda: list(self.for_thread().minute_counts(camera, from_s, to_s, (line,) if line else ()))
        )

    async def crossings(
        self,
        camera: str,
        from_s: float,
        to_s: float,
        line: str | None = None,
        after: CrossingCursor | None = None,
    ) -> AsyncIterator[Crossing]:
        """Give crossings, newest first; `after` goes on behind that place."""
        found = self.for_thread().crossings(
            camera, from_s, to_s, CrossingSelection((line,) if line else ()), after
        )
        while crossings := await asyncio.to_thread(lambda: list(islice(found, BATCH))):
            for crossing in crossings:
                yield crossing

    async def analysed_minutes(self, camera: str, from_s: float, to_s: float) -> dict[int, int]:
        """Give the analysed seconds by minute since 1970: bit n stands for its second n.

        Seconds that come twice are none: what was analysed is one of the two.
        """
        return await asyncio.to_thread(self._analysed_minutes, camera, from_s, to_s)

    def _analysed_minutes(self, camera: str, from_s: float, to_s: float) -> dict[int, int]:
        minutes: dict[int, int] = {}
        for minute, seconds in self.for_thread().analysed_minutes(camera, from_s, to_s):
            minutes[minute] = minutes.get(minute, 0) | seconds
        return minutes

    async def statuses(self, camera: str, from_s: float, to_s: float) -> list[StatusChange]:
        """Give the status that was in force at the start of a span and its changes, in the order of time."""
        return await asyncio.to_thread(self.for_thread().statuses, camera, from_s, to_s)

    async def recountable_minutes(self, camera: str, from_s: float, to_s: float) -> dict[int, int]:
        """Give the seconds that can be counted again, by minute since 1970: bit n stands for its second n."""
        return await asyncio.to_thread(
            lambda: dict(self.for_thread().recountable_minutes(camera, from_s, to_s))
        )

    async def trajectories(self, camera: str, from_s: float, to_s: float) -> AsyncIterator[Trajectory]:
        """Give the tracks that were seen in a span, their pieces joined, in the order of their ends."""
        found = self.for_thread().trajectories(camera, from_s, to_s)
        while tracks := await asyncio.to_thread(lambda: list(islice(found, BATCH))):
            for track in tracks:
                yield track
