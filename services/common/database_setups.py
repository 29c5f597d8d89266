"""Cameras and their lines with all versions."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pymongo.errors import DuplicateKeyError

from services.common.database_documents import (
    EPOCH,
    camera_document,
    camera_from,
    line_document,
    line_from,
    seconds_of,
)
from services.common.database_link import DatabaseLink, Document
from services.common.database_schema import CAMERAS, LINES
from services.core.errors import ConflictError, NotFoundError
from services.core.types import Camera, Line

ALL_TIME = {"$gte": EPOCH}


@dataclass(frozen=True, slots=True)
class StoredCamera:
    """A camera and when it was made."""

    camera: Camera
    created_s: float


@dataclass(frozen=True, slots=True)
class LineVersion:
    """One version of a line, valid until the next one; `is_deleted` ends the line."""

    line: Line
    valid_from_s: float
    is_deleted: bool


class SetupTables:
    """What people set up. A change of a line is one insert, so that it is there wholly or not at all."""

    _link: DatabaseLink
    _now_s: Callable[[], float]

    async def _before_writing(self) -> None:
        """Wait until the indexes are there; the repository knows how."""

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
        """Keep a new camera; ConflictError when its id is taken."""
        await self._before_writing()
        document = camera_document(camera, self._now_s())
        with self._link.guarded():
            try:
                await self._link.collection(CAMERAS).insert_one(document)
            except DuplicateKeyError:
                raise ConflictError(f"there is a camera {camera.id!r} already") from None
        return _stored(document)

    async def change_camera(self, camera: Camera) -> None:
        """Replace the settings of a camera."""
        await self._before_writing()
        changes = camera_document(camera, 0.0)
        del changes["_id"], changes["time"]
        with self._link.guarded():
            result = await self._link.collection(CAMERAS).update_one({"_id": camera.id}, {"$set": changes})
        if result.matched_count == 0:
            raise _no_camera(camera.id)

    async def delete_camera(self, id: str) -> None:
        """Remove a camera and end its lines; its records stay until their retention ends."""
        await self._before_writing()
        await self.camera(id)
        for line in await self.lines(id):
            await self.delete_line(id, line.id)
        with self._link.guarded():
            await self._link.collection(CAMERAS).delete_one({"_id": id})

    async def line_versions(self, camera: str) -> list[LineVersion]:
        """Give all versions of all lines of a camera, the oldest first."""
        with self._link.guarded():
            query = {"camera": camera, "time": ALL_TIME}
            found = self._link.collection(LINES).find(query).sort([("time", 1), ("version", 1)])
            return [
                LineVersion(line_from(document), seconds_of(document["time"]), document["deleted"])
                async for document in found
            ]

    async def lines(self, camera: str) -> list[Line]:
        """Give the lines of a camera as they are now, in the order in which they were made."""
        newest: dict[str, LineVersion] = {}
        for version in await self.line_versions(camera):
            known = newest.get(version.line.id)
            if known is None or version.line.version > known.line.version:
                newest[version.line.id] = version
        return [version.line for version in newest.values() if not version.is_deleted]

    async def add_line(self, camera: str, line: Line) -> Line:
        """Keep a new line; ConflictError when its id is taken. One that is made again goes on in versions."""
        await self.camera(camera)
        if any(existing.id == line.id for existing in await self.lines(camera)):
            raise ConflictError(f"camera {camera!r} has a line {line.id!r} already")
        return await self._insert_version(camera, line)

    async def change_line(self, camera: str, line: Line) -> Line:
        """Keep a changed line as a new version; what is the same as before makes none."""
        current = await self.line(camera, line.id)
        if replace(line, version=current.version) == current:
            return current
        return await self._insert_version(camera, line)

    async def line(self, camera: str, id: str) -> Line:
        """Give one line; NotFoundError when the camera has none of that id."""
        for line in await self.lines(camera):
            if line.id == id:
                return line
        await self.camera(camera)
        raise NotFoundError(f"camera {camera!r} has no line {id!r}")

    async def delete_line(self, camera: str, id: str) -> None:
        """End a line; its versions stay, because crossings name them."""
        await self._insert_version(camera, await self.line(camera, id), is_deleted=True)

    async def _insert_version(self, camera: str, line: Line, is_deleted: bool = False) -> Line:
        await self._before_writing()
        versions = [v.line.version for v in await self.line_versions(camera) if v.line.id == line.id]
        numbered = replace(line, version=max(versions, default=0) + 1)
        document = line_document(camera, numbered, self._now_s(), is_deleted)
        with self._link.guarded():
            try:
                await self._link.collection(LINES).insert_one(document)
            except DuplicateKeyError:
                raise ConflictError(f"line {line.id!r} was changed by somebody else just now") from None
        return numbered


def _stored(document: Document) -> StoredCamera:
    return StoredCamera(camera_from(document), seconds_of(document["time"]))


def _no_camera(id: str) -> NotFoundError:
    return NotFoundError(f"there is no camera {id!r}")
