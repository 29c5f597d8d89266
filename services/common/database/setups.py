"""Cameras and their lines with all versions."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from services.common.database.documents import (
    EPOCH,
    camera_document,
    camera_from,
    date_of,
    line_document,
    line_from,
    revision_id,
    seconds_of,
)
from services.common.database.generations import Generation, Generations, generation_from
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import CAMERAS, LINES, REVISIONS, Schema
from services.core.errors import ConflictError, NotFoundError
from services.core.types import Camera, CameraId, CameraSetup, Line, LineVersion

ALL_TIME = {"$gte": EPOCH}
MOST_CAMERAS, MOST_LINES = 1000, 100
"""Cameras of a system, and lines of a camera."""


@dataclass(frozen=True, slots=True)
class StoredCamera:
    """A camera, when it was made, and which making of it this is."""

    camera: Camera
    created_s: float
    generation: int = 1
    first_epoch: int = 0
    """The lowest epoch of this generation."""

    @property
    def making(self) -> Generation:
        """The generation that this is."""
        camera = self.camera
        return Generation(
            camera.id, self.generation, camera.name, self.created_s, first_epoch=self.first_epoch
        )


class Setups:
    """What people set up. A change of a line is one insert, so that it is there wholly or not at all."""

    def __init__(self, link: DatabaseLink, schema: Schema, now_s: Callable[[], float]) -> None:
        self._link, self._schema, self._now_s = link, schema, now_s
        self._generations = Generations(link, schema, now_s)

    async def cameras(self) -> list[StoredCamera]:
        """Give all cameras, the oldest first."""
        with self._link.guarded():
            found = self._link.collection(CAMERAS).find({"time": ALL_TIME}).sort([("time", 1), ("_id", 1)])
            return [_stored(document) async for document in found]

    async def camera(self, id: str) -> StoredCamera:
        """Give one camera; NotFoundError when there is none."""
        with self._link.guarded():
            document = await self._link.collection(CAMERAS).find_one({"_id": id})
        if document is None:
            raise _no_camera(id)
        return _stored(document)

    async def add_camera(self, camera: Camera) -> StoredCamera:
        """Keep a new camera; ConflictError when its id is taken, or when there are too many.

        One that is made again is a new generation.
        """
        await self._schema.before_writing()
        with self._link.guarded():
            number = await self._link.collection(CAMERAS).count_documents({"time": ALL_TIME})
        if number >= MOST_CAMERAS:
            raise ConflictError("camera-limit", most=MOST_CAMERAS)
        generation, first_epoch = await self._generations.next_of(camera.id)
        document = camera_document(camera, self._now_s())
        document |= {"generation": generation, "first_epoch": first_epoch}
        with self._link.guarded():
            try:
                await self._link.collection(CAMERAS).insert_one(document)
            except DuplicateKeyError:
                raise ConflictError("camera-exists", camera=camera.id) from None
        return _stored(document)

    async def change_camera(self, camera: Camera) -> None:
        """Replace the settings of a camera."""
        await self._schema.before_writing()
        changes = camera_document(camera, 0.0)
        del changes["_id"], changes["time"]
        with self._link.guarded():
            result = await self._link.collection(CAMERAS).update_one({"_id": camera.id}, {"$set": changes})
        if result.matched_count == 0:
            raise _no_camera(camera.id)

    async def delete_camera(self, id: str) -> None:
        """Remove a camera and end its lines; its records stay until their retention ends."""
        await self._schema.before_writing()
        stored = await self.camera(id)
        for line in await self.lines(id):
            await self.delete_line(id, line.id)
        await self._generations.end(stored.making)
        with self._link.guarded():
            await self._link.collection(CAMERAS).delete_one({"_id": id})

    async def unknown_revisions(self, setups: Sequence[CameraSetup]) -> list[CameraSetup]:
        """Give those setups whose revisions the database does not know yet."""
        ids = {revision_id(setup.camera.id, setup.revision): setup for setup in setups}
        with self._link.guarded():
            query = {"_id": {"$in": list(ids)}, "time": ALL_TIME}
            found = self._link.collection(REVISIONS).find(query, ["_id"])
            known = {document["_id"] async for document in found}
        return [setup for id, setup in ids.items() if id not in known]

    async def keep_revisions(self, setups: Sequence[CameraSetup]) -> None:
        """Keep what the revisions of some setups stand for, before anybody counts under them."""
        if not setups:
            return
        await self._schema.before_writing()
        changes = [
            UpdateOne(
                {"_id": revision_id(setup.camera.id, setup.revision)},
                {
                    "$setOnInsert": {
                        "camera": setup.camera.id,
                        "time": date_of(self._now_s()),
                        "lines": {line.id: line.version for line in setup.lines},
                    }
                },
                upsert=True,
            )
            for setup in setups
        ]
        with self._link.guarded():
            await self._link.collection(REVISIONS).bulk_write(changes, ordered=False)

    async def line_versions(self, camera: str, generation: int | None = None) -> list[LineVersion]:
        """Give all versions of the lines of a camera's generation, else of its newest; the oldest first."""
        number = generation or await self._generations.newest_number(camera)
        query = {"camera": camera, "generation": {"$exists": False} if number == 1 else number}
        return [version for _, _, version in await asyncio.to_thread(self._versions, query)]

    def _versions(self, query: Document) -> list[tuple[str, int, LineVersion]]:
        """Give versions with camera and generation, the oldest first; blocks: they become ever more."""
        with self._link.guarded():
            found = self._link.reading(LINES).find({**query, "time": ALL_TIME})
            return [
                (
                    document["camera"],
                    document.get("generation", 1),
                    LineVersion(line_from(document), seconds_of(document["time"]), document["deleted"]),
                )
                for document in found.sort([("time", 1), ("version", 1)])
            ]

    async def lines(self, camera: str) -> list[Line]:
        """Give the lines of a camera as they are now, in the order in which they were made."""
        return _as_they_are(await self.line_versions(camera))

    async def lines_of_all(self) -> dict[str, list[Line]]:
        """Give the lines of each camera that ever had any, as they are now."""
        versions = await self.line_versions_of_all()
        return {camera: _as_they_are(known) for camera, known in versions.items()}

    async def line_versions_of_all(self) -> dict[str, list[LineVersion]]:
        """Give all versions of the lines of each camera as it was made last, the oldest first."""
        newest = {stored.camera.id: stored.generation for stored in await self.cameras()}
        versions: dict[str, list[LineVersion]] = {}
        for camera, generation, version in await asyncio.to_thread(self._versions, {}):
            if newest.get(CameraId(camera)) == generation:
                versions.setdefault(camera, []).append(version)
        return versions

    async def add_line(self, camera: str, line: Line) -> Line:
        """Keep a new line; ConflictError when its id is taken, or when the camera has too many.

        One that is made again goes on in versions.
        """
        stored = await self.camera(camera)
        existing = await self.lines(camera)
        if any(other.id == line.id for other in existing):
            raise ConflictError("line-exists", camera=camera, line=line.id)
        if len(existing) >= MOST_LINES:
            raise ConflictError("line-limit", camera=camera, most=MOST_LINES)
        return await self._insert_version(stored, line)

    async def change_line(self, camera: str, line: Line) -> Line:
        """Keep a changed line as a new version; what is the same as before makes none."""
        current = await self.line(camera, line.id)
        if replace(line, version=current.version) == current:
            return current
        return await self._insert_version(await self.camera(camera), line)

    async def line(self, camera: str, id: str) -> Line:
        """Give one line; NotFoundError when the camera has none of that id."""
        for line in await self.lines(camera):
            if line.id == id:
                return line
        await self.camera(camera)
        raise NotFoundError("line-missing", camera=camera, line=id[:80])

    async def delete_line(self, camera: str, id: str) -> None:
        """End a line; its versions stay, because crossings name them."""
        line = await self.line(camera, id)
        await self._insert_version(await self.camera(camera), line, is_deleted=True)

    async def _insert_version(self, stored: StoredCamera, line: Line, is_deleted: bool = False) -> Line:
        """Write the next version; versions go on over the generations of a camera."""
        await self._schema.before_writing()
        camera = stored.camera.id
        known = await asyncio.to_thread(self._versions, {"camera": camera, "line": line.id})
        numbered = replace(line, version=max((v.line.version for _, _, v in known), default=0) + 1)
        document = line_document(camera, numbered, self._now_s(), is_deleted)
        if stored.generation > 1:
            document["generation"] = stored.generation
        with self._link.guarded():
            try:
                await self._link.collection(LINES).insert_one(document)
            except DuplicateKeyError:
                raise ConflictError("line-changed", line=line.id) from None
        return numbered


def _as_they_are(versions: Sequence[LineVersion]) -> list[Line]:
    """Give the newest version of each line of a camera that was not deleted."""
    newest: dict[str, LineVersion] = {}
    for version in versions:
        known = newest.get(version.line.id)
        if known is None or version.line.version > known.line.version:
            newest[version.line.id] = version
    return [version.line for version in newest.values() if not version.is_deleted]


def _stored(document: Document) -> StoredCamera:
    found = generation_from(document)
    return StoredCamera(camera_from(document), found.created_s, found.number, found.first_epoch)


def _no_camera(id: str) -> NotFoundError:
    return NotFoundError("camera-missing", camera=id[:80])
