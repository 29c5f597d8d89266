"""The route of crossings: a page of them, or all of a span as a file."""

import base64
import binascii
import csv
import io
import json
import math
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from contextlib import ExitStack, closing
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from services.common.database.reading import CrossingCursor
from services.common.wire import crossing_object, parse_milliseconds
from services.core.errors import BadInputError
from services.core.times import milliseconds
from services.core.types import Crossing
from services.web.api.answers import CrossingsAnswer
from services.web.api.parameters import (
    CameraParameter,
    FromTime,
    LineParameter,
    ToTime,
    ZoneParameter,
    span_of,
)
from services.web.api.problems import refusals
from services.web.api.reading import ReadingThreads
from services.web.auth.audit import entry_of
from services.web.auth.caller import Who
from services.web.context import Context, WebContext
from services.web.live.streams import StreamedAnswer

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
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA_TYPES[form].partition(";")[0]: {"schema": {"type": "string"}} for form in ("csv", "ndjson")
        }
    },
    **refusals(404),
}
ACCEPTED = {
    "text/csv": "csv",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/vnd.apache.parquet": "parquet",
}
MOST_ON_A_PAGE = 5000
ROWS_A_CHUNK = 1000
MOST_IN_A_FILE = 10**12


@router.get("/crossings", response_model=CrossingsAnswer, responses=ANSWERS)
async def get_crossings(
    context: Context,
    who: Who,
    camera: CameraParameter = None,
    line: LineParameter = None,
    from_: FromTime = None,
    to: ToTime = None,
    tz: ZoneParameter = "UTC",
    limit: Annotated[int | None, Query(ge=1, description="json: default 100; files: default all")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    format: Annotated[
        str | None, Query(description="default: by Accept", json_schema_extra={"enum": [*MEDIA_TYPES, None]})
    ] = None,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Crossings, newest first."""
    form = _form(format, accept)
    from_s, to_s = span_of(from_, to, context.now_s(), tz)
    after = None if cursor is None else _cursor_from(cursor)
    stored = await context.camera_or_default(camera)
    records = context.database.records(math.inf)
    found = records.crossings(stored.camera.id, from_s, to_s, line or None, after)
    if form == "json":
        most = min(limit or 100, MOST_ON_A_PAGE)
        page = await context.reading.run(who, lambda: _page(found, most))
        return Response(page, media_type=MEDIA_TYPES[form])
    with ExitStack() as opened:
        slot = opened.enter_context(closing(context.streams.take(who)))
        write = _csv_rows if form == "csv" else _json_rows
        rows = opened.enter_context(closing(_Rows(context.reading, found, limit, write)))
        first = await context.reading.go_on(rows.next)
        await context.audit.count(entry_of(who, "crossings.export", f"{stored.camera.id} as {form}"))
        opened.pop_all()
    head = (",".join(COLUMNS) + "\r\n").encode() if form == "csv" else b""
    headers = {"Content-Disposition": f'attachment; filename="crossings-{stored.camera.id}.{form}"'}
    return StreamedAnswer(_body(context, head + first, rows), MEDIA_TYPES[form], headers, rows, slot)


def _form(format: str | None, accept: str) -> str:
    wanted = format
    if wanted is None:
        kinds = [part.split(";")[0].strip().lower() for part in accept.split(",")]
        wanted = next((ACCEPTED[kind] for kind in kinds if kind in ACCEPTED), "json")
    if wanted == "parquet":
        raise BadInputError("format-parquet")
    if wanted not in MEDIA_TYPES:
        raise BadInputError("format-unknown", format=wanted[:20])
    return wanted


def _page(found: Generator[Crossing, None, None], limit: int) -> bytes:
    with closing(found):
        items = list(islice(found, limit + 1))
    following = _cursor(items[limit - 1]) if len(items) > limit else None
    rows = ",".join(_json(item) for item in islice(items, limit))
    return f'{{"items":[{rows}],"next":{json.dumps(following)}}}'.encode()


class _Rows:
    """The rows of a file, chunk after chunk, and the question to the database that they come from."""

    def __init__(
        self,
        reading: ReadingThreads,
        found: Generator[Crossing, None, None],
        limit: int | None,
        write: Callable[[Iterable[Crossing]], str],
    ) -> None:
        self._reading, self._found, self._write = reading, found, write
        self._left = MOST_IN_A_FILE if limit is None else min(limit, MOST_IN_A_FILE)
        self._lock = threading.Lock()

    def next(self) -> bytes:
        """Write the next chunk, nothing at the end; blocks."""
        with self._lock:
            crossings = list(islice(self._found, min(ROWS_A_CHUNK, self._left)))
            self._left -= len(crossings)
            return self._write(crossings).encode()

    def close(self) -> None:
        """Ask no more, in a thread: that ends the question in the database, which blocks."""
        self._reading.later(self._close)

    def _close(self) -> None:
        with self._lock:
            self._found.close()


async def _body(context: WebContext, first: bytes, rows: _Rows) -> AsyncIterator[bytes]:
    """Send chunk after chunk. The first was read before the answer began: an error then had a status."""
    chunk = first
    while chunk:
        yield chunk
        chunk = await context.reading.go_on(rows.next)


def _csv_rows(crossings: Iterable[Crossing]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for crossing in crossings:
        row = crossing_object(crossing)
        writer.writerow(["" if row[column] is None else row[column] for column in COLUMNS])
    return text.getvalue()


def _json_rows(crossings: Iterable[Crossing]) -> str:
    return "".join(f"{_json(item)}\n" for item in crossings)


def _json(crossing: Crossing) -> str:
    return json.dumps(crossing_object(crossing), ensure_ascii=False)


def _cursor(crossing: Crossing) -> str:
    text = f"{milliseconds(crossing.time_s)} {crossing.id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _cursor_from(cursor: str) -> CrossingCursor:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        time_ms, _, id = text.partition(" ")
    except (binascii.Error, UnicodeError, ValueError):
        raise BadInputError("cursor-invalid") from None
    return CrossingCursor(parse_milliseconds(time_ms), id)
