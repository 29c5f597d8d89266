"""Collections and their indexes, and whether anything may be written: all of that comes before a write.

Every document has a `time`, and every query carries a range of it, so that no query walks through a
whole collection. No index deletes a record: the store alone does, by a clock that it believes
(docs/adr/0023). Sessions are the exception; a lost one is a new login.

A restore that has begun and not ended has left a mark. It is written durably before the first document is
deleted or written, and removed after the last. While it is there, nothing is written but by the restore, and
nothing that was read is passed on as the whole.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pymongo.errors import OperationFailure

from services.common.access.accounts import SESSION_LONGEST_S
from services.common.database.link import DatabaseLink, Document
from services.core.errors import BadInputError, HalfRestoredError

SCHEMA_VERSION = 1

CAMERAS, LINES, EPOCHS, META, PENDING = "cameras", "lines", "epochs", "meta", "pending"
CROSSINGS, MINUTES, ANALYSED = "crossings", "minutes", "analysed"
REVISIONS, GENERATIONS = "revisions", "generations"
TRAJECTORIES, STATUSES, REPEATS = "trajectories", "statuses", "repeats"
SET_ASIDE = "set_aside"
USERS, SESSIONS, TOKENS, AUDIT = "users", "sessions", "tokens", "audit"

Keys = list[tuple[str, int]]

TIME_KEYS: Keys = [("time", 1)]
# All keys ascend: a compatible server was seen to leave out the very start of a range on a descending
# index, and an ascending one serves both orders.
INDEXES: dict[str, list[Keys]] = {
    CAMERAS: [TIME_KEYS],
    EPOCHS: [TIME_KEYS],
    LINES: [TIME_KEYS, [("camera", 1), ("time", 1)]],
    REVISIONS: [TIME_KEYS],
    GENERATIONS: [TIME_KEYS, [("camera", 1), ("time", 1)]],
    CROSSINGS: [TIME_KEYS, [("camera", 1), ("time", 1)], [("camera", 1), ("line", 1), ("time", 1)]],
    MINUTES: [TIME_KEYS, [("camera", 1), ("time", 1)], [("camera", 1), ("line", 1), ("time", 1)]],
    ANALYSED: [TIME_KEYS, [("camera", 1), ("time", 1)]],
    REPEATS: [TIME_KEYS, [("camera", 1), ("time", 1)]],
    TRAJECTORIES: [TIME_KEYS, [("camera", 1), ("time", 1)]],
    STATUSES: [TIME_KEYS, [("camera", 1), ("time", 1)]],
    AUDIT: [TIME_KEYS],
    SET_ASIDE: [TIME_KEYS, [("turn", 1), ("time", 1)]],
    USERS: [TIME_KEYS],
    SESSIONS: [[("user", 1), ("time", 1)]],
    TOKENS: [TIME_KEYS],
}

LASTING = (
    *(SET_ASIDE, CAMERAS, GENERATIONS, LINES, EPOCHS, CROSSINGS, MINUTES, ANALYSED, REPEATS, TRAJECTORIES),
    *(STATUSES, REVISIONS, USERS, TOKENS, AUDIT),
)
"""What a backup carries, in the order in which it is written. Sessions are none of it: users log in again.

Revisions come after the evidence that names them, whatever comes while the backup is written.

What is set aside comes first: it may go to its place meanwhile, and would be missing in both.
"""

RECORDS = (CROSSINGS, MINUTES, ANALYSED, REPEATS, TRAJECTORIES, STATUSES, AUDIT)
"""What the store deletes when it has become too old."""

RETENTION = "retention"
"""The document of META that says how long each kind of record is kept, in seconds by collection."""

LATE = "late"
"""The document of META that says how often records of a time that was long past were changed, by camera."""

LATE_S = 120.0
"""Records of a time that is this long past come late: whoever keeps what it has read has to look again."""

RESTORE = "restore"
"""The document of META that is there while a restore has not ended."""

SECONDS_A_DAY = 86_400
NEVER_S = 10**12
"""A span of an expiring index, 31,700 years, by which nothing ever expires."""

_GONE = (26, 27)
"""MongoDB's codes for a collection or an index that is not there."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Days for which each kind of record is kept."""

    crossings_days: float = 400
    minutes_days: float = 400
    analysed_days: float = 400
    trajectories_days: float = 30
    statuses_days: float = 90
    audit_days: float = 400

    def by_collection(self) -> Mapping[str, int]:
        """Give the seconds to keep, by collection."""
        days = {
            CROSSINGS: self.crossings_days,
            MINUTES: self.minutes_days,
            ANALYSED: self.analysed_days,
            REPEATS: self.analysed_days,
            TRAJECTORIES: self.trajectories_days,
            STATUSES: self.statuses_days,
            AUDIT: self.audit_days,
        }
        return {collection: round(value * SECONDS_A_DAY) for collection, value in days.items()}


