"""The generations of a camera: each making of it, so that one that is made again inherits no counts.

A generation owns a range of epochs. Epochs only grow, and the first of a new generation is above all that an
owner of an older one can have; the setup carries it as the floor of the next epoch, so that an owner of
before gives up and takes the camera anew (docs/adr/0035). So what was reported belongs to a generation by its
epoch, whenever it arrives and whatever clocks show. The newest generation stands in the camera's own
document, the ended ones in documents of their own. A database of an older release has one generation of each
camera.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.common.database.documents import EPOCH, date_of, milliseconds, seconds_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import CAMERAS, EPOCHS, GENERATIONS, LINES, Schema
from services.core.errors import ConflictError, NotFoundError
from services.core.types import CameraId

ALL_TIME = {"$gte": EPOCH}

AHEAD_MS = 60_000
"""By how much the first epoch of a generation is ahead of the clock: clocks of machines may differ, and an
owner of before may have an epoch that nobody has announced yet."""

SPARE = 1000
"""Epochs left free above those that are known, for the same reason where a clock was set back."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One making of a camera."""

    camera: CameraId
    number: int
    """Counts the makings of the camera upwards from 1."""
    name: str
    created_s: float
    """0 where an older release has left no word of it."""
    deleted_s: float | None = None
    """None while the camera is there."""
    first_epoch: int = 0
    end_epoch: int | None = None
    """The first epoch that is not its own any more; None before there is one."""
    removal_s: float | None = None
    """When somebody asked to remove what belongs to it."""

    @property
    def is_only(self) -> bool:
        """Return whether all that is known of the camera belongs to it."""
        return self.first_epoch == 0 and self.end_epoch is None

    def epochs_query(self) -> Document:
        """Match records that carry an epoch; those of older releases may carry none."""
        if self.is_only:
            return {}
        if self.first_epoch == 0:
            return {"$or": [{"epoch": {"$exists": False}}, {"epoch": {"$lt": self.end_epoch}}]}
        end = {} if self.end_epoch is None else {"$lt": self.end_epoch}
        return {"epoch": {"$gte": self.first_epoch, **end}}

    def number_query(self) -> Document:
        """Match documents that carry the number of a generation, which those of the first do not."""
        if self.is_only:
            return {}
        return {"generation": {"$exists": False} if self.number == 1 else self.number}

    def has(self, epoch: int) -> bool:
        """Return whether what was reported under an epoch belongs to it."""
        return self.first_epoch <= epoch and (self.end_epoch is None or epoch < self.end_epoch)


class Generations:
    """Begins and ends generations, gives them, and leaves word of those that are to be removed."""

    def __init__(self, link: DatabaseLink, schema: Schema, now_s: Callable[[], float]) -> None:
        self._link, self._schema, self._now_s = link, schema, now_s

    async def of_camera(self, camera: str) -> list[Generation]:
        """Give the generations of a camera, the oldest first, without those that are removed."""
        return [item for item in await self._known(camera) if item.removal_s is None]

    async def of_all(self) -> list[Generation]:
        """Give the generations of all cameras, also of deleted ones, by camera."""
        found = await asyncio.to_thread(all_generations, self._link)
        return [item for item in found if item.removal_s is None]

    async def one(self, camera: str, number: int) -> Generation:
        """Give one generation; NotFoundError when there is none, or none any more."""
        for generation in await self.of_camera(camera):
            if generation.number == number:
                return generation
        raise NotFoundError("generation-missing", camera=camera[:80], number=number)

    async def newest_number(self, camera: str) -> int:
        """Give the number of the newest generation; 1 where nothing is known of the camera."""
        known = await self._known(camera)
        return known[-1].number if known else 1

    async def next_of(self, camera: str) -> tuple[int, int]:
        """Give the number and the first epoch of the generation that a making of the camera begins.

        ConflictError while it is there.
        """
        known = await self._known(camera)
        if not known:
            return 1, 0
        last = known[-1]
        if last.deleted_s is None:
            raise ConflictError("camera-exists", camera=camera)
        with self._link.guarded():
            await self._link.collection(GENERATIONS).update_one(
                {"_id": _id(last)}, {"$setOnInsert": _fields(last)}, upsert=True
            )
        return last.number + 1, await self._first_after(last)

    async def _first_after(self, last: Generation) -> int:
        """Give an epoch above all that any owner of a generation has."""
        with self._link.guarded():
            owners = await self._link.collection(EPOCHS).find_one({"_id": last.camera}) or {}
        highest = max(int(owners.get("epoch", 0)), last.first_epoch) + SPARE
        return max(highest, milliseconds(self._now_s()) + AHEAD_MS, last.end_epoch or 0)

    async def end(self, generation: Generation) -> None:
        """Note that a generation ends now, before its camera is deleted."""
        ended = replace(generation, deleted_s=self._now_s())
        document = {"_id": _id(ended), **_fields(ended)}
        with self._link.guarded():
            await self._link.collection(GENERATIONS).replace_one(
                {"_id": document["_id"]}, document, upsert=True
            )

    async def ask_removal(self, camera: str, number: int) -> None:
        """Leave word that all that belongs to a generation is to be removed; the store does it.

        ConflictError while its camera is there.
        """
        generation = await self.one(camera, number)
        if generation.deleted_s is None:
            raise ConflictError("generation-used", camera=camera, number=number)
        await self._schema.before_writing()
        end_epoch = generation.end_epoch or await self._first_after(generation)
        asked = replace(generation, removal_s=self._now_s(), end_epoch=end_epoch)
        with self._link.guarded():
            await self._link.collection(GENERATIONS).update_one(
                {"_id": _id(asked)}, {"$set": _fields(asked)}, upsert=True
            )

    async def _known(self, camera: str) -> list[Generation]:
        return await asyncio.to_thread(generations_of, self._link, camera)


