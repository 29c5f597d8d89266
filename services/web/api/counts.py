"""The routes of counts."""

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from itertools import chain, islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.common.database.generations import Generation
from services.common.database.reading import CrossingSelection, Records
from services.core.direction_names import DirectionNames
from services.core.errors import BadInputError, NotFoundError
from services.core.evidence.coverage import Span
from services.core.evidence.selections import analysed_of
from services.web.api.answers import CountsAnswer, TodayAnswer
from services.web.api.counts_text import counts_json, counts_rows
from services.web.api.forms import (
    MEDIA_TYPES,
    AcceptHeader,
    Spreadsheet,
    SpreadsheetParameter,
    csv_begin,
    csv_text,
    form_of,
)
from services.web.api.line_history import LineHistory
from services.web.api.parameters import (
    MOST_DAYS_COUNTED,
    CameraParameter,
    ClassesParameter,
    DirectionsParameter,
    FromTime,
    GenerationParameter,
    LinesParameter,
    ToTime,
    ZoneParameter,
    check_classes_asked,
    check_length,
)
from services.web.api.problems import refusals
from services.web.api.reading import ANSWER_LIMIT_S
from services.web.api.spans import (
    BUCKETS_S,
    bucket_starts,
    check_bucket,
    requested_span,
    whole_minutes,
    zone_of,
)
from services.web.api.tally import Buckets, BucketTallies, Counts, LineSeries, Series
from services.web.auth.caller import Who
from services.web.context import Context, WebContext

router = APIRouter(prefix="/api/v1", tags=["counts"])

FORMS = ("json", "csv")
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}},
    **refusals(404),
}
MOST_LINE_BUCKETS = 100_000
"""Buckets of all lines together in one answer: more than a year of hours of ten lines."""


@router.get("/counts", response_model=CountsAnswer, responses=ANSWERS)
async def get_counts(
    context: Context,
    who: Who,
    camera: CameraParameter = None,
    number: GenerationParameter = None,
    line: LinesParameter = None,
    from_: FromTime = None,
    to: ToTime = None,
    bucket: Annotated[
        str, Query(description="at most 12000 of them", json_schema_extra={"enum": [*BUCKETS_S]})
    ] = "1h",
    tz: ZoneParameter = "UTC",
    class_: ClassesParameter = None,
    direction: DirectionsParameter = None,
    by: Annotated[
        Literal["line"] | None,
        Query(description="`line`: each line beside the sums; at most 100000 buckets of all lines together"),
    ] = None,
    format: Annotated[
        str | None, Query(description="default: by Accept", json_schema_extra={"enum": [*FORMS, None]})
    ] = None,
    spreadsheet: SpreadsheetParameter = None,
    accept: AcceptHeader = "",
) -> Response:
    """Counts with the share of the time that was analysed, over at most 400 days.

    Where `from` or `to` is left out, whole buckets are given: from the one that holds the same moment of the
    day before to the one that holds now.

    A line is covered from when it was being counted, not from when it was drawn; without a line, all lines
    that were there have to be, and with several each of them. A bucket's `coverage` is null while none of it
    has passed, and before the camera was made.

    `compliance` is the share of the people counted whose mask state is `mask`, with their number `counted`:
    who wears one wrongly (`mask_incorrect`) or none does not comply. Its `rate` is null where nobody was
    counted, a line or `class` leaves a state out, or the camera's model finds other things too.

    Where one line is asked for, and of each with by=line, `forward_name` and `backward_name` are what people
    call its directions, as it lay at the end of the span.

    As csv, a row is a bucket, with by=line one of a line; each class has a column for each direction.
    """
    form = form_of(format, accept, FORMS)
    now_s, zone = context.now_s(), zone_of(tz)
    span = _asked_span(from_, to, now_s, zone, bucket)
    generation = await context.generation(camera, number)
    id = generation.camera
    history = await _history(context, generation)
    selection = CrossingSelection(_named(id, line, history), tuple(class_ or ()), tuple(direction or ()))
    records = context.database.records(ANSWER_LIMIT_S).of(generation)
    there = history.begin_s(generation.created_s), generation.deleted_s or math.inf

    def count() -> bytes:
        buckets = Buckets(*span, bucket, bucket_starts(*span, bucket, zone), now_s, *there)
        counts = _counts(records, id, selection, buckets, history, by is not None)
        _check_classes(selection, counts, history, context)
        return counts_json(counts) if form == "json" else _sheet(counts, zone, selection, spreadsheet)

    headers = {"Content-Disposition": f'attachment; filename="counts-{id}.csv"'} if form == "csv" else None
    return Response(await context.reading.run(who, count), media_type=MEDIA_TYPES[form], headers=headers)