class Schema:
    """What has to be done before a write; one for all that a process writes.

    The embedded server locks up for good when a collection's indexes are made while others write.
    """

    def __init__(self, link: DatabaseLink, check: Callable[[], Awaitable[None]] | None = None) -> None:
        """`check` raises HalfRestoredError where nothing may be written; None: `check_whole`."""
        self._link = link
        self._check = check or partial(check_whole, link)
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    async def ensure_whole(self) -> None:
        """HalfRestoredError while a restore into this database has not ended, but for the restore itself."""
        await self._check()

    async def prepare(self) -> None:
        """Make the indexes, once."""
        await self.ensure_whole()
        async with self._preparing:
            if not self._is_prepared:
                await prepare_schema(self._link)
                self._is_prepared = True

    async def before_writing(self) -> None:
        """Wait until the indexes are there; HalfRestoredError while nothing may be written."""
        await self.ensure_whole()
        if not self._is_prepared:
            await self.prepare()


async def check_whole(link: DatabaseLink) -> None:
    """HalfRestoredError while a restore has not ended."""
    with link.guarded():
        mark = await link.collection(META).find_one({"_id": RESTORE})
    if mark is None:
        return
    began = mark.get("time")
    if isinstance(began, datetime):
        raise HalfRestoredError("database-half-restored-since", time=f"{began:%Y-%m-%d %H:%M:%S}")
    raise HalfRestoredError("database-half-restored")


async def prepare_schema(link: DatabaseLink) -> None:
    """Make the indexes, and check that the stored schema is one that this version can read.

    BadInputError when a newer version wrote it. May be called again at any time.
    """
    with link.guarded():
        meta = link.collection(META)
        found = await meta.find_one_and_update(
            {"_id": "schema"},
            {"$setOnInsert": {"version": SCHEMA_VERSION}},
            upsert=True,
            return_document=True,
        )
        check_version(found or {})
        for collection, indexes in INDEXES.items():
            known = await _indexes(link, collection)
            there = [[tuple(key) for key in index["key"]] for index in known.values()]
            for keys in indexes:
                if keys not in there:
                    await link.collection(collection).create_index(keys)
        await _expire_sessions(link)


def check_version(meta: Mapping[str, object]) -> None:
    """Refuse what a newer version has written."""
    version = meta.get("version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise BadInputError("database-newer", version=str(version), known=SCHEMA_VERSION)


async def end_expiry(link: DatabaseLink, collection: str) -> None:
    """Let an index delete no more by which the database itself deletes records.

    Versions before made such indexes; what the first of them kept is noted as the retention so far.
    """
    for name, span_s in (await _expiring(link, collection)).items():
        meta = link.collection(META)
        known = await meta.find_one({"_id": RETENTION}) or {}
        if collection not in known.get("kept", {}):
            await meta.update_one({"_id": RETENTION}, {"$set": {f"kept.{collection}": span_s}}, upsert=True)
        if not await _has_span(link, collection, name, NEVER_S):
            await _drop_index(link, collection, name)
            await link.collection(collection).create_index(TIME_KEYS)


async def _expire_sessions(link: DatabaseLink) -> None:
    span_s = round(SESSION_LONGEST_S)
    found = await _expiring(link, SESSIONS)
    for name, found_s in found.items():
        if found_s != span_s and not await _has_span(link, SESSIONS, name, span_s):
            await _drop_index(link, SESSIONS, name)
            found = {}
    if not found:
        await link.collection(SESSIONS).create_index(TIME_KEYS, expireAfterSeconds=span_s)


async def _has_span(link: DatabaseLink, collection: str, name: str, span_s: int) -> bool:
    """Try to give an index another span in place, which the embedded server does at once.

    MongoDB takes no span of more than 68 years, and from an account that lacks the right none at all: then
    the index has to be made anew, which takes the embedded server long.
    """
    try:
        await link.collection(collection).database.command(
            {"collMod": collection, "index": {"name": name, "expireAfterSeconds": span_s}}
        )
    except OperationFailure:
        return False
    return True


async def _indexes(link: DatabaseLink, collection: str) -> Mapping[str, Document]:
    """Give the indexes of a collection by name; none of one that is not there."""
    return dict(await link.collection(collection).index_information())


async def _expiring(link: DatabaseLink, collection: str) -> dict[str, int]:
    """Give the indexes that delete, by name, with their spans in seconds."""
    found = {
        name: round(index["expireAfterSeconds"])
        for name, index in (await _indexes(link, collection)).items()
        if "expireAfterSeconds" in index
    }
    return {name: span_s for name, span_s in found.items() if span_s < NEVER_S}


async def _drop_index(link: DatabaseLink, collection: str, name: str) -> None:
    """Drop it, which needs no right beyond `readWrite`; another process may have done it already."""
    try:
        await link.collection(collection).drop_index(name)
    except OperationFailure as error:
        if error.code not in _GONE:
            raise
