"""Writing of events: each of them once, whatever is repeated, and minutes that agree with crossings.

Before anything is written, the minutes that it touches and the ownerships that it holds are noted durably;
at the end these minutes are counted anew. A process that ends in between leaves the note, and `heal` does
the rest before anything else is written; so it does where the database went away in between.

Several stores may write at once. So each batch looks for newer owners before it writes and again after it:
whichever of two stores is later, the one with the late event or the one with the ownership, removes it.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from services.common.database.documents import (
    analysed_id,
    crossing_document,
    date_of,
    lacking_text,
    milliseconds,
    minute_of,
    note_document,
    status_document,
    trajectory_document,
)
from services.common.database.generation_removal import RemovedGenerations
from services.common.database.link import DatabaseLink, Document
from services.common.database.minutes import Minute, Minutes
from services.common.database.ownership import Fences, OwnershipReader
from services.common.database.positions import position_changes, rest_changes
from services.common.database.repeats import RepeatKeeper, RepeatReader
from services.common.database.schema import (
    ANALYSED,
    AUDIT,
    CROSSINGS,
    PENDING,
    STATUSES,
    TRAJECTORIES,
    Schema,
)
from services.core.evidence.fencing import Ownerships, Repeats, admitted, believed
from services.core.times import seconds
from services.core.trajectories import at_rest
from services.core.types import (
    AccessNote,
    AnalysedSecond,
    CameraId,
    Crossing,
    Event,
    Ownership,
    PositionSeconds,
    RepeatedSpan,
    StatusChange,
    Trajectory,
)

log = logging.getLogger(__name__)

DUPLICATE_KEY = 11_000
LOGGED_LIMIT = 1000
"""Refused epochs that are remembered, so that each is logged once."""

WRITER = "store"
"""Who keeps the note of unfinished work. Stores that get unacknowledged events again may share one."""

Reported = Crossing | AnalysedSecond | PositionSeconds | Trajectory
"""What is reported under an epoch."""


class EventWriter:
    """Writes what services report. First of all it finishes what an ended process left half done."""

    def __init__(
        self,
        link: DatabaseLink,
        schema: Schema,
        minutes: Minutes,
        ownerships: OwnershipReader,
        repeats: RepeatReader,
        fences: Fences,
        passes: RepeatKeeper,
        removed: RemovedGenerations,
    ) -> None:
        self._link, self._schema, self._minutes = link, schema, minutes
        self._ownerships, self._repeats, self._fences, self._passes = ownerships, repeats, fences, passes
        self._removed = removed
        self._preparing = asyncio.Lock()
        self._is_whole = False
        """Whether the note names nothing that is unfinished."""
        self._logged: set[tuple[CameraId, int]] = set()
        """Cameras and refused epochs that were logged."""

    async def prepare(self) -> None:
        """Make the indexes, and finish what an ended process left half done."""
        await self._schema.prepare()
        async with self._preparing:
            await self.heal()
            self.finish()

    async def before_writing(self) -> None:
        """Finish what this or an ended process left half done: the next note is written over that of it."""
        await self._schema.before_writing()
        if not self._is_whole:
            await self.prepare()

    def finish(self) -> None:
        """Let the note stand for nothing: what it names has been written, and counted anew."""
        self._is_whole = True

    async def insert_events(self, events: Sequence[Event]) -> int:
        """Write events durably; those that are there already change nothing.

        Evidence of analysed seconds comes last, so that a second is never covered before its crossings
        are there, and after it the word that positions are stored. Gives the number of events that a newer
        owner of their camera forbids, those included that were written before. DatabaseUnavailableError
        leaves some of them written: hand in the same events again.

        What comes before an ownership is written before it: only so can be seen what was counted before.
        """
        await self.before_writing()
        refused = sum([await self._insert_part(part) for part in _parts(events)])
        self.finish()
        return refused

    async def _insert_part(self, events: Sequence[Event]) -> int:
        owned = [event for event in events if isinstance(event, Ownership)]
        with self._link.guarded():
            if owned:
                await self.note((), owned)
            await self._passes.keep_repeats([event for event in events if isinstance(event, RepeatedSpan)])
            owned = await self._begin_ownerships(owned)
            cameras = {event.camera for event in events if isinstance(event, Reported)}
            known = await self._ownerships.ownerships(cameras)
            repeats = await self._repeats.known_repeats(cameras)
            admissible = [rest for event in events if (rest := admitted(event, known, repeats)) is not None]
            kept = await self._removed.without(admissible, cameras)
            await self._insert_crossings([event for event in kept if isinstance(event, Crossing)], owned)
            await self._insert_others(kept)
            fences = [*owned, *self._fences_of(events, known, repeats)]
            fences += await self._newer_than(known, cameras)
            removed = await self._fence(fences)
            await self._minutes.note_late(_changed_evidence(kept, fences))
            return len(events) - len(kept) + removed

    async def heal(self) -> None:
        """Finish what a process left unfinished when it ended."""
        with self._link.guarded():
            note = await self._link.collection(PENDING).find_one({"_id": WRITER})
            if note is None:
                return
            owned = [
                Ownership(CameraId(item[0]), item[1], seconds(item[2]), *item[3:])
                for item in note.get("owned", ())
            ]
            owned = await self._begin_ownerships(owned)
            await self._fence(owned, {(camera, minute) for camera, minute in note["minutes"]})

    async def _begin_ownerships(self, owned: Sequence[Ownership]) -> list[Ownership]:
        """Keep ownerships, and before that what was counted of their time in an earlier pass.

        Gives them as they are believed.
        """
        known = await self._ownerships.ownerships(item.camera for item in owned)
        for item in owned:
            before = [other.from_s for other in known.get(item.camera, ()) if other.epoch == item.epoch]
            if not before or milliseconds(item.from_s) < milliseconds(before[0]):
                await self._passes.keep_repeats(await self._passes.passes_before(item))
        kept = [believed(item) for item in owned]
        await self._fences.keep_ownerships(kept)
        return kept

    async def _fence(self, fences: Iterable[Ownership], unfinished: Iterable[Minute] = ()) -> int:
        """Remove what was written before these ownerships were known; give the number of crossings."""
        owned = sorted(set(fences), key=lambda item: (item.camera, item.epoch))
        touched = {*unfinished, *await self._fences.fenced_minutes(owned)}
        if touched or owned:
            await self.note(touched, owned)
        removed = await self._fences.remove_fenced(owned)
        await self._minutes.recompute_minutes(touched)
        return removed

    def _fences_of(self, events: Sequence[Event], known: Ownerships, repeats: Repeats) -> set[Ownership]:
        """Give the ownerships that forbid some of these events, and log each forbidden epoch once."""
        fences: set[Ownership] = set()
        for event in events:
            if isinstance(event, Reported) and admitted(event, known, repeats) is not event:
                newer = [item for item in known.get(event.camera, ()) if item.epoch > event.epoch]
                if newer:
                    fences.add(min(newer, key=lambda item: item.from_s))
                self._log_refused(event.camera, event.epoch, bool(newer))
        return fences

    def _log_refused(self, camera: CameraId, epoch: int, has_newer: bool) -> None:
        if (camera, epoch) not in self._logged:
            if len(self._logged) >= LOGGED_LIMIT:
                self._logged.clear()
            self._logged.add((camera, epoch))
            if has_newer:
                log.warning("camera %s has a newer owner: late events of epoch %d are refused", camera, epoch)
            else:
                log.warning(
                    "camera %s was counted at this time before: events of epoch %d are refused", camera, epoch
                )

    async def _newer_than(self, known: Ownerships, cameras: Iterable[CameraId]) -> list[Ownership]:
        """Give the ownerships that became known while this batch was written."""
        now = await self._ownerships.ownerships(cameras)
        return [item for camera in now for item in now[camera] if item not in known.get(camera, ())]

    async def note(self, touched: Iterable[Minute], owned: Iterable[Ownership]) -> None:
        """Note durably which minutes and ownerships a write touches, so that `heal` can finish it."""
        self._is_whole = False
        note = {
            "_id": WRITER,
            "minutes": [list(minute) for minute in sorted(touched)],
            "owned": [
                [
                    *(item.camera, item.epoch, milliseconds(item.from_s), item.connection),
                    *(item.cause, item.code, item.params),
                ]
                for item in owned
            ],
        }
        await self._link.collection(PENDING).replace_one({"_id": WRITER}, note, upsert=True)

    async def _insert_crossings(self, crossings: Sequence[Crossing], owned: Sequence[Ownership]) -> None:
        if crossings:
            touched = {(crossing.camera, minute_of(crossing.time_s)) for crossing in crossings}
            await self.note(touched, owned)
            await self._insert_new(CROSSINGS, [crossing_document(event) for event in crossings])
            await self._minutes.recompute_minutes(touched)

    async def _insert_others(self, events: Sequence[Event]) -> None:
        """Write all but crossings; HalfRestoredError where a restore has begun, which deletes these."""
        await self._schema.ensure_whole()
        tracks = [event for event in events if isinstance(event, Trajectory) and event.points]
        await self._insert_new(
            TRAJECTORIES, [trajectory_document(item) for item in tracks if not at_rest(item)]
        )
        if rests := rest_changes(item for item in tracks if at_rest(item)):
            with _duplicates_ignored():
                await self._link.collection(TRAJECTORIES).bulk_write(rests, ordered=False)
        changes = [status_document(event) for event in events if isinstance(event, StatusChange)]
        await self._insert_new(STATUSES, changes)
        notes = [note_document(event) for event in events if isinstance(event, AccessNote)]
        await self._insert_new(AUDIT, notes)
        await self._schema.ensure_whole()
        await self._insert_analysed([event for event in events if isinstance(event, AnalysedSecond)])
        if words := position_changes(event for event in events if isinstance(event, PositionSeconds)):
            await self._link.collection(ANALYSED).bulk_write(words, ordered=False)

    async def _insert_new(self, collection: str, documents: list[Document]) -> None:
        if documents:
            with _duplicates_ignored():
                await self._link.collection(collection).insert_many(documents, ordered=False)

    async def _insert_analysed(self, seconds: Sequence[AnalysedSecond]) -> None:
        by_minute: dict[str, list[AnalysedSecond]] = defaultdict(list)
        for event in seconds:
            place = event.camera, event.second // 60, event.epoch, event.connection, event.revision
            by_minute[analysed_id(*place)].append(event)
        changes = [_evidence_update(id, found) for id, found in by_minute.items()]
        if changes:
            await self._link.collection(ANALYSED).bulk_write(changes, ordered=False)


def _evidence_update(id: str, seconds: Sequence[AnalysedSecond]) -> UpdateOne:
    """Add seconds of one minute, epoch, connection and revision to their document."""
    first = seconds[0]
    fields: Document = {
        "camera": first.camera,
        "time": date_of(first.second // 60 * 60),
        "epoch": first.epoch,
        "connection": first.connection,
    }
    added: Document = {"seconds": {"$each": sorted({event.second % 60 for event in seconds})}}
    lacking = {lacking_text(line, event.second % 60) for event in seconds for line in event.lacking}
    if lacking:
        added["lacking"] = {"$each": sorted(lacking)}
    if first.revision:
        fields["revision"] = first.revision
    return UpdateOne({"_id": id}, {"$setOnInsert": fields, "$addToSet": added}, upsert=True)


def _changed_evidence(events: Iterable[Event], fences: Iterable[Ownership]) -> Iterator[Minute]:
    """Give the first minutes whose evidence was changed by events and ownerships."""
    for event in events:
        if isinstance(event, AnalysedSecond):
            yield event.camera, event.second // 60
        elif isinstance(event, RepeatedSpan):
            yield event.camera, minute_of(event.from_s)
    for owned in fences:
        yield owned.camera, minute_of(owned.from_s)


@contextmanager
def _duplicates_ignored() -> Iterator[None]:
    """Let many writes pass of which some are there already."""
    try:
        yield
    except BulkWriteError as error:
        details = error.details or {}
        others = [failure for failure in details["writeErrors"] if failure["code"] != DUPLICATE_KEY]
        if others or details.get("writeConcernErrors"):
            raise


def _parts(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Cut events before each ownership that follows something else."""
    start = 0
    for place, event in enumerate(events):
        if isinstance(event, Ownership) and any(isinstance(other, Reported) for other in events[start:place]):
            yield events[start:place]
            start = place
    yield events[start:]
