"""The route of gaps."""

import json
from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import Response

from services.common.wire import time_text
from services.core.evidence.coverage import AnalysedSeconds
from services.core.evidence.gaps import Gap, find_gaps, gaps_with_repeats
from services.web.api.answers import GapsAnswer
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

router = APIRouter(prefix="/api/v1/cameras/{camera}", tags=["counts"])


@router.get("/gaps", response_model=GapsAnswer, responses=refusals(404))
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
    from_s, to_s = span_of(from_, to, now_s, tz)
    from_s = max(from_s, stored.created_s)
    if from_s >= to_s:
        return Response(_json([]), media_type="application/json")
    check_length(from_s, to_s, MOST_DAYS_COUNTED)
    records = context.database.records(ANSWER_LIMIT_S)

    def find() -> bytes:
        analysed = AnalysedSeconds(records.analysed_minutes(camera, from_s, to_s))
        statuses = records.statuses(camera, from_s, to_s)
        repeats = records.repeats(camera, from_s, to_s)

        def gaps_of(start_s: float, end_s: float) -> Sequence[Gap]:
            return find_gaps(analysed, statuses, start_s, end_s, now_s)

        return _json(gaps_with_repeats(gaps_of, repeats, from_s, to_s))

    return Response(await context.reading.run(who, find), media_type="application/json")


def _json(gaps: Sequence[Gap]) -> bytes:
    items = (
        json.dumps(
            {
                "from": time_text(gap.from_s),
                "to": time_text(gap.to_s),
                "cause": gap.cause.text,
                "code": gap.cause.code,
                "params": gap.cause.params,
            }
        )
        for gap in gaps
    )
    return f'{{"items":[{",".join(items)}]}}'.encode()
