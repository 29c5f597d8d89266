"""Reading of what was recorded; each query carries a range of time."""

import math
import time
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from services.common.database.documents import (
    EPOCH,
    FAR,
    crossing_from,
    date_of,
    evidence_from,
    milliseconds,
    minute_from,
    revision_id,
    seconds_of,
    status_from,
    trajectory_from,
)
from services.common.database.generations import Generation, generation_from, generations_of
from services.common.database.link import DatabaseLink, Document
from services.common.database.positions import POSITION_FIELDS, pieces_query, recountable
from services.common.database.repeats import MOST_REPEATS, repeats_from, repeats_query
from services.common.database.schema import (
    ANALYSED,
    CAMERAS,
    CROSSINGS,
    LATE,
    META,
    MINUTES,
    REPEATS,
    RETENTION,
    REVISIONS,
    STATUSES,
    TRAJECTORIES,
)
from services.core.errors import BadInputError
from services.core.evidence.lines import MinuteEvidence
from services.core.evidence.passes import seen_once
from services.core.trajectories import joined
from services.core.types import CameraId, Crossing, MinuteCount, RepeatedSpan, StatusChange, Trajectory

FIRST_WINDOW_S = 3600.0
STATUS_LOOK_BACK_S = 90 * 86_400.0

CONFIDENCE_STEP = 1e-4
EVIDENCE_FIELDS = {"_id": 0, "time": 1, "seconds": 1, "revision": 1, "lacking": 1}

BATCH = 1000
"""Documents that are read at once: a thread that reads many holds up the others for a moment only."""


@dataclass(frozen=True, slots=True)
class CrossingCursor:
    """A place between two crossings in the order newest first: what comes after this one."""

    time_s: float
    id: str


@dataclass(frozen=True, slots=True)
class CrossingSelection:
    """Which crossings of a camera are read; what is empty or None takes all."""

    lines: Sequence[str] = ()
    classes: Sequence[str] = ()
    directions: Sequence[str] = ()
    masks: Sequence[str] = ()
    least_confidence: float | None = None
    most_confidence: float | None = None
    """Both ends belong to it, by confidences as they are given: rounded to four digits."""

    def query(self) -> Document:
        """Give what the database is asked for beside camera and time."""
        confidence: Document = {}
        if self.least_confidence is not None:
            confidence["$gte"] = self.least_confidence - CONFIDENCE_STEP / 2
        if self.most_confidence is not None:
            confidence["$lt"] = self.most_confidence + CONFIDENCE_STEP / 2
        wanted = {"class": self.classes, "direction": self.directions, "mask": self.masks}
        query = _lines(self.lines) | {key: {"$in": [*values]} for key, values in wanted.items() if values}
        return query | {"confidence": confidence} if confidence else query


ALL_CROSSINGS = CrossingSelection()