@router.get("/counts/today", response_model=TodayAnswer)
async def get_counts_today(context: Context, who: Who, tz: ZoneParameter = "UTC") -> Response:
    """Counts of all cameras in the day of `tz` that holds now: what `/counts` says of each with bucket=1d.

    Made to be asked every few seconds: minutes that are long past are read again only where they changed.
    """
    zone = zone_of(tz)
    with closing(context.reading.slots.take(who)):
        answer = await context.today.answer(context.database, context.reading, zone, context.now_s)
    return Response(answer, media_type="application/json")


async def _history(context: WebContext, generation: Generation) -> LineHistory:
    versions = await context.database.setups.line_versions(generation.camera, generation.number)
    return LineHistory(versions, context.may_state_masks(generation.camera))


def _asked_span(from_text: str | None, to_text: str | None, now_s: float, zone: tzinfo, bucket: str) -> Span:
    """Give the span that is asked for; BadInputError where it is too long, or has too many buckets."""
    span = requested_span(from_text, to_text, now_s, zone, bucket)
    check_length(span[0], span[1] if to_text else min(span[1], now_s), MOST_DAYS_COUNTED)
    check_bucket(bucket, *span)
    return span


def _check_classes(
    selection: CrossingSelection, counts: Counts, history: LineHistory, context: WebContext
) -> None:
    """Check the classes that are asked for, by what was counted too."""
    total = counts.sums.total()
    counted = {*total.forward, *total.backward}
    asked = selection.classes
    check_classes_asked(asked, lambda: history.classes() | context.all_classes(), counted.__contains__)


def _sheet(
    counts: Counts, zone: tzinfo, selection: CrossingSelection, spreadsheet: Spreadsheet | None
) -> bytes:
    rows = counts_rows(counts, zone, selection.classes)
    return (csv_begin(spreadsheet) + csv_text(rows, spreadsheet)).encode()


def _named(camera: str, lines: Sequence[str] | None, history: LineHistory) -> tuple[str, ...]:
    """Give the lines that are named, each once; NotFoundError where one was never there."""
    named = tuple(dict.fromkeys(line for line in lines or () if line))
    for line in named:
        if line not in history.names:
            raise NotFoundError("line-missing", camera=camera, line=line[:80])
    return named


def _counts(
    records: Records,
    camera: str,
    selection: CrossingSelection,
    buckets: Buckets,
    history: LineHistory,
    is_by_line: bool,
) -> Counts:
    """Read what is known of a span once, for all lines that are asked for."""
    span = buckets.from_s, buckets.to_s
    named = selection.lines
    _check_size(len(named or history.lines_in(span)) if is_by_line else 1, buckets)
    directions = DirectionNames(history.versions)
    tallies = BucketTallies(buckets.starts, is_by_line, selection.classes, selection.directions)
    (first, last), edges = whole_minutes(*span)
    tallies.add_minutes(records.minute_counts(camera, first, last, named))
    for edge in edges:
        tallies.add_crossings(records.crossings(camera, *edge, selection))
    lines: Sequence[str] = ()
    if is_by_line:
        lines = named or list(dict.fromkeys([*history.lines_in(span), *sorted(tallies.lines())]))
        _check_size(len(lines), buckets)
    asked = [named or None, *((line,) for line in lines)]
    found = records.evidence(camera, *span)
    oldest = list(islice(found, 1))
    analysed = analysed_of(
        asked, history.versions, partial(records.line_versions_of, camera), chain(oldest, found)
    )
    records_begin_s = [tallies.begin_s, *(minute.begin_s for minute in oldest)]
    buckets = replace(buckets, begin_s=min(buckets.begin_s, *records_begin_s))
    covered = {id(seconds): seconds for seconds in analysed}
    coverage = {key: buckets.coverage(seconds) for key, seconds in covered.items()}
    sums, *of_lines = (coverage[id(seconds)] for seconds in analysed)

    def names(line: str) -> tuple[str | None, str | None]:
        return directions.of_line(line, span[1])

    def has_rate(asked: Sequence[str]) -> bool:
        return history.count_all_states(span, asked, selection.classes)

    return Counts(
        buckets,
        Series(tallies.sums(), sums, has_rate(named), *names(named[0] if len(named) == 1 else "")),
        [
            LineSeries(
                line,
                history.name(line),
                Series(tallies.of_line(line), share, has_rate((line,)), *names(line)),
            )
            for line, share in zip(lines, of_lines, strict=True)
        ]
        if is_by_line
        else None,
    )


def _check_size(lines: int, buckets: Buckets) -> None:
    if lines * len(buckets.starts) > MOST_LINE_BUCKETS:
        raise BadInputError(
            "line-bucket-limit", lines=lines, buckets=len(buckets.starts), most=MOST_LINE_BUCKETS
        )
