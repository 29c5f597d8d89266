"""Everything that lasts, out of one store and into another."""

from collections.abc import AsyncIterable, AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

from pymongo import ReplaceOne, UpdateOne

from services.common.database.documents import date_of, minute_of, seconds_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.minutes import Minute, Minutes
from services.common.database.schema import (
    CROSSINGS,
    EPOCHS,
    LASTING,
    META,
    PENDING,
    RESTORE,
    RETENTION,
    SCHEMA_VERSION,
    SESSIONS,
    TRAJECTORIES,
    Schema,
    check_version,
    check_whole,
)
from services.common.database.setups import ALL_TIME
from services.core.errors import BadInputError

BATCH = 500
RECOUNTED = timedelta(days=1)
"""Crossings that are newer than this before an export may have come while it ran."""


class Export:
    """Reads everything that lasts, document by document."""

    def __init__(self, link: DatabaseLink, now_s: Callable[[], float]) -> None:
        self._link, self._minutes = link, Minutes(link, now_s)

    async def export_documents(self) -> AsyncIterator[tuple[str, Document]]:
        """Give (collection, document) of everything that lasts, the schema's version first.

        May run while events are written: what comes meanwhile may be in it or not.
        """
        with self._link.guarded():
            deleted_s = await self._minutes.deleted_before_s(TRAJECTORIES)
        known = {} if deleted_s is None else {"positions_deleted": date_of(deleted_s)}
        yield META, {"_id": "schema", "version": SCHEMA_VERSION, "exported": datetime.now(UTC), **known}
        for collection in LASTING:
            async for document in self.iterate_all(collection):
                yield collection, document

    async def iterate_all(self, collection: str) -> AsyncIterator[Document]:
        """Give all documents of one collection."""
        with self._link.guarded():
            async for document in self._link.collection(collection).find(
                {"time": ALL_TIME}, batch_size=BATCH
            ):
                yield document


class Restore:
    """Writes everything that lasts, document by document. Meanwhile it alone may write."""

    def __init__(self, link: DatabaseLink, now_s: Callable[[], float]) -> None:
        self._link, self._minutes = link, Minutes(link, now_s)
        self._is_restoring = False
        self.schema = Schema(link, self._ensure_whole)
        """By which the process that restores may write."""

    async def _ensure_whole(self) -> None:
        if not self._is_restoring:
            await check_whole(self._link)

    async def begin_restore(self) -> None:
        """Keep everybody else from writing, until `end_restore`; also across an end of this process."""
        mark = {"_id": RESTORE, "time": datetime.now(UTC)}
        with self._link.guarded():
            await self._link.collection(META).replace_one({"_id": RESTORE}, mark, upsert=True)
        self._is_restoring = True

    async def end_restore(self) -> None:
        """Let everybody write again: the restore is whole."""
        with self._link.guarded():
            await self._link.collection(META).delete_one({"_id": RESTORE})
        self._is_restoring = False

    async def clear(self) -> None:
        """Delete everything that lasts, with sessions and notes of unfinished work."""
        with self._link.guarded():
            for collection in (*LASTING, PENDING, SESSIONS):
                await self._link.collection(collection).drop()

    async def import_documents(self, documents: AsyncIterable[tuple[str, Document]]) -> int:
        """Write exported documents over what is there and give their number; repeating it changes nothing.

        How long records were kept is forgotten: the store announces what it would delete of these.

        BadInputError when they are of a newer version or no export at all.
        """
        await self.schema.before_writing()
        number = 0
        batch: list[Document] = []
        current = ""
        recounted: set[Minute] = set()
        newest = datetime.now(UTC) - RECOUNTED
        async for collection, document in documents:
            if collection == META:
                check_version(document)
                await self._forget_retention()
                if "positions_deleted" in document:
                    with self._link.guarded():
                        deleted_s = seconds_of(document["positions_deleted"])
                        await self._minutes.note_deleted(TRAJECTORIES, deleted_s)
                newest = document.get("exported", newest) - RECOUNTED
                continue
            if collection not in LASTING:
                raise BadInputError(f"this is no backup of Sightline: it holds {collection[:40]!r}")
            if collection != current or len(batch) >= BATCH:
                await self._replace(current, batch)
                batch, current = [], collection
            if collection == CROSSINGS and document["time"] >= newest:
                recounted.add((document["camera"], minute_of(seconds_of(document["time"]))))
            batch.append(document)
            number += 1
        await self._replace(current, batch)
        await self._minutes.recompute_minutes(recounted)
        return number

    async def _forget_retention(self) -> None:
        """Let the store decide anew, as with an empty database; positions that are gone stay gone."""
        forgotten = ("kept", "pending", "confirmed", f"deleted.{CROSSINGS}")
        with self._link.guarded():
            await self._link.collection(META).update_one(
                {"_id": RETENTION}, {"$unset": dict.fromkeys(forgotten, "")}
            )

    async def _replace(self, collection: str, documents: list[Document]) -> None:
        if not documents:
            return
        if collection == EPOCHS:
            changes: list[ReplaceOne[Document] | UpdateOne] = [
                _epochs_update(document) for document in documents
            ]
        else:
            changes = [ReplaceOne({"_id": item["_id"]}, item, upsert=True) for item in documents]
        with self._link.guarded():
            await self._link.collection(collection).bulk_write(changes, ordered=False)


def _epochs_update(document: Document) -> UpdateOne:
    """Add what is known of a camera's owners to what is there: an epoch never falls."""
    known = {f"ownerships.{epoch}": date for epoch, date in document.get("ownerships", {}).items()}
    changes: Document = {"$max": {"epoch": document["epoch"], "time": document["time"]}}
    return UpdateOne({"_id": document["_id"]}, changes | ({"$min": known} if known else {}), upsert=True)
