"""The route of counts."""

import math
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.common.database import LineVersion
from services.core.errors import NotFoundError
from services.core.masks import tells_all_states
from services.core.types import Crossing
from services.web.api.parameters import CameraParameter, FromTime, LineParameter, ToTime, span_of
from services.web.context import Context, WebContext
from services.web.counts import (
    Evidence,
    bucket_starts,
    counts_object,
    valid_spans,
    whole_minutes,
    zone_of,
)
from services.web.coverage import Span

router = APIRouter(prefix="/api/v1", tags=["counts"])


@router.get("/counts")
async def get_counts(
    context: Context,
    camera: CameraParameter = None,
    line: LineParameter = None,
    from_: FromTime = None,
    to: ToTime = None,
    bucket: Annotated[str, Query(description="1m, 5m, 15m, 1h or 1d")] = "1h",
    tz: Annotated[str, Query(description="zone whose hours and days the buckets are")] = "UTC",
) -> dict[str, Any]:
    """Counts with the share of the time that was analysed.

    A bucket's `coverage` is null while none of it has passed. `compliance` is the share of the people
    counted whose mask state is `mask`, with their number as `counted`: who wears one wrongly
    (`mask_incorrect`) or none does not comply. Its `rate` is null where nobody was counted, and where
    a line did not count all three states.
    """
    now_s = context.now_s()
    from_s, to_s = span_of(from_, to, now_s)
    starts = bucket_starts(from_s, to_s, bucket, zone_of(tz))
    stored = await context.camera_or_default(camera)
    evidence = await _evidence(context, stored.camera.id, line or None, (from_s, to_s))
    return counts_object(from_s, to_s, bucket, starts, evidence, now_s)


async def _evidence(context: WebContext, camera: str, line: str | None, span: Span) -> Evidence:
    repository = context.repository
    versions = [v for v in await repository.line_versions(camera) if line in (None, v.line.id)]
    if line is not None and not versions:
        raise NotFoundError(f"camera {camera!r} has no line {line!r}")
    valid = None if line is None else valid_spans([(v.valid_from_s, v.is_deleted) for v in versions])
    (first, last), edge_spans = whole_minutes(*span)
    minutes = await repository.minute_counts(camera, first, last, line)
    edges: list[Crossing] = []
    for start_s, end_s in edge_spans:
        edges.extend([crossing async for crossing in repository.crossings(camera, start_s, end_s, line)])
    analysed = await repository.analysed_minutes(camera, *span)
    return Evidence(minutes, edges, analysed, valid, _tell_all_states(versions, span))


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
