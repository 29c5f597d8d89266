"""The routes of gaps."""

import json
from collections.abc import Iterable, Sequence

from fastapi import APIRouter
from starlette.responses import Response

from services.common.database.generations import Generation
from services.common.database.reading import Records
from services.common.wire import JsonObject, time_text
from services.core.evidence.coverage import AnalysedSeconds, Span
from services.core.evidence.gaps import MOST_GAPS, Gap, find_gaps, gaps_with_repeats, too_many_gaps
from services.web.api.answers import CameraGapsAnswer, GapsAnswer
from services.web.api.parameters import (
    MOST_DAYS_COUNTED,
    FromTime,
    GenerationParameter,
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
    number: GenerationParameter = None,
    from_: FromTime = None,
    to: ToTime = None,
    tz: ZoneParameter = "UTC",
) -> Response:
    """Spans in which the camera was not analysed, since it was made and until it was deleted, and why.

    Over at most 400 days, and at most 20000 of them.
    """
    now_s = context.now_s()
    generation = await context.generation(camera, number)
    span = span_of(from_, to, now_s, tz)
    check_length(*_made_span(generation, span), MOST_DAYS_COUNTED)
    records = context.database.records(ANSWER_LIMIT_S).of(generation)

    def find() -> bytes:
        return _json([gap_object(gap) for gap in _gaps(records, generation, span, now_s)])

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
    made = [stored.making for stored in await context.database.setups.cameras()]
    first_s = min((_made_span(generation, span)[0] for generation in made), default=span[1])
    check_length(first_s, span[1], MOST_DAYS_COUNTED)
    records = context.database.records(ANSWER_LIMIT_S)

    def find() -> bytes:
        items: list[JsonObject] = []
        for generation in made:
            gaps = _gaps(records.of(generation), generation, span, now_s)
            items += ({**gap_object(gap), "camera": generation.camera} for gap in gaps)
            if len(items) > MOST_GAPS:
                raise too_many_gaps(MOST_GAPS)
        return _json(items)

    return Response(await context.reading.run(who, find), media_type="application/json")


def gap_object(gap: Gap) -> JsonObject:
    """Give a gap as the API shows it."""
    cause = gap.cause
    return {
        "from": time_text(gap.from_s),
        "to": time_text(gap.to_s),
        "cause": cause.text,
        "code": cause.code,
        "params": cause.params,
    }


def _made_span(generation: Generation, span: Span) -> Span:
    """Give the part of a span in which a camera was there; empty where there is none."""
    end_s = span[1] if generation.deleted_s is None else max(span[0], min(generation.deleted_s, span[1]))
    return max(span[0], min(generation.created_s, end_s)), end_s


def _gaps(records: Records, generation: Generation, span: Span, now_s: float) -> Sequence[Gap]:
    """Read the gaps of a camera while it was there; BadInputError where there are too many."""
    camera = generation.camera
    from_s, to_s = _made_span(generation, span)
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
