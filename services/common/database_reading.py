"""Reading of what was recorded; each query carries a range of time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from services.common.database_documents import (
    crossing_from,
    date_of,
    milliseconds,
    minute_from,
    minute_of,
    seconds_of,
    status_from,
    trajectory_from,
)
from services.common.database_link import DatabaseLink
from services.common.database_repeats import RepeatTables
from services.common.database_schema import ANALYSED, CROSSINGS, MINUTES, STATUSES, TRAJECTORIES
from services.core.passes import seen_once
from services.core.types import Crossing, MinuteCount, StatusChange, Trajectory

FIRST_WINDOW_S = 3600.0
STATUS_LOOK_BACK_S = 90 * 86_400.0
LONGEST_TRACK_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two crossings in the order newest first: what comes after this one."""

    time_s: float
    id: str


class ReadTables(RepeatTables):
    """Reads of the records by camera and time; the spans include their start and not their end."""

    _link: DatabaseLink

    async def minute_counts(
        self, camera: str, from_s: float, to_s: float, line: str | None = None
    ) -> list[MinuteCount]:
        """Give the counted minutes that begin in a span, in the order of time."""
        with self._link.guarded():
            query = _span(camera, from_s, to_s, line)
            found = self._link.collection(MINUTES).find(query).sort([("time", 1)])
            return [minute_from(document) async for document in found]

    async def crossings(
        self, camera: str, from_s: float, to_s: float, line: str | None = None, after: Place | None = None
    ) -> AsyncIterator[Crossing]:
        """Give crossings, newest first; `after` goes on behind that place.

        Walks back in windows that grow, so that the newest come at once from a span of any length.
        """
        end_s = to_s if after is None else min(to_s, after.time_s + 0.001)
        window_s = FIRST_WINDOW_S
        while end_s > from_s:
            start_s = max(from_s, end_s - window_s)
            with self._link.guarded():
                query = _span(camera, start_s, end_s, line)
                found = self._link.collection(CROSSINGS).find(query).sort([("time", -1), ("_id", -1)])
                async for document in found:
                    crossing = crossing_from(document)
                    if after is None or _is_behind(crossing, after):
                        yield crossing
            end_s, window_s = start_s, window_s * 2

    async def analysed_minutes(self, camera: str, from_s: float, to_s: float) -> dict[int, int]:
        """Give the analysed seconds by minute since 1970: bit n stands for its second n.

        Seconds that come twice are none: what was analysed is one of the two.
        """
        span = _span(camera, from_s // 60 * 60, to_s)
        repeats = await self.repeats(camera, from_s // 60 * 60, to_s)
        minutes: dict[int, int] = {}
        with self._link.guarded():
            async for document in self._link.collection(ANALYSED).find(span, ["time", "seconds"]):
                minute = minute_of(seconds_of(document["time"]))
                found = sum(1 << second for second in document["seconds"])
                minutes[minute] = minutes.get(minute, 0) | seen_once(minute, found, repeats)
        return minutes

    async def statuses(self, camera: str, from_s: float, to_s: float) -> list[StatusChange]:
        """Give the status that held at the start of a span and its changes, in the order of time."""
        table = self._link.collection(STATUSES)
        before = _span(camera, from_s - STATUS_LOOK_BACK_S, from_s)
        with self._link.guarded():
            held = await table.find(before).sort([("time", -1)]).limit(1).to_list()
            changes = await table.find(_span(camera, from_s, to_s)).sort([("time", 1)]).to_list()
        return [status_from(document) for document in (*held, *changes)]

    async def trajectories(self, camera: str, from_s: float, to_s: float) -> AsyncIterator[Trajectory]:
        """Give the closed tracks that were seen in a span, in the order of their ends."""
        query = _span(camera, from_s, to_s + LONGEST_TRACK_S) | {"start": {"$lt": date_of(to_s)}}
        with self._link.guarded():
            async for document in self._link.collection(TRAJECTORIES).find(query).sort([("time", 1)]):
                yield trajectory_from(document)


def _span(camera: str, from_s: float, to_s: float, line: str | None = None) -> dict[str, Any]:
    query: dict[str, Any] = {"camera": camera, "time": {"$gte": date_of(from_s), "$lt": date_of(to_s)}}
    return query if line is None else query | {"line": line}


def _is_behind(crossing: Crossing, place: Place) -> bool:
    """Compare as the database sorts: by milliseconds, then by id."""
    return (milliseconds(crossing.time_s), crossing.id) < (milliseconds(place.time_s), place.id)
