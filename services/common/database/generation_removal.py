"""The removal of what belongs to a generation of a camera that was deleted: the store's alone.

Somebody has asked for it (`Generations.ask_removal`). It is done in steps, each of which deletes a few
records, and goes on where it was left after an end of the process, since the word stays until the last step.
What is left is the word itself, without the camera's name: numbers of generations are given once. The word
says where the generation's epochs end, so that a camera that is made again meanwhile loses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import timedelta

from services.common.database.documents import EPOCH, date_of
from services.common.database.generations import ALL_TIME, Generation, generations_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import (
    ANALYSED,
    CROSSINGS,
    GENERATIONS,
    LINES,
    MINUTES,
    REVISIONS,
    STATUSES,
    TRAJECTORIES,
    Schema,
)
from services.core.types import CameraId, Event

BY_EPOCH = (CROSSINGS, TRAJECTORIES, ANALYSED)
"""Records that carry an epoch."""

WINDOW = timedelta(days=1)
"""How much is looked through at once: a camera may have millions of records of another generation."""


class GenerationRemoval:
    """Removes what belongs to generations that somebody wants to be rid of."""

    def __init__(self, link: DatabaseLink, schema: Schema) -> None:
        self._link, self._schema = link, schema

    async def remove_asked(self, most: int) -> AsyncIterator[int]:
        """Remove what is asked for, at most so many records at a time; gives the number of each step."""
        with self._link.guarded():
            query = {"time": ALL_TIME, "removal": {"$exists": True}, "removed": {"$exists": False}}
            asked = await self._link.collection(GENERATIONS).find(query).to_list()
        for word in asked:
            known = await asyncio.to_thread(generations_of, self._link, word["camera"])
            for place, generation in enumerate(known):
                if generation.number == word["generation"]:
                    async for number in self._remove(generation, known[place + 1 : place + 2], most):
                        yield number
            await self._schema.before_writing()
            with self._link.guarded():
                await self._link.collection(GENERATIONS).update_one(
                    {"_id": word["_id"]}, {"$set": {"removed": True, "name": ""}}
                )

    async def _remove(
        self, generation: Generation, following: Sequence[Generation], most: int
    ) -> AsyncIterator[int]:
        """Remove all of one generation; its lines last, since they say which revisions are its own."""
        async for number in self._remove_revisions(generation, most):
            yield number
        for collection, query in _belonging(generation, following):
            async for window in self._windows(collection, generation.camera):
                while ids := await self._some(collection, {"$and": [query, window]}, most):
                    await self._schema.before_writing()
                    with self._link.guarded():
                        result = await self._link.collection(collection).delete_many({"_id": {"$in": ids}})
                    yield result.deleted_count

    async def _windows(self, collection: str, camera: str) -> AsyncIterator[Document]:
        """Give the days in which there is something of a camera, as what matches its documents."""
        begin = EPOCH
        while True:
            query = {"camera": camera, "time": {"$gte": begin}}
            with self._link.guarded():
                found = await self._link.collection(collection).find_one(query, ["time"], sort=[("time", 1)])
            if found is None:
                return
            begin = found["time"] + WINDOW
            yield {"camera": camera, "time": {"$gte": found["time"], "$lt": begin}}

    async def _some(self, collection: str, query: Document, most: int) -> list[object]:
        with self._link.guarded():
            found = self._link.collection(collection).find(query, ["_id"]).limit(most)
            return [document["_id"] async for document in found]

    async def _remove_revisions(self, generation: Generation, most: int) -> AsyncIterator[int]:
        """Remove the sets of versions that hold one of the generation's: versions are given once."""
        with self._link.guarded():
            lines = self._link.collection(LINES).find(
                {"camera": generation.camera, "time": ALL_TIME, **generation.number_query()},
                ["line", "version"],
            )
            own = {(document["line"], document["version"]) async for document in lines}
            found = self._link.collection(REVISIONS).find({"camera": generation.camera, "time": ALL_TIME})
            ids = [item["_id"] async for item in found if own & set(item["lines"].items())]
        for place in range(0, len(ids), most):
            await self._schema.before_writing()
            with self._link.guarded():
                some = {"_id": {"$in": ids[place : place + most]}}
                yield (await self._link.collection(REVISIONS).delete_many(some)).deleted_count


class RemovedGenerations:
    """Tells what still arrives of generations that were removed."""

    def __init__(self, link: DatabaseLink) -> None:
        self._link = link

    async def without(self, events: Sequence[Event], cameras: Collection[CameraId]) -> Sequence[Event]:
        """Give the events but for those that were reported under an epoch of a removed generation."""
        if not cameras:
            return events
        query = {"camera": {"$in": sorted(cameras)}, "time": ALL_TIME, "removal": {"$exists": True}}
        with self._link.guarded():
            found = await self._link.collection(GENERATIONS).find(query, ["camera"]).to_list()
        removed = [
            generation
            for camera in {document["camera"] for document in found}
            for generation in await asyncio.to_thread(generations_of, self._link, camera)
            if generation.removal_s is not None
        ]
        return [event for event in events if not any(_is_of(event, item) for item in removed)]


def _is_of(event: Event, generation: Generation) -> bool:
    return event.camera == generation.camera and generation.has(getattr(event, "epoch", -1))


def _belonging(generation: Generation, following: Sequence[Generation]) -> Iterator[tuple[str, Document]]:
    """Give what of each collection belongs to a generation; a status does by when it was.

    Crossings go before minutes: whoever counts a minute again meanwhile counts no more of them.
    """
    for collection in BY_EPOCH:
        yield collection, generation.epochs_query()
    yield MINUTES, generation.number_query()
    begin = {"$gte": EPOCH if generation.number == 1 else date_of(generation.created_s)}
    end = {"$lt": date_of(following[0].created_s if following else generation.removal_s or 0.0)}
    yield STATUSES, {"time": begin | end}
    yield LINES, generation.number_query()
