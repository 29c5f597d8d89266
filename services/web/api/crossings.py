"""The route of crossings: a page of them, or all of a span as a file."""

import base64
import binascii
import csv
import io
import json
from collections.abc import AsyncIterator
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.common.database import Place
from services.common.wire import crossing_object, parse_milliseconds
from services.core.errors import BadInputError
from services.core.types import Crossing
from services.web.api.parameters import CameraParameter, FromTime, LineParameter, ToTime, span_of
from services.web.auth.audit import entry_of
from services.web.auth.caller import Who
from services.web.context import Context

router = APIRouter(prefix="/api/v1", tags=["counts"])

COLUMNS = (
    "id",
    "camera",
    "line",
    "line_version",
    "time",
    "class",
    "direction",
    "along",
    "track",
    "confidence",
    "mask",
)
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
}
ACCEPTED = {
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/vnd.apache.parquet": "parquet",
}
MOST_ON_A_PAGE = 5000
ROWS_A_CHUNK = 200


@router.get("/crossings")
async def get_crossings(
    context: Context,
    who: Who,
    camera: CameraParameter = None,
    line: LineParameter = None,
    from_: FromTime = None,
    to: ToTime = None,
    limit: Annotated[int | None, Query(ge=1, description="json: default 100; files: default all")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    format: Annotated[str | None, Query(description="json, csv or ndjson; default: by Accept")] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Crossings, newest first."""
    form = _form(format, accept)
    from_s, to_s = span_of(from_, to, context.now_s())
    stored = await context.camera_or_default(camera)
    after = None if cursor is None else _place(cursor)
    found = context.repository.crossings(stored.camera.id, from_s, to_s, line or None, after)
    if form == "json":
        return JSONResponse(await _page(found, min(limit or 100, MOST_ON_A_PAGE)))
    first = [crossing async for crossing in _first(found, ROWS_A_CHUNK)]
    await context.audit.count(entry_of(who, "crossings.export", f"{stored.camera.id} as {form}"))
    write = _csv_rows if form == "csv" else _json_rows
    name = f"crossings-{stored.camera.id}.{form}"
    return StreamingResponse(
        _chunks(first, found, limit, write, ",".join(COLUMNS) + "\r\n" if form == "csv" else ""),
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _form(format: str | None, accept: str) -> str:
    wanted = format
    if wanted is None:
        kinds = [part.split(";")[0].strip().lower() for part in accept.split(",")]
        wanted = next((ACCEPTED[kind] for kind in kinds if kind in ACCEPTED), "json")
    if wanted == "parquet":
        raise BadInputError("parquet is not built yet: ask for csv or ndjson")
    if wanted not in MEDIA_TYPES:
        raise BadInputError(f"format is json, csv or ndjson, not {wanted[:20]!r}")
    return wanted


async def _page(found: AsyncIterator[Crossing], limit: int) -> dict[str, Any]:
    items = [crossing async for crossing in _first(found, limit + 1)]
    following = _cursor(items[limit - 1]) if len(items) > limit else None
    return {"items": [crossing_object(item) for item in islice(items, limit)], "next": following}


async def _first(found: AsyncIterator[Crossing], number: int) -> AsyncIterator[Crossing]:
    while number > 0:
        try:
            yield await anext(found)
        except StopAsyncIteration:
            return
        number -= 1


async def _chunks(
    first: list[Crossing],
    found: AsyncIterator[Crossing],
    limit: int | None,
    write: Any,
    head: str,
) -> AsyncIterator[str]:
    """Write chunk after chunk. The first was read before the answer began: an error then had a status."""
    left = limit if limit is not None else 10**12
    yield head
    chunk = first[:left]
    while chunk:
        yield write(chunk)
        left -= len(chunk)
        chunk = [crossing async for crossing in _first(found, min(ROWS_A_CHUNK, left))]


def _csv_rows(crossings: list[Crossing]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for crossing in crossings:
        row = crossing_object(crossing)
        writer.writerow(["" if row[column] is None else row[column] for column in COLUMNS])
    return text.getvalue()


def _json_rows(crossings: list[Crossing]) -> str:
    return "".join(json.dumps(crossing_object(item), ensure_ascii=False) + "\n" for item in crossings)


def _cursor(crossing: Crossing) -> str:
    text = f"{round(crossing.time_s * 1000)} {crossing.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(cursor: str) -> Place:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        milliseconds, _, id = text.partition(" ")
    except (binascii.Error, UnicodeError, ValueError):
        raise BadInputError("cursor is not one that this service gave") from None
    return Place(parse_milliseconds(milliseconds), id)