def generations_of(link: DatabaseLink, camera: str) -> list[Generation]:
    """Give all generations of a camera, the oldest first, those included that are to be removed; blocks."""
    with link.guarded():
        current = link.reading(CAMERAS).find_one({"_id": camera})
        ended = list(link.reading(GENERATIONS).find({"camera": camera, "time": ALL_TIME}))
        if current is None and not ended:
            owners = link.reading(EPOCHS).find_one({"_id": camera})
            lines = list(link.reading(LINES).find({"camera": camera, "time": ALL_TIME}, ["time"]))
            traces = [document["time"] for document in (*lines, *([owners] if owners else []))]
            return _traced(camera, traces) if traces else []
    return _generations(current, ended)


def all_generations(link: DatabaseLink) -> list[Generation]:
    """Give all generations of all cameras, by camera; blocks."""
    everything = {"time": ALL_TIME}
    with link.guarded():
        current = {document["_id"]: document for document in link.reading(CAMERAS).find(everything)}
        ended: dict[str, list[Document]] = {}
        for document in link.reading(GENERATIONS).find(everything):
            ended.setdefault(document["camera"], []).append(document)
        traces: dict[str, list[Any]] = {}
        for document in link.reading(LINES).find(everything, ["camera", "time"]):
            traces.setdefault(document["camera"], []).append(document["time"])
        for document in link.reading(EPOCHS).find(everything, ["time"]):
            traces.setdefault(document["_id"], []).append(document["time"])
    found: list[Generation] = []
    for camera in sorted({*current, *ended, *traces}):
        if camera in current or camera in ended:
            found += _generations(current.get(camera), ended.get(camera, ()))
        else:
            found += _traced(camera, traces[camera])
    return found


def _traced(camera: str, times: Iterable[Any]) -> list[Generation]:
    """Give the generation of a camera that an older release has deleted, by what it left."""
    moments = sorted(seconds_of(time) for time in times)
    return [Generation(CameraId(camera), 1, camera, moments[0], moments[-1])]


def _generations(current: Mapping[str, Any] | None, ended: Iterable[Mapping[str, Any]]) -> list[Generation]:
    """Put the generations of a camera in order, and end the epochs of each where the next begins."""
    by_number = {found.number: found for found in map(_ended_from, ended)}
    if current is not None:
        found = generation_from(current)
        by_number[found.number] = found
    ordered = [by_number[number] for number in sorted(by_number)]
    ends: Sequence[int | None] = [*(item.first_epoch for item in ordered[1:]), ordered[-1].end_epoch]
    return [replace(item, end_epoch=end) for item, end in zip(ordered, ends, strict=True)]


def generation_from(camera: Mapping[str, Any]) -> Generation:
    """Give the generation of a camera's document; one of an older release is of the first."""
    return Generation(
        camera["_id"],
        camera.get("generation", 1),
        camera["name"],
        seconds_of(camera["time"]),
        first_epoch=camera.get("first_epoch", 0),
    )


def _ended_from(document: Mapping[str, Any]) -> Generation:
    removal = document.get("removal")
    return Generation(
        document["camera"],
        document["generation"],
        document["name"],
        seconds_of(document["time"]),
        seconds_of(document["deleted"]),
        document["first_epoch"],
        document.get("end_epoch"),
        removal_s=None if removal is None else seconds_of(removal),
    )


def _id(generation: Generation) -> str:
    return f"{generation.camera}/{generation.number}"


def _fields(generation: Generation) -> Document:
    fields = {
        "camera": generation.camera,
        "generation": generation.number,
        "name": generation.name,
        "time": date_of(generation.created_s),
        "deleted": date_of(generation.deleted_s or generation.created_s),
        "first_epoch": generation.first_epoch,
    }
    if generation.removal_s is None:
        return fields
    return fields | {"removal": date_of(generation.removal_s), "end_epoch": generation.end_epoch}
