"""Collections, indexes and retention.

Every document has a `time`, and every query carries a range of it, so that no query walks through a
whole collection. Retention is a TTL index on it; a changed retention changes the index in place.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from services.common.accounts import SESSION_LONGEST_S
from services.common.database_link import DatabaseLink, Document
from services.core.errors import BadInputError

SCHEMA_VERSION = 1

CAMERAS, LINES, EPOCHS, META, PENDING = "cameras", "lines", "epochs", "meta", "pending"
CROSSINGS, MINUTES, ANALYSED = "crossings", "minutes", "analysed"
TRAJECTORIES, STATUSES, REPEATS = "trajectories", "statuses", "repeats"
USERS, SESSIONS, TOKENS, AUDIT = "users", "sessions", "tokens", "audit"

Keys = list[tuple[str, int]]

TTL_KEYS: Keys = [("time", 1)]
# All keys ascend: a compatible server was seen to leave out the very start of a range on a descending
# index, and an ascending one serves both orders.
INDEXES: dict[str, list[Keys]] = {
    CAMERAS: [TTL_KEYS],
    EPOCHS: [TTL_KEYS],
    LINES: [TTL_KEYS, [("camera", 1), ("time", 1)]],
    CROSSINGS: [[("camera", 1), ("time", 1)], [("camera", 1), ("line", 1), ("time", 1)]],
    MINUTES: [[("camera", 1), ("time", 1)], [("camera", 1), ("line", 1), ("time", 1)]],
    ANALYSED: [[("camera", 1), ("time", 1)]],
    TRAJECTORIES: [[("camera", 1), ("time", 1)]],
    STATUSES: [[("camera", 1), ("time", 1)]],
    REPEATS: [[("camera", 1), ("time", 1)]],
    USERS: [TTL_KEYS],
    SESSIONS: [[("user", 1), ("time", 1)]],
    TOKENS: [TTL_KEYS],
}

LASTING = (
    *(CAMERAS, LINES, EPOCHS, CROSSINGS, MINUTES, ANALYSED, REPEATS, TRAJECTORIES, STATUSES),
    *(USERS, TOKENS, AUDIT),
)
"""What a backup carries, in the order in which it is written. Sessions are none of it: users log in again."""

SECONDS_A_DAY = 86_400


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
            SESSIONS: SESSION_LONGEST_S / SECONDS_A_DAY,
        }
        return {collection: round(value * SECONDS_A_DAY) for collection, value in days.items()}


async def prepare_schema(link: DatabaseLink, retention: Retention) -> None:
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
            for keys in indexes:
                await link.collection(collection).create_index(keys)
        for collection, keep_s in retention.by_collection().items():
            await _keep(link, collection, keep_s)


def check_version(meta: Mapping[str, object]) -> None:
    """Refuse what a newer version has written."""
    version = meta.get("version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise BadInputError(
            f"the data has schema version {version}, this program knows up to {SCHEMA_VERSION}: "
            "use the newer version of Sightline"
        )


async def _keep(link: DatabaseLink, collection: str, keep_s: int) -> None:
    """Make the TTL index, or give the one that is there its new span."""
    existing: Mapping[str, Document] = await link.collection(collection).index_information()
    for name, index in existing.items():
        if [tuple(key) for key in index["key"]] == TTL_KEYS:
            if index.get("expireAfterSeconds") != keep_s:
                await link.command(
                    {"collMod": collection, "index": {"name": name, "expireAfterSeconds": keep_s}}
                )
            return
    await link.collection(collection).create_index(TTL_KEYS, expireAfterSeconds=keep_s)
