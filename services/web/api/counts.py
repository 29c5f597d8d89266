"""The route of counts."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.common.database.repository import LineVersion, Records
from services.core.errors import NotFoundError
from services.core.masks import tells_all_states
from services.web.api.answers import CountsAnswer
from services.web.api.parameters import (
    MOST_DAYS_COUNTED,
    CameraParameter,
    FromTime,
    LineParameter,
    ToTime,
    span_of,
)
from services.web.auth.caller import Who
from services.web.context import Context
from services.web.counts import (
    BUCKETS_S,
    Evidence,
    bucket_starts,
    check_bucket,
    counts_json,
    counts_object,
    valid_spans,
    whole_minutes,
    zone_of,
)
from services.web.coverage import AnalysedSeconds, Span
from services.web.problems import refusals
from services.web.reading import ANSWER_LIMIT_S

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
    tz: Annotated[str, Query(description="zone whose hours and days the buckets are")] = "UTC",
) -> Response:
    """Counts with the share of the time that was analysed, over at most 400 days.

    A bucket's `coverage` is null while none of it has passed. `compliance` is the share of the people
    counted whose mask state is `mask`, with their number as `counted`: who wears one wrongly
    (`mask_incorrect`) or none does not comply. Its `rate` is null where nobody was counted, and where
    a line did not count all three states.
    """
    now_s = context.now_s()
    span = span_of(from_, to, now_s, MOST_DAYS_COUNTED)
    zone = zone_of(tz)
    check_bucket(bucket, *span)
    stored = await context.camera_or_default(camera)
    id = stored.camera.id
    versions = [v for v in await context.repository.line_versions(id) if not line or v.line.id == line]
    if line and not versions:
        raise NotFoundError(f"camera {id!r} has no line {line[:80]!r}")
    records = context.repository.records(ANSWER_LIMIT_S)

    def count() -> bytes:
        starts = bucket_starts(*span, bucket, zone)
        evidence = _evidence(records, id, line or None, span, versions)
        return counts_json(counts_object(*span, bucket, starts, evidence, now_s))

    return Response(await context.reading.run(who, count), media_type="application/json")


def _evidence(
    records: Records, camera: str, line: str | None, span: Span, versions: Sequence[LineVersion]
) -> Evidence:
    """Begin to read what is known of a span."""
    valid = None if line is None else valid_spans([(v.valid_from_s, v.is_deleted) for v in versions])
    (first, last), edge_spans = whole_minutes(*span)
    return Evidence(
        records.minute_counts(camera, first, last, line),
        chain.from_iterable(records.crossings(camera, *edge, line) for edge in edge_spans),
        AnalysedSeconds(records.analysed_minutes(camera, *span)),
        valid,
        _tell_all_states(versions, span),
    )


def _tell_all_states(versions: Sequence[LineVersion], span: Span) -> bool:
    """Whether what counted in a span counted all mask states; a version ends where the next one begins."""
    ends_s: dict[str, float] = {}
    for version in reversed(versions):
        end_s = ends_s.get(version.line.id, math.inf)
        ends_s[version.line.id] = version.valid_from_s
        counted = version.valid_from_s < span[1] and end_s > span[0] and not version.is_deleted
        if counted and not tells_all_states(version.line.classes):
            return False
    return True
