"""Counts of today of all cameras, kept so that they may be asked for every few seconds.

Of each camera the closed part of the day is kept: minutes that ended `RECENT_S` ago and more. All later ones
are read with each question, of all cameras at once. What the store changes in the closed part it notes
(`Minutes.note_late`), and then that camera is read as a whole again; so it is when its lines change, and now
and then, for whatever else may have changed the database.
"""

import asyncio
import json
import math
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import partial
from itertools import chain, islice

from services.common.database.reading import Records
from services.common.wire import JsonObject, time_text
from services.core.evidence.coverage import SETTLE_S, AnalysedSeconds, Span
from services.core.evidence.lines import LineEvidence, MinuteEvidence
from services.core.types import CameraId, LineVersion, MinuteCount
from services.web.api.line_history import LineHistory
from services.web.api.reading import ANSWER_LIMIT_S, ReadingThreads
from services.web.api.spans import bucket_end, bucket_start
from services.web.api.tally import BucketTallies, Tally
from services.web.database import WebDatabase

RECENT_S = 600.0
"""Minutes that may change without a note: far more than the store takes for late, since clocks differ."""

REREAD_S, REREAD_STEP_S = 600.0, 15.0
"""Oldest that a closed part gets; a step more for each camera before it, so that not all are read at once."""

MOST_DAYS = 4
"""Days that are kept: zones with the same midnight share one."""


@dataclass(frozen=True, slots=True)
class _Closed:
    """The closed part of a camera's day."""

    made_s: float
    """Since when the camera has been there that it was read of; one that is made anew has its own."""
    versions: Sequence[LineVersion]
    late: int
    read_s: float
    """When it was read as a whole."""
    end_s: float
    lines: Mapping[str, Tally]
    analysed: int
    """Seconds in which no line that was there was left out."""
    evidence: LineEvidence
    begin_s: float
    """Since when the camera has been there, or has records."""


@dataclass(slots=True)
class _Day:
    """The day of the zones that share a midnight."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    closed: Mapping[str, _Closed] = field(default_factory=dict)
    answer: bytes = b""
    begun_s: float = -1.0
    """When the answer began to be read."""


class TodayCounts:
    """Answers how much was counted today."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._days: OrderedDict[Span, _Day] = OrderedDict()

    async def answer(
        self, database: WebDatabase, reading: ReadingThreads, zone: tzinfo, now_s: Callable[[], float]
    ) -> bytes:
        """Give the counts of the day that holds now; those who wait for the same share an answer."""
        asked_s, asked_at_s = self._monotonic_s(), now_s()
        span = float(bucket_start(asked_at_s, "1d", zone)), float(bucket_end(asked_at_s, "1d", zone))
        day = self._day(span)
        async with day.lock:
            if day.begun_s < asked_s:
                begun_s = self._monotonic_s()
                cameras = {stored.camera.id: stored.created_s for stored in await database.setups.cameras()}
                versions = await database.setups.line_versions_of_all()
                histories = {str(camera): LineHistory(versions.get(camera, [])) for camera in cameras}
                begins_s = {id: history.begin_s(cameras[CameraId(id)]) for id, history in histories.items()}
                question = _Question(
                    database.records(ANSWER_LIMIT_S),
                    histories,
                    begins_s,
                    span,
                    now_s(),
                    self._monotonic_s,
                    day.closed,
                )
                day.closed, day.answer = await reading.go_on(question.read)
                day.begun_s = begun_s
            return day.answer

    def _day(self, span: Span) -> _Day:
        day = self._days.setdefault(span, _Day())
        self._days.move_to_end(span)
        while len(self._days) > MOST_DAYS:
            self._days.popitem(last=False)
        return day


