"""Times that come twice because a clock was set back: kept, so that nothing is counted twice in them.

A detector that goes on tells of them itself. One that begins anew cannot know them; the store does, by the
evidence: what an older epoch reported of the time after an ownership begins, from pictures of another
connection, is of an earlier pass of that time. From pictures of the same connection it is of the same
pass, by an owner that was replaced.
"""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from services.common.database_documents import FAR, date_of, milliseconds, seconds_of
from services.common.database_link import DatabaseLink, Document
from services.common.database_schema import ANALYSED, CROSSINGS, REPEATS
from services.core.fencing import Repeats
from services.core.passes import Span, step_words
from services.core.types import CameraId, Ownership, RepeatedSpan

log = logging.getLogger(__name__)

LEAST_S = 3
"""Seconds that the evidence of two passes must share: at a hand-over it is less."""

NEAR_S = 60
"""Evidence with a hole of up to this is one pass. A pass reaches this far beyond its evidence, which some
crossings still waited for, if there are any."""

MOST_MINUTES = 20_000
"""Minutes of evidence that are looked through one by one; what follows is one span up to the newest."""

MOST_REPEATS = 1000
"""Repeats of one camera that are looked at, the newest ones."""


class RepeatTables:
    """Keeps and finds times that come twice."""

    _link: DatabaseLink

    async def repeats(self, camera: str, from_s: float, to_s: float) -> list[RepeatedSpan]:
        """Give the times of a span that come twice, in the order of their ends."""
        query = {
            "camera": camera,
            "time": {"$gt": date_of(from_s), "$lte": FAR},
            "from": {"$lt": date_of(to_s)},
        }
        with self._link.guarded():
            found = self._link.collection(REPEATS).find(query).sort([("time", -1)]).limit(MOST_REPEATS)
            spans = [_repeat_from(document) async for document in found]
        return [span for span in spans[::-1] if span.to_s > span.from_s]

    async def _known_repeats(self, cameras: Iterable[CameraId]) -> Repeats:
        return {camera: await self.repeats(camera, 0.0, seconds_of(FAR)) for camera in sorted(set(cameras))}

    async def _keep_repeats(self, repeats: Sequence[RepeatedSpan]) -> None:
        """Write them, however often and in whatever order; of one that ends earlier the earlier end holds."""
        changes = [
            UpdateOne(
                {"_id": _repeat_id(span)},
                {"$setOnInsert": _repeat_fields(span), "$min": {"time": date_of(span.to_s)}},
                upsert=True,
            )
            for span in repeats
        ]
        if changes:
            await self._link.collection(REPEATS).bulk_write(changes, ordered=False)

    async def _passes_before(self, owned: Ownership) -> list[RepeatedSpan]:
        """Give the times from an ownership on that older epochs have seen in an earlier pass."""
        if not owned.connection:
            return []
        spans = [span for span in await self._evident(owned) if span[1] - span[0] >= LEAST_S]
        found = []
        for from_s, to_s in spans:
            end_s = max(to_s, await self._last_crossing_s(owned, to_s))
            cause = step_words(owned.from_s - end_s, is_least=True)
            found.append(RepeatedSpan(owned.camera, from_s, end_s, owned.epoch - 1, owned.from_s, cause))
        if found:
            log.warning(
                "camera %s begins at a time that was counted before: %s", owned.camera, found[-1].cause
            )
        return found

    async def _evident(self, owned: Ownership) -> list[Span]:
        """Give the spans of an earlier pass by their evidence."""
        minute_s = owned.from_s // 60 * 60
        query = older_than(owned, minute_s) | {"connection": {"$ne": owned.connection}}
        found = self._link.collection(ANALYSED).find(query, ["time", "seconds"]).sort([("time", 1)])
        spans: list[Span] = []
        async for second in _seconds(found.limit(MOST_MINUTES)):
            if second + 1 <= owned.from_s:
                continue
            from_s = max(float(second), owned.from_s)
            if spans and second <= spans[-1][1] + NEAR_S:
                spans[-1] = (spans[-1][0], max(spans[-1][1], second + 1.0))
            else:
                spans.append((from_s, second + 1.0))
        if spans:
            newest = await self._link.collection(ANALYSED).find_one(query, ["time"], sort=[("time", -1)])
            newest_s = seconds_of(newest["time"]) if newest else 0.0
            if newest_s > spans[-1][1]:
                spans[-1] = (spans[-1][0], newest_s + 60.0)
        return spans

    async def _last_crossing_s(self, owned: Ownership, from_s: float) -> float:
        """Give the end of the last crossing soon after the evidence of an earlier pass; 0 without one."""
        query = older_than(owned, from_s, from_s + NEAR_S)
        newest = await self._link.collection(CROSSINGS).find_one(query, ["time"], sort=[("time", -1)])
        return seconds_of(newest["time"]) + 0.001 if newest else 0.0


def older_than(owned: Ownership, from_s: float, to_s: float | None = None) -> dict[str, Any]:
    """Match what older epochs reported from a time on, and before another."""
    end = {"$lte": FAR} if to_s is None else {"$lt": date_of(to_s)}
    return {
        "camera": owned.camera,
        "time": {"$gte": date_of(from_s), **end},
        "epoch": {"$gt": 0, "$lt": owned.epoch},
    }


async def _seconds(documents: AsyncIterator[Document]) -> AsyncIterator[int]:
    """Give the seconds since 1970 of the evidence of some minutes, which come in their order."""
    async for document in documents:
        minute_s = int(seconds_of(document["time"]))
        for second in sorted(document["seconds"]):
            yield minute_s + second


def _repeat_id(span: RepeatedSpan) -> str:
    return f"{span.camera}/{span.epoch}/{milliseconds(span.since_s)}/{milliseconds(span.from_s)}"


def _repeat_fields(span: RepeatedSpan) -> Document:
    return {
        "camera": span.camera,
        "from": date_of(span.from_s),
        "epoch": span.epoch,
        "since": date_of(span.since_s),
        "cause": span.cause,
    }


def _repeat_from(document: Mapping[str, Any]) -> RepeatedSpan:
    return RepeatedSpan(
        camera=CameraId(document["camera"]),
        from_s=seconds_of(document["from"]),
        to_s=seconds_of(document["time"]),
        epoch=document["epoch"],
        since_s=seconds_of(document["since"]),
        cause=document["cause"],
    )
