"""Writing of events: each of them once, whatever is repeated, and minutes that agree with crossings.

Before crossings are written, the minutes that they touch are noted durably; after it these minutes are
counted anew. A process that ends between the two leaves the note, and `heal` counts them at the next start.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby

from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from services.common.database_documents import (
    analysed_place,
    crossing_document,
    date_of,
    minute_document,
    minute_of,
    seconds_of,
    status_document,
    trajectory_document,
)
from services.common.database_link import DatabaseLink, Document
from services.common.database_schema import ANALYSED, CROSSINGS, MINUTES, PENDING, STATUSES, TRAJECTORIES
from services.core.types import (
    AnalysedSecond,
    CameraId,
    Crossing,
    Event,
    LineId,
    MinuteCount,
    StatusChange,
    Trajectory,
)

DUPLICATE_KEY = 11_000
Minute = tuple[str, int]
"""A camera and a minute since 1970."""


class EventTables:
    """Writes what services report. One writer at a time keeps one note of unfinished minutes."""

    _link: DatabaseLink
    writer: str = "store"

    async def insert_events(self, events: Sequence[Event]) -> None:
        """Write events durably; those that are there already change nothing.

        Evidence of analysed seconds comes last, so that a second is never covered before its crossings
        are there. DatabaseUnavailableError leaves some of them written: hand in the same events again.
        """
        crossings = [event for event in events if isinstance(event, Crossing)]
        touched = {(crossing.camera, minute_of(crossing.time_s)) for crossing in crossings}
        with self._link.guarded():
            if crossings:
                await self._note(touched)
                await self._insert_new(CROSSINGS, [crossing_document(event) for event in crossings])
                await self.recompute_minutes(touched)
            tracks = [event for event in events if isinstance(event, Trajectory) and event.points]
            await self._insert_new(TRAJECTORIES, [trajectory_document(event) for event in tracks])
            changes = [status_document(event) for event in events if isinstance(event, StatusChange)]
            await self._insert_new(STATUSES, changes)
            await self._insert_analysed([event for event in events if isinstance(event, AnalysedSecond)])

    async def heal(self) -> None:
        """Count the minutes anew that a process left unfinished when it ended."""
        with self._link.guarded():
            note = await self._link.collection(PENDING).find_one({"_id": self.writer})
            if note is not None:
                await self.recompute_minutes({(camera, minute) for camera, minute in note["minutes"]})

    async def recompute_minutes(self, touched: Iterable[Minute]) -> None:
        """Count minutes from their crossings and replace them."""
        with self._link.guarded():
            for camera, first, last in _runs(touched):
                counts = await self._count(camera, first, last)
                changes = [
                    ReplaceOne({"_id": document["_id"]}, document, upsert=True)
                    for document in map(minute_document, counts)
                ]
                if changes:
                    await self._link.collection(MINUTES).bulk_write(changes, ordered=False)

    async def _note(self, touched: Iterable[Minute]) -> None:
        note = {"_id": self.writer, "minutes": [list(minute) for minute in sorted(touched)]}
        await self._link.collection(PENDING).replace_one({"_id": self.writer}, note, upsert=True)

    async def _insert_new(self, collection: str, documents: list[Document]) -> None:
        if not documents:
            return
        try:
            await self._link.collection(collection).insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            others = [failure for failure in details["writeErrors"] if failure["code"] != DUPLICATE_KEY]
            if others or details.get("writeConcernErrors"):
                raise

    async def _insert_analysed(self, seconds: Sequence[AnalysedSecond]) -> None:
        by_minute: dict[Minute, set[int]] = defaultdict(set)
        for second in seconds:
            by_minute[analysed_place(second)].add(second.second % 60)
        changes = [
            UpdateOne(
                {"_id": f"{camera}/{minute}"},
                {
                    "$setOnInsert": {"camera": camera, "time": date_of(minute * 60)},
                    "$addToSet": {"seconds": {"$each": sorted(found)}},
                },
                upsert=True,
            )
            for (camera, minute), found in by_minute.items()
        ]
        if changes:
            await self._link.collection(ANALYSED).bulk_write(changes, ordered=False)

    async def _count(self, camera: str, first: int, last: int) -> list[MinuteCount]:
        span = {"camera": camera, "time": {"$gte": date_of(first * 60), "$lt": date_of((last + 1) * 60)}}
        fields = ["line", "time", "direction", "class"]
        counts: dict[tuple[str, int], MinuteCount] = {}
        async for found in self._link.collection(CROSSINGS).find(span, fields):
            line, minute = found["line"], minute_of(seconds_of(found["time"]))
            count = counts.setdefault((line, minute), MinuteCount(CameraId(camera), LineId(line), minute))
            by_class = count.forward if found["direction"] == "forward" else count.backward
            by_class[found["class"]] = by_class.get(found["class"], 0) + 1
        return list(counts.values())


def _runs(touched: Iterable[Minute]) -> list[tuple[str, int, int]]:
    """Join neighbouring minutes of a camera, so that each run costs one query."""
    runs = []
    places = enumerate(sorted(set(touched)))
    for (camera, _), group in groupby(places, key=lambda item: (item[1][0], item[1][1] - item[0])):
        minutes = [minute for _, (_, minute) in group]
        runs.append((camera, minutes[0], minutes[-1]))
    return runs