@dataclass(frozen=True, slots=True)
class _Question:
    """One answer from what is kept and what is recent; blocks."""

    records: Records
    histories: Mapping[str, LineHistory]
    """Of each camera, in their order."""
    begins_s: Mapping[str, float]
    """Since when each camera has been there."""
    span: Span
    now_s: float
    monotonic_s: Callable[[], float]
    known: Mapping[str, _Closed]

    def read(self) -> tuple[Mapping[str, _Closed], bytes]:
        """Give what is to be kept for the next question, and the answer."""
        late = self.records.late_changes()
        end_s = max(self.span[0], (self.now_s - RECENT_S) // 60 * 60)
        closed = {
            camera: self._closed(number, camera, late.get(camera, 0), end_s)
            for number, camera in enumerate(self.histories)
        }
        since_s = min((part.end_s for part in closed.values()), default=end_s)
        minutes: dict[str, list[MinuteCount]] = defaultdict(list)
        for minute in self.records.minute_counts_of_all(since_s, self.span[1]):
            minutes[minute.camera].append(minute)
        evidence: dict[str, list[MinuteEvidence]] = defaultdict(list)
        for camera, seen in self.records.evidence_of_all(since_s, self.span[1]):
            evidence[camera].append(seen)
        kept, items = {}, []
        for camera, part in closed.items():
            kept[camera], item = self._item(camera, part, minutes[camera], evidence[camera], end_s)
            items.append(_text(item))
        head = _text({"from": time_text(self.span[0]), "to": time_text(self.span[1])})
        return kept, f'{head[:-1]},"items":[{",".join(items)}]}}'.encode()

    def _closed(self, number: int, camera: str, late: int, end_s: float) -> _Closed:
        """Give the closed part of a camera's day as it is kept, else read."""
        versions, read_s = self.histories[camera].versions, self.monotonic_s()
        made_s = self.begins_s[camera]
        known = self.known.get(camera)
        if (
            known is not None
            and (known.made_s, known.versions, known.late) == (made_s, versions, late)
            and known.end_s <= end_s
            and read_s - known.read_s < REREAD_S + REREAD_STEP_S * number
        ):
            return known
        tallies = BucketTallies([self.span[0]], is_by_line=True)
        tallies.add_minutes(self.records.minute_counts(camera, self.span[0], end_s))
        counted = LineEvidence(versions, partial(self.records.line_versions_of, camera))
        found = self.records.evidence(camera, self.span[0], end_s)
        oldest = list(islice(found, 1))
        begin_s = min([made_s, tallies.begin_s, *(minute.begin_s for minute in oldest)])
        analysed = AnalysedSeconds(counted.minutes(chain(oldest, found)))
        seconds = analysed.count(int(self.span[0]), int(end_s))
        lines = _by_line(tallies, 0)
        return _Closed(made_s, versions, late, read_s, end_s, lines, seconds, counted, begin_s)

    def _item(
        self,
        camera: str,
        closed: _Closed,
        minutes: Iterable[MinuteCount],
        evidence: Sequence[MinuteEvidence],
        end_s: float,
    ) -> tuple[_Closed, JsonObject]:
        """Add what is recent; give the closed part up to `end_s`, and what is answered of the camera."""
        tallies = BucketTallies([closed.end_s, end_s], is_by_line=True)
        tallies.add_minutes(minute for minute in minutes if minute.minute * 60 >= closed.end_s)
        analysed = AnalysedSeconds(closed.evidence.minutes(evidence))
        lines = _added(closed.lines, _by_line(tallies, 0))
        seconds = closed.analysed + analysed.count(int(closed.end_s), int(end_s))
        begin_s = min([closed.begin_s, tallies.begin_s, *(minute.begin_s for minute in evidence[:1])])
        kept = replace(closed, end_s=end_s, lines=lines, analysed=seconds, begin_s=begin_s)
        return kept, self._object(camera, kept, _added(lines, _by_line(tallies, 1)), analysed)

    def _object(
        self, camera: str, closed: _Closed, counted: Mapping[str, Tally], recent: AnalysedSeconds
    ) -> JsonObject:
        total = Tally()
        for tally in counted.values():
            total.add_all(tally)
        lines = dict.fromkeys([*self.histories[camera].lines_now(), *sorted(counted)])
        return {
            "camera": camera,
            "coverage": self._coverage(closed, recent),
            "total": total.as_object(),
            "lines": [{"line": line, **counted.get(line, Tally()).as_object()} for line in lines],
        }

    def _coverage(self, closed: _Closed, recent: AnalysedSeconds) -> float | None:
        """Give the same share as `coverage_of` of the whole day."""
        first = math.floor(max(self.span[0], closed.begin_s))
        last = math.floor(min(self.span[1], self.now_s - SETTLE_S))
        if last <= first:
            return None
        return round((closed.analysed + recent.count(int(closed.end_s), last)) / (last - first), 4)


def _by_line(tallies: BucketTallies, bucket: int) -> dict[str, Tally]:
    return {line: tally for line in tallies.lines() if (tally := tallies.of_line(line).get(bucket))}


def _added(counts: Mapping[str, Tally], others: Mapping[str, Tally]) -> Mapping[str, Tally]:
    """Add counts by line; what is kept is not changed."""
    if not others:
        return counts
    sums = {line: Tally(dict(tally.forward), dict(tally.backward)) for line, tally in counts.items()}
    for line, tally in others.items():
        sums.setdefault(line, Tally()).add_all(tally)
    return sums


def _text(value: JsonObject) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
