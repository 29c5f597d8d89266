"""Who owned a camera from when on, and the removal of what an older epoch reported after that.

Each camera has one document with its highest epoch, which is never forgotten, and the ownerships that may
still fence late events.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import DeleteOne, ReplaceOne, UpdateOne

from services.common.database_documents import (
    EPOCH,
    date_of,
    minute_of,
    ownerships_from,
    seconds_of,
    trajectory_document,
    trajectory_from,
)
from services.common.database_link import DatabaseLink, Document
from services.common.database_schema import ANALYSED, CROSSINGS, EPOCHS, TRAJECTORIES
from services.core.fencing import Ownerships, admitted, in_force
from services.core.types import CameraId, Ownership, Trajectory

Minute = tuple[str, int]
"""A camera and a minute since 1970."""

LATE_S = 7 * 86_400.0
"""Events may come this late: the longest that the bus keeps them."""

KEPT_OWNERSHIPS = 1000
"""Ownerships kept of one camera; more within a week are a fault, and the oldest of them go."""


class OwnershipTables:
    """Keeps ownerships and enforces them on what was written before they were known."""

    _link: DatabaseLink
    _now_s: Callable[[], float]

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

    async def _keep_ownerships(self, owned: Sequence[Ownership]) -> None:
        """Write ownerships, whatever their order and however often, and drop those that are of no use."""
        if not owned:
            return
        with self._link.guarded():
            await self._link.collection(EPOCHS).bulk_write([_kept(item) for item in owned], ordered=False)
            for camera, known in (await self.ownerships(item.camera for item in owned)).items():
                useful = in_force(known, self._now_s() - LATE_S)[-KEPT_OWNERSHIPS:]
                useless = {item.epoch for item in known} - {item.epoch for item in useful}
                if useless:
                    fields = {f"ownerships.{epoch}": "" for epoch in useless}
                    await self._link.collection(EPOCHS).update_one({"_id": camera}, {"$unset": fields})

    async def _fenced_minutes(self, owned: Iterable[Ownership]) -> set[Minute]:
        """Give the minutes that hold crossings which these ownerships do not allow."""
        touched: set[Minute] = set()
        for item in owned:
            found = self._link.collection(CROSSINGS).find(_after(item), ["time"])
            async for document in found:
                touched.add((item.camera, minute_of(seconds_of(document["time"]))))
        return touched

    async def _remove_fenced(self, owned: Iterable[Ownership]) -> int:
        """Remove what these ownerships do not allow, and give the number of crossings; repeatable."""
        removed = 0
        for item in owned:
            removed += (await self._link.collection(CROSSINGS).delete_many(_after(item))).deleted_count
            await self._cut_trajectories(item)
            await self._take_evidence(item)
        return removed

    async def _cut_trajectories(self, owned: Ownership) -> None:
        changes: list[DeleteOne | ReplaceOne[Document]] = []
        async for document in self._link.collection(TRAJECTORIES).find(_after(owned)):
            rest = admitted(trajectory_from(document), {owned.camera: [owned]})
            changes.append(
                ReplaceOne({"_id": document["_id"]}, trajectory_document(rest))
                if isinstance(rest, Trajectory)
                else DeleteOne({"_id": document["_id"]})
            )
        if changes:
            await self._link.collection(TRAJECTORIES).bulk_write(changes, ordered=False)

    async def _take_evidence(self, owned: Ownership) -> None:
        """Take back the evidence of all seconds that do not end before the ownership."""
        minute, second = divmod(int(owned.from_s), 60)
        begin = date_of(minute * 60)
        table = self._link.collection(ANALYSED)
        await table.delete_many(_after(owned) | {"time": {"$gt": begin, "$lte": _FAR}})
        await table.update_many(
            _after(owned) | {"time": {"$gte": begin, "$lte": begin}}, {"$pull": {"seconds": {"$gte": second}}}
        )


_FAR = datetime(9999, 1, 1, tzinfo=UTC) - timedelta(days=1)


def _after(owned: Ownership) -> dict[str, Any]:
    """Match what older epochs reported of the time of an ownership."""
    return {
        "camera": owned.camera,
        "time": {"$gte": date_of(owned.from_s), "$lte": _FAR},
        "epoch": {"$gt": 0, "$lt": owned.epoch},
    }


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
