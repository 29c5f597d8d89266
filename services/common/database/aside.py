"""Events that are dated ahead of the clock: kept apart, whole and durable, until their time has come.

An event is kept as it came over the bus. It goes where it belongs by the same way as any other, so that
bringing it back twice changes nothing.
"""

from collections.abc import Callable, Iterable, Sequence

from pymongo import ReplaceOne, UpdateOne

from services.common.bus.messages import decode_event, encode_event, event_identity
from services.common.database.documents import (
    analysed_from,
    crossing_from,
    date_of,
    minute_of,
    status_from,
    trajectory_from,
)
from services.common.database.events import EventWriter
from services.common.database.link import DatabaseLink, Document
from services.common.database.minutes import Minutes
from services.common.database.ownership import OwnershipReader
from services.common.database.positions import position_events
from services.common.database.repeats import RepeatReader
from services.common.database.schema import ANALYSED, CROSSINGS, SET_ASIDE, STATUSES, TRAJECTORIES
from services.core.errors import BadMessageError
from services.core.evidence.fencing import admitted
from services.core.types import (
    AccessNote,
    AnalysedSecond,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    StatusChange,
    Trajectory,
)

STAYS, FIRST, EVIDENCE = 0, 1, 2
"""Turns: what cannot be brought back, what comes back first, and the evidence that needs all of that."""

BATCH = 500


def event_end_s(event: Event) -> float | None:
    """Give the latest time that an event speaks of; None for one that is never set aside.

    An announcement of an owner fences others by its epoch, and one of a time that comes twice keeps that from
    being counted: both have to be known at once.
    """
    match event:
        case Crossing() | StatusChange() | AccessNote():
            return event.time_s
        case Trajectory():
            return max((point.time_s for point in event.points), default=None)
        case AnalysedSecond():
            return event.second + 1.0
        case PositionSeconds():
            return event.seconds[-1] + 1.0
        case Ownership() | RepeatedSpan():
            return None


class Aside:
    """Sets events aside and brings them back."""

    def __init__(
        self,
        link: DatabaseLink,
        events: EventWriter,
        minutes: Minutes,
        ownerships: OwnershipReader,
        repeats: RepeatReader,
    ) -> None:
        self._link, self._events, self._minutes = link, events, minutes
        self._ownerships, self._repeats = ownerships, repeats

    async def set_aside(self, events: Sequence[Event]) -> None:
        """Keep events durably until their time; the same events may come again."""
        await self._events.before_writing()
        documents = [document for event in events if (document := _document(event)) is not None]
        if documents:
            with self._link.guarded():
                await self._link.collection(SET_ASIDE).bulk_write(
                    [ReplaceOne({"_id": item["_id"]}, item, upsert=True) for item in documents], ordered=False
                )

    async def bring_back(self, until_s: float) -> int:
        """Write a batch of the events whose time has come, evidence last; 0 when none is left.

        One that a newer owner of its camera forbids meanwhile, or that this version cannot read, stays
        where it is.
        """
        found = await self._due(FIRST, until_s) or await self._due(EVIDENCE, until_s)
        read = {document["_id"]: _event(document) for document in found}
        cameras = {event.camera for event in read.values() if event is not None}
        known = await self._ownerships.ownerships(cameras)
        repeats = await self._repeats.known_repeats(cameras)
        back = {id: event for id, event in read.items() if event and admitted(event, known, repeats) is event}
        await self._events.insert_events(list(back.values()))
        await self._take_out(back, set(read) - set(back))
        return len(found)

    async def take_aside(self, after_s: float) -> int:
        """Take records that are dated later than a time out of their place; gives the number of events.

        About a batch of each kind, 0 when none is left: what lies there was dated by a clock that has been
        found wrong.
        """
        return sum([await self._take_out_of_place(collection, after_s) for collection in _EVENTS])

    async def _take_out_of_place(self, collection: str, after_s: float) -> int:
        table = self._link.collection(collection)
        with self._link.guarded():
            found = (
                await table.find({"time": {"$gt": date_of(after_s)}}).limit(_RECORDS[collection]).to_list()
            )
            if not found:
                return 0
            events = [event for document in found for event in _EVENTS[collection](document)]
            await self.set_aside(events)
            touched = {
                (event.camera, minute_of(event.time_s)) for event in events if isinstance(event, Crossing)
            }
            if touched:
                await self._events.note(touched, ())
            await table.delete_many({"_id": {"$in": [document["_id"] for document in found]}})
        await self._minutes.recompute_minutes(touched)
        self._events.finish()
        return len(events)

    async def _due(self, turn: int, until_s: float) -> list[Document]:
        query = {"turn": turn, "time": {"$lte": date_of(until_s)}}
        with self._link.guarded():
            return await self._link.collection(SET_ASIDE).find(query).sort("time", 1).limit(BATCH).to_list()

    async def _take_out(self, back: Iterable[str], staying: Iterable[str]) -> None:
        table = self._link.collection(SET_ASIDE)
        with self._link.guarded():
            if ids := list(back):
                await table.delete_many({"_id": {"$in": ids}})
            if changes := [UpdateOne({"_id": id}, {"$set": {"turn": STAYS}}) for id in staying]:
                await table.bulk_write(changes, ordered=False)


_EVENTS: dict[str, Callable[[Document], Sequence[Event]]] = {
    CROSSINGS: lambda document: [crossing_from(document)],
    TRAJECTORIES: lambda document: [trajectory_from(document)],
    STATUSES: lambda document: [status_from(document)],
    ANALYSED: lambda document: [*analysed_from(document), *position_events(document)],
}
"""The events that the records of a collection were made of."""

_RECORDS = {CROSSINGS: BATCH, TRAJECTORIES: BATCH, STATUSES: BATCH, ANALYSED: BATCH // 60}
"""Records that hold about a batch of events; evidence is a minute in each."""


def _document(event: Event) -> Document | None:
    end_s = event_end_s(event)
    if end_s is None:
        return None
    turn = EVIDENCE if isinstance(event, AnalysedSecond | PositionSeconds) else FIRST
    return {
        "_id": event_identity(event),
        "camera": event.camera,
        "time": date_of(end_s),
        "turn": turn,
        "event": encode_event(event),
    }


def _event(document: Document) -> Event | None:
    try:
        return decode_event(document["event"])
    except BadMessageError:
        return None
