"""The route of counts."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.common.database.reading import Records
from services.core.errors import NotFoundError
from services.core.evidence.coverage import AnalysedSeconds, Span
from services.core.evidence.lines import LineEvidence
from services.core.model_classes import counts_all_states
from services.core.types import LineVersion
from services.web.api.answers import CountsAnswer
from services.web.api.parameters import (
    MOST_DAYS_COUNTED,
    CameraParameter,
    FromTime,
    LineParameter,
    ToTime,
    ZoneParameter,
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
from services.web.api.tally import Evidence, counts_json, counts_object
from services.web.auth.caller import Who
from services.web.context import Context

router = APIRouter(prefix="/api/v1", tags=["counts"])


@router.get("/counts", response_model=CountsAnswer, responses=refusals(404))
async def get_counts(
    context: Context,
    who: Who,
    camera: CameraParameter = None,
    line: LineParameter = None,
    from_: FromTime = None,
    to: ToTime = None,
    bucket: Annotated[
        str, Query(description="at most 12000 of them", json_schema_extra={"enum": [*BUCKETS_S]})
    ] = "1h",
    tz: ZoneParameter = "UTC",
) -> Response:
    """Counts with the share of the time that was analysed, over at most 400 days.

    Where `from` or `to` is left out, whole buckets are given: from the one that holds the same moment of the
    day before to the one that holds now.

    A line is covered from when it was being counted, not from when it was drawn; without a line, all lines
    that were there have to be. A bucket's `coverage` is null while none of it has passed, and before the
    camera was made.

    `compliance` is the share of the people counted whose mask state is `mask`, with their number `counted`:
    who wears one wrongly (`mask_incorrect`) or none does not comply. Its `rate` is null where nobody was
    counted, and where a line did not count all three states.
    """
    now_s = context.now_s()
    zone = zone_of(tz)
    span = requested_span(from_, to, now_s, zone, bucket)
    check_length(span[0], span[1] if to else min(span[1], now_s), MOST_DAYS_COUNTED)
    check_bucket(bucket, *span)
    stored = await context.camera_or_default(camera)
    id = stored.camera.id
    versions = [v for v in await context.database.setups.line_versions(id) if not line or v.line.id == line]
    if line and not versions:
        raise NotFoundError(f"camera {id!r} has no line {line[:80]!r}")
    records = context.database.records(ANSWER_LIMIT_S)
    begin_s = min([stored.created_s, *(version.valid_from_s for version in versions)])

    def count() -> bytes:
        starts = bucket_starts(*span, bucket, zone)
        evidence = _evidence(records, id, line or None, span, versions, begin_s)
        return counts_json(counts_object(*span, bucket, starts, evidence, now_s))

    return Response(await context.reading.run(who, count), media_type="application/json")


def _evidence(
    records: Records,
    camera: str,
    line: str | None,
    span: Span,
    versions: Sequence[LineVersion],
    begin_s: float,
) -> Evidence:
    """Begin to read what is known of a span; the camera is there from `begin_s` on, or its first record."""
    counted = LineEvidence(versions, partial(records.line_versions_of, camera), line)
    found = records.evidence(camera, *span)
    oldest = list(islice(found, 1))
    for minute in oldest:
        begin_s = min(begin_s, minute.minute * 60.0 + (minute.seconds & -minute.seconds).bit_length() - 1)
    (first, last), edge_spans = whole_minutes(*span)
    return Evidence(
        records.minute_counts(camera, first, last, line),
        chain.from_iterable(records.crossings(camera, *edge, line) for edge in edge_spans),
        AnalysedSeconds(counted.minutes(chain(oldest, found))),
        _count_all_states(versions, span),
        begin_s,
    )


def _count_all_states(versions: Sequence[LineVersion], span: Span) -> bool:
    """Whether what counted in a span counted all mask states; a version ends where the next one begins."""
    ends_s: dict[str, float] = {}
    for version in reversed(versions):
        end_s = ends_s.get(version.line.id, math.inf)
        ends_s[version.line.id] = version.valid_from_s
        counted = version.valid_from_s < span[1] and end_s > span[0] and not version.is_deleted
        if counted and not counts_all_states(version.line.classes):
            return False
    return True
