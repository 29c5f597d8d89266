"""Times that come twice because a clock was set back: kept, so that nothing is counted twice in them.

A detector reports those that it has seen itself. Those before its time it cannot know; the store does: what
an older epoch reported of the time after an ownership begins, from pictures of another connection, is of an
earlier pass of that time. From pictures of the same connection it is of the same pass, by an owner that was
replaced.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo import UpdateOne

from services.common.database.documents import FAR, connection_of, date_of, milliseconds, seconds_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.schema import ANALYSED, CROSSINGS, REPEATS
from services.core.evidence.fencing import Repeats
from services.core.evidence.passes import Span, least_step_back
from services.core.types import CameraId, Ownership, RepeatedSpan

log = logging.getLogger(__name__)

LEAST_S = 3
"""Seconds that the evidence of two passes must share: at a hand-over it is less."""

NEAR_S = 60.0
"""Evidence and crossings with a hole of up to this between them are of one pass."""

MOST_LOOKED_AT = 20_000
"""Minutes of evidence, and crossings, that are looked at one by one; what follows is one span."""

MOST_PASSES = 100
"""Spans that one ownership finds; of more, those with the smallest holes between them are joined."""

MOST_REPEATS = 1000
"""Repeats of one camera that are looked at, the newest ones."""


class RepeatReader:
    """Reads the times that come twice."""

    def __init__(self, link: DatabaseLink) -> None:
        self._link = link

    async def repeats(self, camera: str, from_s: float, to_s: float) -> list[RepeatedSpan]:
        """Give the times of a span that come twice, in the order of their ends."""
        query = repeats_query(camera, from_s, to_s)
        with self._link.guarded():
            found = self._link.collection(REPEATS).find(query).sort([("time", -1)]).limit(MOST_REPEATS)
            return repeats_from([document async for document in found])

    async def repeats_of_all(self, from_s: float) -> dict[CameraId, list[RepeatedSpan]]:
        """Give the times from a moment on that come twice, by camera, in the order of their ends."""
        query = {"time": {"$gt": date_of(from_s), "$lte": FAR}}
        found: dict[CameraId, list[RepeatedSpan]] = {}
        with self._link.guarded():
            async for document in self._link.collection(REPEATS).find(query).sort([("time", 1)]):
                span = repeat_from(document)
                if span.to_s > span.from_s:
                    found.setdefault(span.camera, []).append(span)
        return found

    async def known_repeats(self, cameras: Iterable[CameraId]) -> Repeats:
        """Give all times of some cameras that come twice."""
        return {camera: await self.repeats(camera, 0.0, seconds_of(FAR)) for camera in sorted(set(cameras))}


class RepeatKeeper:
    """Finds times that come twice, and keeps them."""

    def __init__(self, link: DatabaseLink) -> None:
        self._link = link

    async def keep_repeats(self, repeats: Sequence[RepeatedSpan]) -> None:
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

    async def passes_before(self, owned: Ownership) -> list[RepeatedSpan]:
        """Give the times from an ownership on that older epochs have seen in an earlier pass."""
        if not owned.connection:
            return []
        passes, near_s = [*await self._evident(owned), *await self._crossed(owned)], NEAR_S
        while len(passes := joined(passes, near_s)) > MOST_PASSES:
            near_s *= 2
        found = [_repeat(owned, from_s, to_s) for from_s, to_s in passes if to_s - owned.from_s >= LEAST_S]
        if found:
            log.warning(
                "camera %s begins at a time that was counted before: %s", owned.camera, found[0].cause
            )
        return found

    async def _evident(self, owned: Ownership) -> list[Span]:
        """Give the spans of an earlier pass by their evidence."""
        query = older_than(owned, owned.from_s // 60 * 60) | {"connection": {"$ne": owned.connection}}
        table = self._link.collection(ANALYSED)
        found = table.find(query, ["time", "seconds"]).sort([("time", 1)]).limit(MOST_LOOKED_AT)
        spans: list[Span] = []
        number = 0
        async for document in found:
            number += 1
            minute_s = seconds_of(document["time"])
            for second in sorted(document.get("seconds", ())):
                if minute_s + second + 1 > owned.from_s:
                    _extend(spans, max(minute_s + second, owned.from_s), minute_s + second + 1)
        return await self._to_newest(ANALYSED, query, spans, number)

    async def _crossed(self, owned: Ownership) -> list[Span]:
        """Give the spans of an earlier pass by their crossings, some of which have no evidence."""
        query = older_than(owned, owned.from_s)
        table = self._link.collection(CROSSINGS)
        spans: list[Span] = []
        number = 0
        async for document in table.find(query, ["time"]).sort([("time", 1)]).limit(MOST_LOOKED_AT):
            number += 1
            if connection_of(document["_id"]) not in (0, owned.connection):
                time_s = seconds_of(document["time"])
                _extend(spans, time_s, time_s + 0.001)
        return await self._to_newest(CROSSINGS, query, spans, number)

    async def _to_newest(self, name: str, query: Document, spans: list[Span], number: int) -> list[Span]:
        """Let the last span reach to the newest record where not all were looked at."""
        if number < MOST_LOOKED_AT or not spans:
            return spans
        newest = await self._link.collection(name).find_one(query, ["time"], sort=[("time", -1)])
        end_s = seconds_of(newest["time"]) + 60.0 if newest else 0.0
        return [*spans[:-1], (spans[-1][0], max(spans[-1][1], end_s))]


def _repeat(owned: Ownership, from_s: float, to_s: float) -> RepeatedSpan:
    why = owned.reason if owned.cause else least_step_back(owned.from_s - to_s)
    return RepeatedSpan(
        owned.camera, from_s, to_s, owned.epoch - 1, owned.from_s, why.text, why.code, why.params
    )


def joined(spans: Iterable[Span], near_s: float) -> list[Span]:
    """Put spans in order and join those with a hole of up to `near_s` between them."""
    found: list[Span] = []
    for from_s, to_s in sorted(spans):
        _extend(found, from_s, to_s, near_s)
    return found


def _extend(spans: list[Span], from_s: float, to_s: float, near_s: float = NEAR_S) -> None:
    """Add a span that begins in or after the last one, or in its minute."""
    if spans and from_s <= spans[-1][1] + near_s:
        spans[-1] = min(spans[-1][0], from_s), max(spans[-1][1], to_s)
    else:
        spans.append((from_s, to_s))


def older_than(owned: Ownership, from_s: float, to_s: float | None = None) -> dict[str, Any]:
    """Match what older epochs reported from a time on, and before another."""
    end = {"$lte": FAR} if to_s is None else {"$lt": date_of(to_s)}
    return {
        "camera": owned.camera,
        "time": {"$gte": date_of(from_s), **end},
        "epoch": {"$gt": 0, "$lt": owned.epoch},
    }


def repeats_query(camera: str, from_s: float, to_s: float) -> Document:
    """Match the repeats of a camera that lie in a span, at least in part."""
    return {
        "camera": camera,
        "time": {"$gt": date_of(from_s), "$lte": FAR},
        "from": {"$lt": date_of(to_s)},
    }


def repeats_from(documents: Iterable[Document]) -> list[RepeatedSpan]:
    """Give the repeats of documents, newest first, in the order of their ends, without empty ones."""
    spans = [repeat_from(document) for document in documents]
    return [span for span in spans[::-1] if span.to_s > span.from_s]


def _repeat_id(span: RepeatedSpan) -> str:
    return f"{span.camera}/{span.epoch}/{milliseconds(span.since_s)}/{milliseconds(span.from_s)}"


def _repeat_fields(span: RepeatedSpan) -> Document:
    return {
        "camera": span.camera,
        "from": date_of(span.from_s),
        "epoch": span.epoch,
        "since": date_of(span.since_s),
        "cause": span.cause,
        "code": span.code,
        "params": span.params,
    }


def repeat_from(document: Mapping[str, Any]) -> RepeatedSpan:
    """Give the repeat of a document."""
    return RepeatedSpan(
        camera=CameraId(document["camera"]),
        from_s=seconds_of(document["from"]),
        to_s=seconds_of(document["time"]),
        epoch=document["epoch"],
        since_s=seconds_of(document["since"]),
        cause=document["cause"],
        code=document.get("code", ""),
        params=document.get("params", {}),
    )
