"""Writing of events: each of them once, whatever is repeated, and minutes that agree with crossings.

Before anything is written, the minutes that it touches and the ownerships that it holds are noted durably;
at the end these minutes are counted anew. A process that ends in between leaves the note, and `heal` does
the rest at the next start.

Several stores may write at once. So each batch looks for newer owners before it writes and again after it:
whichever of two stores is later, the one with the late event or the one with the ownership, removes it.
"""

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
    milliseconds,
    minute_of,
    note_document,
    status_document,
    trajectory_document,
)
from services.common.database.link import Document
from services.common.database.minutes import MinuteTables
from services.common.database.ownership import Minute, OwnershipTables
from services.common.database.positions import position_changes, rest_changes
from services.common.database.schema import ANALYSED, AUDIT, CROSSINGS, PENDING, STATUSES, TRAJECTORIES
from services.core.evidence.fencing import Ownerships, Repeats, admitted, believed
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
TOLD_LIMIT = 1000
"""Refused epochs that are remembered, so that each is told once."""

Reported = Crossing | AnalysedSecond | PositionSeconds | Trajectory
"""What is reported under an epoch."""


class EventTables(MinuteTables, OwnershipTables):
    """Writes what services report."""

    writer: str = "store"
    """Who keeps the note of unfinished work. Stores that get unacknowledged events again may share one."""
    _told: set[tuple[CameraId, int]]
    """Cameras and refused epochs that were told of."""

    async def _before_writing(self) -> None:
        """Wait until the indexes are there; the repository knows how."""

    async def insert_events(self, events: Sequence[Event]) -> int:
        """Write events durably; those that are there already change nothing.

        Evidence of analysed seconds comes last, so that a second is never covered before its crossings
        are there, and after it the word that positions are stored. Gives the number of events that a newer
        owner of their camera forbids, those included that were written before. DatabaseUnavailableError
        leaves some of them written: hand in the same events again.

        What comes before an ownership is written before it: only so can be seen what was counted before.
        """
        await self._before_writing()
        return sum([await self._insert_part(part) for part in _parts(events)])

    async def _insert_part(self, events: Sequence[Event]) -> int:
        owned = [event for event in events if isinstance(event, Ownership)]
        with self._link.guarded():
            if owned:
                await self._note((), owned)
            await self._keep_repeats([event for event in events if isinstance(event, RepeatedSpan)])
            owned = await self._begin_ownerships(owned)
            cameras = {event.camera for event in events if isinstance(event, Reported)}
            known, repeats = await self.ownerships(cameras), await self._known_repeats(cameras)
            kept = [rest for event in events if (rest := admitted(event, known, repeats)) is not None]
            await self._insert_crossings([event for event in kept if isinstance(event, Crossing)], owned)
            await self._insert_others(kept)
            fences = [*owned, *self._fences_of(events, known, repeats)]
            fences += await self._newer_than(known, cameras)
            return len(events) - len(kept) + await self._fence(fences)

    async def heal(self) -> None:
        """Finish what a process left unfinished when it ended."""
        with self._link.guarded():
            note = await self._link.collection(PENDING).find_one({"_id": self.writer})
            if note is None:
                return
            owned = [
                Ownership(CameraId(item[0]), item[1], item[2] / 1000, *item[3:])
                for item in note.get("owned", ())
            ]
            owned = await self._begin_ownerships(owned)
            await self._fence(owned, {(camera, minute) for camera, minute in note["minutes"]})

    async def _begin_ownerships(self, owned: Sequence[Ownership]) -> list[Ownership]:
        """Keep ownerships, and before that what was counted of their time in an earlier pass.

        Gives them as they are believed.
        """
        known = await self.ownerships(item.camera for item in owned)
        for item in owned:
            before = [other.from_s for other in known.get(item.camera, ()) if other.epoch == item.epoch]
            if not before or milliseconds(item.from_s) < milliseconds(before[0]):
                await self._keep_repeats(await self._passes_before(item))
        kept = [believed(item) for item in owned]
        await self._keep_ownerships(kept)
        return kept

    async def _fence(self, fences: Iterable[Ownership], unfinished: Iterable[Minute] = ()) -> int:
        """Remove what was written before these ownerships were known; give the number of crossings."""
        owned = sorted(set(fences), key=lambda item: (item.camera, item.epoch))
        touched = {*unfinished, *await self._fenced_minutes(owned)}
        if touched or owned:
            await self._note(touched, owned)
        removed = await self._remove_fenced(owned)
        await self.recompute_minutes(touched)
        return removed

    def _fences_of(self, events: Sequence[Event], known: Ownerships, repeats: Repeats) -> set[Ownership]:
        """Give the ownerships that forbid some of these events, and tell of each forbidden epoch once."""
        fences: set[Ownership] = set()
        for event in events:
            if isinstance(event, Reported) and admitted(event, known, repeats) is not event:
                newer = [item for item in known.get(event.camera, ()) if item.epoch > event.epoch]
                if newer:
                    fences.add(min(newer, key=lambda item: item.from_s))
                self._tell_refused(event.camera, event.epoch, bool(newer))
        return fences

    def _tell_refused(self, camera: CameraId, epoch: int, has_newer: bool) -> None:
        if (camera, epoch) not in self._told:
            if len(self._told) >= TOLD_LIMIT:
                self._told.clear()
            self._told.add((camera, epoch))
            if has_newer:
                log.warning("camera %s has a newer owner: late events of epoch %d are refused", camera, epoch)
            else:
                log.warning(
                    "camera %s was counted at this time before: events of epoch %d are refused", camera, epoch
                )

    async def _newer_than(self, known: Ownerships, cameras: Iterable[CameraId]) -> list[Ownership]:
        """Give the ownerships that became known while this batch was written."""
        now = await self.ownerships(cameras)
        return [item for camera in now for item in now[camera] if item not in known.get(camera, ())]

    async def _note(self, touched: Iterable[Minute], owned: Iterable[Ownership]) -> None:
        note = {
            "_id": self.writer,
            "minutes": [list(minute) for minute in sorted(touched)],
            "owned": [
                [item.camera, item.epoch, milliseconds(item.from_s), item.connection, item.cause]
                for item in owned
            ],
        }
        await self._link.collection(PENDING).replace_one({"_id": self.writer}, note, upsert=True)

    async def _insert_crossings(self, crossings: Sequence[Crossing], owned: Sequence[Ownership]) -> None:
        if crossings:
            touched = {(crossing.camera, minute_of(crossing.time_s)) for crossing in crossings}
            await self._note(touched, owned)
            await self._insert_new(CROSSINGS, [crossing_document(event) for event in crossings])
            await self.recompute_minutes(touched)

    async def _insert_others(self, events: Sequence[Event]) -> None:
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
        await self._insert_analysed([event for event in events if isinstance(event, AnalysedSecond)])
        if words := position_changes(event for event in events if isinstance(event, PositionSeconds)):
            await self._link.collection(ANALYSED).bulk_write(words, ordered=False)

    async def _insert_new(self, collection: str, documents: list[Document]) -> None:
        if documents:
            with _duplicates_ignored():
                await self._link.collection(collection).insert_many(documents, ordered=False)

    async def _insert_analysed(self, seconds: Sequence[AnalysedSecond]) -> None:
        by_minute: dict[tuple[CameraId, int, int, int], set[int]] = defaultdict(set)
        for event in seconds:
            place = event.camera, event.second // 60, event.epoch, event.connection
            by_minute[place].add(event.second % 60)
        changes = [
            UpdateOne(
                {"_id": analysed_id(camera, minute, epoch, connection)},
                {
                    "$setOnInsert": {
                        "camera": camera,
                        "time": date_of(minute * 60),
                        "epoch": epoch,
                        "connection": connection,
                    },
                    "$addToSet": {"seconds": {"$each": sorted(found)}},
                },
                upsert=True,
            )
            for (camera, minute, epoch, connection), found in by_minute.items()
        ]
        if changes:
            await self._link.collection(ANALYSED).bulk_write(changes, ordered=False)


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
