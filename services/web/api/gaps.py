"""The route of gaps."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from services.common.wire import time_text
from services.web.api.parameters import FromTime, ToTime, span_of
from services.web.context import Context
from services.web.coverage import Gap, find_gaps
from services.web.repeats import gaps_with_repeats

router = APIRouter(prefix="/api/v1/cameras/{camera}", tags=["counts"])


@router.get("/gaps")
async def get_gaps(
    camera: str, context: Context, from_: FromTime = None, to: ToTime = None
) -> dict[str, Any]:
    """Spans in which the camera was not analysed, since it was made, with their causes."""
    now_s = context.now_s()
    stored = await context.repository.camera(camera)
    from_s, to_s = span_of(from_, to, now_s)
    from_s = max(from_s, stored.created_s)
    if from_s >= to_s:
        return {"items": []}
    analysed = await context.repository.analysed_minutes(camera, from_s, to_s)
    statuses = await context.repository.statuses(camera, from_s, to_s)
    repeats = await context.repository.repeats(camera, from_s, to_s)

    def find(start_s: float, end_s: float) -> Sequence[Gap]:
        return find_gaps(analysed, statuses, start_s, end_s, now_s)

    return {
        "items": [
            {"from": time_text(gap.from_s), "to": time_text(gap.to_s), "cause": gap.cause}
            for gap in gaps_with_repeats(find, repeats, from_s, to_s)
        ]
    }
