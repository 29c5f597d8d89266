"""How long records are kept, the deletion of older ones, and the clock that decides it: the store's alone."""

from collections.abc import AsyncIterator, Mapping

from services.common.database.documents import date_of, seconds_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.minutes import Minutes
from services.common.database.retention_notices import CLOCK, ShorterRetention, meta_document
from services.common.database.schema import (
    ANALYSED,
    CROSSINGS,
    META,
    RECORDS,
    RETENTION,
    STATUSES,
    TRAJECTORIES,
    Schema,
    end_expiry,
)
from services.core.evidence.clock_belief import ClockMark

EPOCH_S, LATEST_S = 0.0, 253_402_300_000.0
"""1970, and nearly the end of the year 9999."""

FIRST_WINDOW_S = 3600.0


class RecordRetention:
    """Decides about retention, deletes, and keeps the mark of the clock."""

    def __init__(self, link: DatabaseLink, schema: Schema, minutes: Minutes) -> None:
        self._link, self._schema, self._minutes = link, schema, minutes

    async def keep_records(self, kept_s: Mapping[str, int]) -> None:
        """Note how long some kinds of records are kept from now on."""
        if kept_s:
            await self._set(RETENTION, {f"kept.{name}": span_s for name, span_s in kept_s.items()})

    async def await_retention(self, pending: ShorterRetention | None) -> None:
        """Note what waits; None: nothing does."""
        if pending is None:
            await self._schema.before_writing()
            with self._link.guarded():
                await self._link.collection(META).update_one(
                    {"_id": RETENTION}, {"$unset": {"pending": "", "confirmed": ""}}
                )
            return
        noted = {
            "id": pending.id,
            "asked": date_of(pending.asked_s),
            "keep": dict(pending.keep_s),
            "records": dict(pending.records),
            "waited": pending.waited_s,
        }
        await self._set(RETENTION, {"pending": noted})

    async def end_expiry(self) -> None:
        """Take back indexes that delete, which a service of an older version may have made again."""
        await self._schema.before_writing()
        with self._link.guarded():
            for collection in RECORDS:
                await end_expiry(self._link, collection)

    async def count_before(self, collection: str, time_s: float) -> int:
        """Give the number of records that are older than a time."""
        return await self._number_of(collection, EPOCH_S, time_s)

    async def delete_before(self, collection: str, time_s: float, most: int) -> AsyncIterator[int]:
        """Delete the records that are older than a time, the oldest first; gives the number of each batch.

        A batch holds at most `most` records, but always a whole second.
        """
        number = await self._number_of(collection, EPOCH_S, time_s)
        if number == 0:
            return
        if collection in (CROSSINGS, TRAJECTORIES):
            await self._note_deleted(collection, time_s)
        start_s = EPOCH_S if number <= most else await self._oldest(collection, time_s)
        step_s = (time_s - start_s) * min(1.0, most / number)
        while start_s < time_s:
            end_s = min(start_s + max(step_s, 1.0), time_s)
            found = number if number <= most else await self._number_of(collection, start_s, end_s)
            if found > most and end_s - start_s > 1.0:
                step_s /= 2
                continue
            await self._schema.before_writing()
            with self._link.guarded():
                query = {"time": {"$lt": date_of(end_s)}}
                yield (await self._link.collection(collection).delete_many(query)).deleted_count
            start_s, step_s = end_s, step_s * (2 if found < most / 2 else 1)

    async def _oldest(self, collection: str, before_s: float) -> float:
        query = {"time": {"$lt": date_of(before_s)}}
        with self._link.guarded():
            found = await self._link.collection(collection).find_one(query, ["time"], sort=[("time", 1)])
        return EPOCH_S if found is None else seconds_of(found["time"])

    async def _note_deleted(self, collection: str, time_s: float) -> None:
        """Note it before the deletion: nothing of that time is counted from these records any more."""
        await self._schema.before_writing()
        with self._link.guarded():
            await self._minutes.note_deleted(collection, time_s)

    async def _number_of(self, collection: str, from_s: float, to_s: float) -> int:
        query = {"time": {"$gte": date_of(from_s), "$lt": date_of(to_s)}}
        with self._link.guarded():
            return await self._link.collection(collection).count_documents(query)

    async def newest_record_s(self, now_s: float) -> float | None:
        """Give the time of the newest record, wherever the clock stands; None when there is none."""
        newest = [
            time_s
            for collection in (CROSSINGS, ANALYSED, STATUSES)
            if (time_s := await self._newest(collection, now_s)) is not None
        ]
        return max(newest, default=None)

    async def _newest(self, collection: str, now_s: float) -> float | None:
        """Look ahead of the clock, then back in windows that grow, so that no query walks through all."""
        start_s, end_s = now_s, LATEST_S
        window_s = FIRST_WINDOW_S
        while end_s > EPOCH_S:
            query = {"time": {"$gte": date_of(start_s), "$lt": date_of(end_s)}}
            with self._link.guarded():
                found = await self._link.collection(collection).find_one(query, ["time"], sort=[("time", -1)])
            if found is not None:
                return seconds_of(found["time"])
            start_s, end_s, window_s = max(EPOCH_S, start_s - window_s), start_s, window_s * 2
        return None

    async def keep_clock_mark(self, mark: ClockMark) -> None:
        """Keep what is known of the clock."""
        doubt = mark.doubt
        noted = doubt and {
            "id": doubt.id,
            "since": date_of(doubt.since_s),
            "clock": date_of(doubt.clock_s),
            "agreed": doubt.agreed_s,
            "synchronised": doubt.synchronised_s,
            "places": doubt.places,
        }
        values = {"believed": date_of(mark.believed_s), "steady": mark.steady_s, "boot": mark.boot}
        await self._set(CLOCK, {**values, "doubt": noted})

    async def confirmed_clock(self) -> str | None:
        """Give the id of the doubt that somebody has answered last."""
        id: str | None = (await meta_document(self._link, CLOCK)).get("confirmed")
        return id

    async def _set(self, id: str, values: Document) -> None:
        await self._schema.before_writing()
        with self._link.guarded():
            await self._link.collection(META).update_one({"_id": id}, {"$set": values}, upsert=True)
