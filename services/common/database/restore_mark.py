"""The mark of a restore that has begun and not ended: what the database holds meanwhile is not whole.

It is written durably before the first document is deleted or written, and removed after the last. While it
is there, nothing is written but by the restore, and nothing that was read is passed on as the whole.
"""

from datetime import UTC, datetime

from services.common.database.link import DatabaseLink
from services.common.database.schema import META
from services.core.errors import HalfRestoredError

MARK_ID = "restore"


async def set_mark(link: DatabaseLink) -> None:
    """Note that a restore begins."""
    with link.guarded():
        await link.collection(META).replace_one(
            {"_id": MARK_ID}, {"_id": MARK_ID, "time": datetime.now(UTC)}, upsert=True
        )


async def remove_mark(link: DatabaseLink) -> None:
    """Note that the restore is whole."""
    with link.guarded():
        await link.collection(META).delete_one({"_id": MARK_ID})


async def check_whole(link: DatabaseLink) -> None:
    """HalfRestoredError while a restore has not ended."""
    with link.guarded():
        mark = await link.collection(META).find_one({"_id": MARK_ID})
    if mark is None:
        return
    began = mark.get("time")
    since = f" that began at {began:%Y-%m-%d %H:%M:%S} UTC" if isinstance(began, datetime) else ""
    raise HalfRestoredError(
        f"the database holds a part of a backup: a restore{since} has not ended. "
        "If it does not run any more, run `sightline restore FILE --replace` again"
    )
