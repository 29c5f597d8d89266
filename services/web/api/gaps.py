"""The routes of gaps."""

import json
from collections.abc import Iterable, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from services.common.database.reading import Records
from services.common.database.setups import StoredCamera
from services.common.wire import JsonObject, time_text
from services.core.evidence.coverage import AnalysedSeconds, Span
from services.core.evidence.gaps import MOST_GAPS, Gap, find_gaps, gaps_with_repeats, too_many_gaps
from services.web.api.answers import CameraGapsAnswer, GapsAnswer
from services.web.api.parameters import (
    MOST_DAYS_COUNTED,
    FromTime,
    ToTime,
    ZoneParameter,
    check_length,
    span_of,
)
from services.web.api.problems import refusals
from services.web.api.reading import ANSWER_LIMIT_S
from services.web.auth.caller import Who
from services.web.context import Context

router = APIRouter(prefix="/api/v1", tags=["counts"])


@router.get("/cameras/{camera}/gaps", response_model=GapsAnswer, responses=refusals(404))
async def get_gaps(
    camera: str,
    context: Context,
    who: Who,
    from_: FromTime = None,
    to: ToTime = None,
    tz: ZoneParameter = "UTC",
) -> Response:
    """Spans in which the camera was not analysed, since it was made, with their causes.

    Over at most 400 days, and at most 20000 of them.
    """
    now_s = context.now_s()
    stored = await context.database.setups.camera(camera)
    span = span_of(from_, to, now_s, tz)
    check_length(*_since_made(stored, span), MOST_DAYS_COUNTED)
    records = context.database.records(ANSWER_LIMIT_S)

    def find() -> bytes:
        return _json([gap_object(gap) for gap in _gaps(records, stored, span, now_s)])

    return Response(await context.reading.run(who, find), media_type="application/json")


@router.get("/gaps", response_model=CameraGapsAnswer)
async def get_gaps_of_all(
    context: Context,
    who: Who,
    from_: FromTime = None,
    to: ToTime = None,
    tz: ZoneParameter = "UTC",
) -> Response:
    """Spans in which cameras were not analysed, each since it was made, one camera after the other.

    Over at most 400 days, and at most 20000 of them together.
    """
    now_s = context.now_s()
    span = span_of(from_, to, now_s, tz)
    cameras = await context.database.setups.cameras()
    check_length(
        min((_since_made(stored, span)[0] for stored in cameras), default=span[1]), span[1], MOST_DAYS_COUNTED
    )
    records = context.database.records(ANSWER_LIMIT_S)

    def find() -> bytes:
        items: list[JsonObject] = []
        for stored in cameras:
            gaps = _gaps(records, stored, span, now_s)
            items += ({**gap_object(gap), "camera": stored.camera.id} for gap in gaps)
            if len(items) > MOST_GAPS:
                raise too_many_gaps(MOST_GAPS)
        return _json(items)

    return Response(await context.reading.run(who, find), media_type="application/json")


def gap_object(gap: Gap) -> JsonObject:
    """Give a gap as the API shows it."""
    return {"from": time_text(gap.from_s), "to": time_text(gap.to_s), "cause": gap.cause}


def _since_made(stored: StoredCamera, span: Span) -> Span:
    return max(span[0], min(stored.created_s, span[1])), span[1]


def _gaps(records: Records, stored: StoredCamera, span: Span, now_s: float) -> Sequence[Gap]:
    """Read the gaps of a camera since it was made; BadInputError where there are too many."""
    camera = stored.camera.id
    from_s, to_s = _since_made(stored, span)
    if from_s >= to_s:
        return []
    analysed = AnalysedSeconds(records.analysed_minutes(camera, from_s, to_s))
    statuses = records.statuses(camera, from_s, to_s)
    repeats = records.repeats(camera, from_s, to_s)

    def gaps_of(start_s: float, end_s: float) -> Sequence[Gap]:
        return find_gaps(analysed, statuses, start_s, end_s, now_s)

    return gaps_with_repeats(gaps_of, repeats, from_s, to_s)


def _json(items: Iterable[JsonObject]) -> bytes:
    return f'{{"items":[{",".join(json.dumps(item) for item in items)}]}}'.encode()
