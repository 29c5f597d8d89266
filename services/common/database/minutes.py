"""Minutes: counted from the crossings in the database, so that nothing can make them wrong for good."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby

from pymongo import DeleteMany, ReplaceOne

from services.common.database.documents import date_of, minute_document, minute_of, seconds_of
from services.common.database.generations import generations_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import CROSSINGS, LATE, LATE_S, META, MINUTES, RETENTION
from services.core.types import CameraId, LineId, MinuteCount

Minute = tuple[str, int]
"""A camera and a minute since 1970."""

Counts = Mapping[tuple[str, int, int], MinuteCount]
"""Counts by line, minute and generation of the camera."""


class Minutes:
    """Recounts minutes that were touched."""

    def __init__(self, link: DatabaseLink, now_s: Callable[[], float]) -> None:
        self._link, self._now_s = link, now_s

    async def recompute_minutes(self, touched: Iterable[Minute]) -> None:
        """Count minutes from their crossings and replace them; one without crossings goes.

        Minutes whose crossings are not kept any more stay as they are.
        """
        wanted = set(touched)
        if not wanted:
            return
        with self._link.guarded():
            deleted_s = await self.deleted_before_s()
            oldest = -math.inf if deleted_s is None else minute_of(deleted_s)
            for camera, first, last in _runs(item for item in wanted if item[1] >= oldest):
                await self._recompute(camera, first, last)
            await self.note_late(wanted)

    async def note_late(self, touched: Iterable[Minute]) -> None:
        """Note whose minutes were changed when they were long past, after that is done."""
        late = minute_of(self._now_s() - LATE_S)
        cameras = {camera for camera, minute in touched if minute < late}
        if cameras:
            changes = {"$inc": {f"cameras.{camera}": 1 for camera in sorted(cameras)}}
            await self._link.collection(META).update_one({"_id": LATE}, changes, upsert=True)

    async def note_deleted(self, collection: str, time_s: float) -> None:
        """Note up to which time records of a kind are deleted, before that is done; it never goes back."""
        known_s = await self.deleted_before_s(collection) or 0.0
        changes = {"$set": {f"deleted.{collection}": date_of(max(known_s, time_s))}}
        await self._link.collection(META).update_one({"_id": RETENTION}, changes, upsert=True)

    async def deleted_before_s(self, collection: str = CROSSINGS) -> float | None:
        """Give the time up to which crossings, or others, have been deleted; None where none have been.

        A time that is still to come is that of a clock that was ahead: it says nothing of new crossings.
        """
        known = await self._link.collection(META).find_one({"_id": RETENTION}) or {}
        deleted = known.get("deleted", {}).get(collection)
        deleted_s = None if deleted is None else seconds_of(deleted)
        return None if deleted_s is None or deleted_s > self._now_s() else deleted_s

    async def _recompute(self, camera: str, first: int, last: int) -> None:
        """Write and count again until both agree: another store may write crossings of the same minutes."""
        written: Counts | None = None
        while (counts := await self._count(camera, first, last)) != written:
            documents = [minute_document(count) for count in counts.values()]
            empty = _span(camera, first, last) | {"_id": {"$nin": [item["_id"] for item in documents]}}
            changes: list[DeleteMany | ReplaceOne[Document]] = [DeleteMany(empty)]
            changes += [ReplaceOne({"_id": item["_id"]}, item, upsert=True) for item in documents]
            await self._link.collection(MINUTES).bulk_write(changes, ordered=False)
            written = counts

    async def _count(self, camera: str, first: int, last: int) -> Counts:
        fields = ["line", "time", "direction", "class", "epoch"]
        counts: dict[tuple[str, int, int], MinuteCount] = {}
        generations = await asyncio.to_thread(generations_of, self._link, camera)
        async for found in self._link.collection(CROSSINGS).find(_span(camera, first, last), fields):
            line, minute = found["line"], minute_of(seconds_of(found["time"]))
            generation = next((item.number for item in generations if item.has(found["epoch"])), 1)
            count = counts.setdefault(
                (line, minute, generation),
                MinuteCount(CameraId(camera), LineId(line), minute, generation=generation),
            )
            by_class = count.forward if found["direction"] == "forward" else count.backward
            by_class[found["class"]] = by_class.get(found["class"], 0) + 1
        return counts


def _span(camera: str, first: int, last: int) -> Document:
    return {"camera": camera, "time": {"$gte": date_of(first * 60), "$lt": date_of((last + 1) * 60)}}


def _runs(touched: Iterable[Minute]) -> list[tuple[str, int, int]]:
    """Join neighbouring minutes of a camera, so that each run costs one query."""
    runs = []
    places = enumerate(sorted(set(touched)))
    for (camera, _), group in groupby(places, key=lambda item: (item[1][0], item[1][1] - item[0])):
        minutes = [minute for _, (_, minute) in group]
        runs.append((camera, minutes[0], minutes[-1]))
    return runs
