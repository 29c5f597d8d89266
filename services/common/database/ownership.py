"""Who owned a camera from when on, and the removal of what an older epoch reported after that.

Each camera has one document with its highest epoch, which is never forgotten, and the ownerships that may
still fence late events.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from services.common.database.documents import (
    EPOCH,
    FAR,
    date_of,
    minute_of,
    ownerships_from,
    seconds_of,
    trajectory_document,
    trajectory_from,
)
from services.common.database.link import DatabaseLink, Document
from services.common.database.minutes import Minute
from services.common.database.repeats import RepeatReader, older_than
from services.common.database.schema import ANALYSED, CROSSINGS, EPOCHS, TRAJECTORIES
from services.core.evidence.fencing import Ownerships, admitted, in_force
from services.core.types import CameraId, Ownership, RepeatedSpan, Trajectory

LATE_S = 7 * 86_400.0
"""Events may come this late: the longest that the bus keeps them."""

KEPT_OWNERSHIPS = 1000
"""Ownerships kept of one camera; more within a week are a fault, and the oldest of them go."""


class OwnershipReader:
    """Reads who owned a camera from when on."""

    def __init__(self, link: DatabaseLink) -> None:
        self._link = link

    async def highest_epoch(self, camera: CameraId) -> int:
        """Give the highest epoch announced of a camera, also of a deleted one; 0 before the first."""
        with self._link.guarded():
            document = await self._link.collection(EPOCHS).find_one({"_id": camera})
        return int(document["epoch"]) if document else 0

    async def highest_epochs(self) -> dict[str, int]:
        """Give the highest epoch of each camera of which one was announced."""
        with self._link.guarded():
            found = self._link.collection(EPOCHS).find({"time": {"$gte": EPOCH}}, ["epoch"])
            return {document["_id"]: int(document["epoch"]) async for document in found}

    async def ownerships(self, cameras: Iterable[CameraId]) -> Ownerships:
        """Give the known ownerships of some cameras, by epoch."""
        wanted = sorted(set(cameras))
        if not wanted:
            return {}
        with self._link.guarded():
            found = await self._link.collection(EPOCHS).find({"_id": {"$in": wanted}}).to_list()
        return {document["_id"]: ownerships_from(document) for document in found}


class Fences:
    """Keeps ownerships and enforces them on what was written before they were known."""

    def __init__(
        self,
        link: DatabaseLink,
        ownerships: OwnershipReader,
        repeats: RepeatReader,
        now_s: Callable[[], float],
    ) -> None:
        self._link, self._ownerships, self._repeats, self._now_s = link, ownerships, repeats, now_s

    async def keep_ownerships(self, owned: Sequence[Ownership]) -> None:
        """Write ownerships, whatever their order and however often, and drop those that are of no use."""
        if not owned:
            return
        with self._link.guarded():
            await self._link.collection(EPOCHS).bulk_write([_kept(item) for item in owned], ordered=False)
            for camera, known in (await self._ownerships.ownerships(item.camera for item in owned)).items():
                useful = in_force(known, self._now_s() - LATE_S)[-KEPT_OWNERSHIPS:]
                useless = {item.epoch for item in known} - {item.epoch for item in useful}
                if useless:
                    fields = {f"ownerships.{epoch}": "" for epoch in useless}
                    await self._link.collection(EPOCHS).update_one({"_id": camera}, {"$unset": fields})

    async def fenced_minutes(self, owned: Iterable[Ownership]) -> set[Minute]:
        """Give the minutes that hold crossings which these ownerships do not allow."""
        touched: set[Minute] = set()
        for item in owned:
            for fenced in await self._fenced(item):
                async for document in self._link.collection(CROSSINGS).find(fenced, ["time"]):
                    touched.add((item.camera, minute_of(seconds_of(document["time"]))))
        return touched

    async def remove_fenced(self, owned: Iterable[Ownership]) -> int:
        """Remove what these ownerships do not allow, and give the number of crossings; repeatable."""
        removed = 0
        for item in owned:
            for fenced in await self._fenced(item):
                removed += (await self._link.collection(CROSSINGS).delete_many(fenced)).deleted_count
                await self._take_evidence(fenced)
            await self._cut_trajectories(item)
        return removed

    async def _fenced(self, owned: Ownership) -> list[Document]:
        """Match what an ownership does not allow: all of older epochs from its time on, but first passes."""
        repeats = await self._repeats.repeats(owned.camera, owned.from_s, seconds_of(FAR))
        return [
            older_than(owned, from_s, to_s)
            for from_s, to_s in _outside([span for span in repeats if 0 < span.epoch < owned.epoch], owned)
        ]

    async def _cut_trajectories(self, owned: Ownership) -> None:
        changes: list[DeleteOne | ReplaceOne[Document]] = []
        repeats = {owned.camera: await self._repeats.repeats(owned.camera, 0.0, seconds_of(FAR))}
        async for document in self._link.collection(TRAJECTORIES).find(older_than(owned, owned.from_s)):
            trajectory = trajectory_from(document)
            rest = admitted(trajectory, {owned.camera: [owned]}, repeats)
            if rest is trajectory:
                continue
            changes.append(
                ReplaceOne({"_id": document["_id"]}, trajectory_document(rest))
                if isinstance(rest, Trajectory)
                else DeleteOne({"_id": document["_id"]})
            )
        if changes:
            await self._link.collection(TRAJECTORIES).bulk_write(changes, ordered=False)

    async def _take_evidence(self, fenced: Document) -> None:
        """Take back what is said of all seconds of a span, also of those that are in it in part."""
        from_s = seconds_of(fenced["time"]["$gte"])
        minute, second = divmod(int(from_s), 60)
        begin, end = date_of(minute * 60), fenced["time"].get("$lt")
        table = self._link.collection(ANALYSED)
        end_minute = FAR if end is None else date_of(seconds_of(end) // 60 * 60)
        await table.delete_many(fenced | {"time": {"$gt": begin, "$lt": end_minute}})
        ends = {} if end is None else {"$lt": int(seconds_of(end) % 60)}
        edges = [(begin, {"$gte": second} | (ends if end_minute == begin else {}))]
        if end is not None and end_minute != begin:
            edges.append((end_minute, ends))
        for date, seconds in edges:
            await table.update_many(
                fenced | {"time": {"$gte": date, "$lte": date}},
                {"$pull": {"seconds": seconds, "positions": seconds}},
            )


def _outside(repeats: Sequence[RepeatedSpan], owned: Ownership) -> Iterator[tuple[float, float | None]]:
    """Give what is left of the time from an ownership on without some spans; None is without end."""
    from_s = owned.from_s
    for span in sorted(repeats, key=lambda item: item.from_s):
        if span.from_s > from_s:
            yield from_s, span.from_s
        from_s = max(from_s, span.to_s)
    yield from_s, None


def _kept(owned: Ownership) -> UpdateOne:
    from_date = date_of(owned.from_s)
    return UpdateOne(
        {"_id": owned.camera},
        {
            "$max": {"epoch": owned.epoch, "time": from_date},
            "$min": {f"ownerships.{owned.epoch}": from_date},
        },
        upsert=True,
    )