class Records:
    """Reads of the records by camera and time; the spans include their start and not their end.

    They block: whoever has an event loop calls them in a thread. Each reads on as it is iterated, so that
    no more than a batch of it is in memory. DatabaseUnavailableError when the database goes meanwhile.
    """

    def __init__(self, link: DatabaseLink, limit_s: float = math.inf) -> None:
        """BadInputError from reads that go on for longer than `limit_s` from now."""
        self._link, self._limit_s, self._begun_s = link, limit_s, time.monotonic()
        self._generations: dict[str, Generation] = {}
        """What is read of each camera: its newest generation where no other was chosen."""

    def of(self, generation: Generation) -> "Records":
        """Read a generation of a camera, whether it is the newest or an older one."""
        self._generations[generation.camera] = generation
        return self

    def _generation(self, camera: str) -> Generation:
        if camera not in self._generations:
            known = generations_of(self._link, camera)
            self._generations[camera] = known[-1] if known else Generation(CameraId(camera), 1, camera, 0.0)
        return self._generations[camera]

    def crossings_number(self, generation: Generation) -> int:
        """Give how many crossings of a generation are kept."""
        self._check_time()
        query = {"camera": generation.camera, "time": {"$gte": EPOCH}} | generation.epochs_query()
        with self._link.guarded():
            return self._link.reading(CROSSINGS).count_documents(query)

    def minute_counts(
        self, camera: str, from_s: float, to_s: float, lines: Collection[str] = ()
    ) -> Iterator[MinuteCount]:
        """Give the counted minutes of some lines, or of all, that begin in a span, in the order of time."""
        query = _span(camera, from_s, to_s) | _lines(lines) | self._generation(camera).number_query()
        for document in self._find(MINUTES, query, [("time", 1)]):
            yield minute_from(document)

    def minute_counts_of_all(self, from_s: float, to_s: float) -> Iterator[MinuteCount]:
        """Give the counted minutes of the cameras that are there, as they were made last, by time."""
        there = self._there()
        for document in self._find(MINUTES, _time(from_s, to_s), [("time", 1)]):
            found = minute_from(document)
            if found.camera in there and there[found.camera].number == found.generation:
                yield found

    def _there(self) -> dict[str, Generation]:
        """Give the generation of each camera that is there."""
        with self._link.guarded():
            found = self._link.reading(CAMERAS).find({"time": {"$gte": EPOCH}})
            return {document["_id"]: generation_from(document) for document in found}

    def crossings(
        self,
        camera: str,
        from_s: float,
        to_s: float,
        selection: CrossingSelection = ALL_CROSSINGS,
        after: CrossingCursor | None = None,
    ) -> Generator[Crossing, None, None]:
        """Give crossings, newest first; `after` goes on behind that place.

        Walks back in windows that grow, so that the newest come at once from a span of any length.
        """
        end_s = to_s if after is None else min(to_s, after.time_s + 0.001)
        window_s, epochs = FIRST_WINDOW_S, self._generation(camera).epochs_query()
        while end_s > from_s:
            start_s = max(from_s, end_s - window_s)
            query = _span(camera, start_s, end_s) | selection.query() | epochs
            self._check_time()
            for document in self._find(CROSSINGS, query, [("time", -1), ("_id", -1)]):
                crossing = crossing_from(document)
                if after is None or _is_behind(crossing, after):
                    yield crossing
            end_s, window_s = start_s, window_s * 2

    def analysed_minutes(self, camera: str, from_s: float, to_s: float) -> Iterator[tuple[int, int]]:
        """Give minutes since 1970 with their analysed seconds: bit n stands for second n.

        A minute that several owners analysed comes several times.
        """
        for evidence in self.evidence(camera, from_s, to_s):
            yield evidence.minute, evidence.seconds

    def evidence(self, camera: str, from_s: float, to_s: float) -> Iterator[MinuteEvidence]:
        """Give what is known of minutes, in the order of time; several of one minute follow each other.

        Seconds that come twice are none: what was analysed is one of the two.
        """
        begin_s = from_s // 60 * 60
        repeats = self.repeats(camera, begin_s, to_s)
        query = _span(camera, begin_s, to_s) | self._generation(camera).epochs_query()
        for document in self._find(ANALYSED, query, [("time", 1)], EVIDENCE_FIELDS):
            found = evidence_from(document)
            once = seen_once(found.minute, found.seconds, repeats)
            yield found if once == found.seconds else replace(found, seconds=once)

    def evidence_of_all(self, from_s: float, to_s: float) -> Iterator[tuple[str, MinuteEvidence]]:
        """Give what is known of minutes of the cameras that are there, as `evidence` does of one."""
        begin_s = from_s // 60 * 60
        ending = {"time": {"$gt": date_of(begin_s), "$lte": FAR}}
        repeats: dict[str, list[RepeatedSpan]] = {}
        for span in repeats_from(self._find(REPEATS, ending, [("time", -1)], limit=MOST_REPEATS)):
            repeats.setdefault(span.camera, []).append(span)
        fields, there = EVIDENCE_FIELDS | {"camera": 1, "epoch": 1}, self._there()
        for document in self._find(ANALYSED, _time(begin_s, to_s), [("time", 1)], fields):
            found, camera = evidence_from(document), document["camera"]
            if camera not in there or not there[camera].has(document.get("epoch", 0)):
                continue
            once = seen_once(found.minute, found.seconds, repeats.get(camera, []))
            yield camera, found if once == found.seconds else replace(found, seconds=once)

    def late_changes(self) -> dict[str, int]:
        """Give how often what was recorded of each camera was changed when it was long past (`LATE_S`)."""
        with self._link.guarded():
            known = self._link.reading(META).find_one({"_id": LATE}) or {}
        return dict(known.get("cameras", {}))

    def line_versions_of(self, camera: str, revision: str) -> dict[str, int] | None:
        """Give the versions of the lines of a revision of a camera's setup; None where nobody knows it."""
        self._check_time()
        with self._link.guarded():
            found = self._link.reading(REVISIONS).find_one({"_id": revision_id(camera, revision)})
        return dict(found["lines"]) if found else None

    def recountable_minutes(self, camera: str, from_s: float, to_s: float) -> Iterator[tuple[int, int]]:
        """Give minutes since 1970 with the seconds that can be counted again: bit n stands for second n.

        These were counted, their positions are stored and have not been deleted, and they come once.
        """
        begin_s = from_s // 60 * 60
        repeats = self.repeats(camera, begin_s, to_s)
        with self._link.guarded():
            known = self._link.reading(META).find_one({"_id": RETENTION}) or {}
        deleted = known.get("deleted", {}).get(TRAJECTORIES)
        query = _span(camera, begin_s, to_s) | self._generation(camera).epochs_query()
        found = self._find(ANALYSED, query, [("time", 1)], POSITION_FIELDS)
        for minute, seconds in recountable(found, None if deleted is None else seconds_of(deleted)):
            yield minute, seen_once(minute, seconds, repeats)

    def trajectories(self, camera: str, from_s: float, to_s: float) -> Iterator[Trajectory]:
        """Give the tracks that were seen in a span, their pieces joined, in the order of their ends.

        Pieces that lie in the span in part are whole. A track of very many points comes in parts; see
        `joined`, which also bounds what is in memory.
        """
        query = pieces_query(camera, from_s, to_s) | self._generation(camera).epochs_query()
        found = self._find(TRAJECTORIES, query, [("time", 1)])
        return joined(trajectory_from(document) for document in found)

    def repeats(self, camera: str, from_s: float, to_s: float) -> list[RepeatedSpan]:
        """Give the times of a span that come twice, in the order of their ends."""
        query = repeats_query(camera, from_s, to_s)
        return repeats_from(self._find(REPEATS, query, [("time", -1)], limit=MOST_REPEATS))

    def statuses(self, camera: str, from_s: float, to_s: float) -> list[StatusChange]:
        """Give the status that was in force at the start of a span and its changes, in the order of time.

        A status knows no epoch: those from before a camera was made again are of an older generation.
        """
        generation = self._generation(camera)
        begin_s = generation.created_s if generation.number > 1 else 0.0
        from_s, to_s = max(from_s, begin_s), max(to_s, begin_s)
        before = _span(camera, max(from_s - STATUS_LOOK_BACK_S, begin_s), from_s)
        earlier = list(self._find(STATUSES, before, [("time", -1)], limit=1))
        changes = self._find(STATUSES, _span(camera, from_s, to_s), [("time", 1)])
        return [status_from(document) for document in (*earlier, *changes)]

    def _find(
        self,
        collection: str,
        query: Document,
        order: list[tuple[str, int]],
        fields: list[str] | dict[str, int] | None = None,
        limit: int = 0,
    ) -> Iterator[Document]:
        with self._link.guarded():
            found = self._link.reading(collection).find(query, fields, sort=order, limit=limit)
            with closing(found):
                for number, document in enumerate(found.batch_size(BATCH)):
                    if number % BATCH == 0:
                        self._check_time()
                    yield document

    def _check_time(self) -> None:
        if time.monotonic() - self._begun_s > self._limit_s:
            raise BadInputError("question-too-long", seconds=self._limit_s)


def _span(camera: str, from_s: float, to_s: float) -> dict[str, Any]:
    return {"camera": camera, **_time(from_s, to_s)}


def _time(from_s: float, to_s: float) -> dict[str, Any]:
    return {"time": {"$gte": date_of(from_s), "$lt": date_of(to_s)}}


def _lines(lines: Collection[str]) -> Document:
    """Ask for some lines; one by its own name, which every server answers from the index of lines."""
    if len(lines) == 1:
        return {"line": next(iter(lines))}
    return {"line": {"$in": sorted(lines)}} if lines else {}


def _is_behind(crossing: Crossing, place: CrossingCursor) -> bool:
    """Compare as the database sorts: by milliseconds, then by id."""
    return (milliseconds(crossing.time_s), crossing.id) < (milliseconds(place.time_s), place.id)
