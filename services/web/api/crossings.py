"""The route of crossings: a page of them, or all of a span as a file."""

import base64
import binascii
import json
import math
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, closing
from datetime import tzinfo
from functools import partial
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.common.database.generations import Generation
from services.common.database.reading import CrossingCursor, CrossingSelection
from services.common.wire import JsonObject, crossing_object, parse_milliseconds
from services.core.direction_names import DirectionNames
from services.core.errors import BadInputError
from services.core.evidence.coverage import Span
from services.core.times import milliseconds
from services.core.types import Crossing
from services.web.api.answers import CrossingsAnswer
from services.web.api.forms import (
    MEDIA_TYPES,
    AcceptHeader,
    Cell,
    Spreadsheet,
    SpreadsheetParameter,
    csv_begin,
    csv_text,
    form_of,
    local_time_text,
)
from services.web.api.line_history import LineHistory
from services.web.api.parameters import (
    AT_HAND,
    CameraParameter,
    ClassesParameter,
    ConfidenceParameter,
    DirectionsParameter,
    FromTime,
    GenerationParameter,
    LinesParameter,
    MasksParameter,
    ToTime,
    ZoneParameter,
    check_classes_asked,
    span_of,
)
from services.web.api.problems import refusals
from services.web.api.reading import ANSWER_LIMIT_S, ReadingThreads
from services.web.api.spans import zone_of
from services.web.auth.audit import entry_of
from services.web.auth.caller import Caller, Who
from services.web.context import Context, WebContext
from services.web.live.streams import StreamedAnswer

router = APIRouter(prefix="/api/v1", tags=["counts"])

CSV_COLUMNS_END = ("local_time",)
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
    "direction_name",
)
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            MEDIA_TYPES[form].partition(";")[0]: {"schema": {"type": "string"}} for form in ("csv", "ndjson")
        }
    },
    **refusals(404),
}
MOST_ON_A_PAGE = 5000
ROWS_A_CHUNK = 1000
MOST_IN_A_FILE = 10**12


@router.get("/crossings", response_model=CrossingsAnswer, responses=ANSWERS)
async def get_crossings(
    context: Context,
    who: Who,
    camera: CameraParameter = None,
    number: GenerationParameter = None,
    line: LinesParameter = None,
    from_: FromTime = None,
    to: ToTime = None,
    tz: ZoneParameter = "UTC",
    limit: Annotated[int | None, Query(ge=1, description="json: default 100; files: default all")] = None,
    cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    format: Annotated[
        str | None, Query(description="default: by Accept", json_schema_extra={"enum": [*MEDIA_TYPES, None]})
    ] = None,
    class_: ClassesParameter = None,
    direction: DirectionsParameter = None,
    mask: MasksParameter = None,
    min_confidence: ConfidenceParameter = None,
    max_confidence: ConfidenceParameter = None,
    spreadsheet: SpreadsheetParameter = None,
    accept: AcceptHeader = "",
) -> Response:
    """Crossings, newest first; those that fit all that is asked for.

    Confidences are compared as they are given, with four digits; both ends belong to the range. As csv, the
    last column has the time in `tz`, as spreadsheets read it.

    `direction_name` is what people call the direction on the line, as it lay when it was counted: a name that
    is given later is that of earlier crossings too, as long as the line lies there.
    """
    form = form_of(format, accept)
    zone = zone_of(tz)
    from_s, to_s = span_of(from_, to, context.now_s(), tz)
    after = None if cursor is None else _cursor_from(cursor)
    selection = _selection(line, class_, direction, mask, min_confidence, max_confidence)
    generation = await context.generation(camera, number)
    id = generation.camera
    history = LineHistory(await context.database.setups.line_versions(id, generation.number))
    if not AT_HAND.issuperset(selection.classes):
        await _check_classes(context, who, generation, history, selection.classes, (from_s, to_s))
    names = DirectionNames(history.versions)
    records = context.database.records(ANSWER_LIMIT_S if form == "json" else math.inf).of(generation)
    found = records.crossings(id, from_s, to_s, selection, after)
    if form == "json":
        most = min(limit or 100, MOST_ON_A_PAGE)
        page = await context.reading.run(who, lambda: _page(found, most, names))
        return Response(page, media_type=MEDIA_TYPES[form])
    with ExitStack() as opened:
        slot = opened.enter_context(closing(context.streams.take(who)))
        write = partial(_csv_rows, names, zone, spreadsheet) if form == "csv" else partial(_json_rows, names)
        rows = opened.enter_context(closing(_Rows(context.reading, found, limit, write)))
        first = await context.reading.go_on(rows.next)
        await context.audit.count(entry_of(who, "crossings.export", f"{id} as {form}"))
        opened.pop_all()
    head = _csv_head(spreadsheet) if form == "csv" else b""
    headers = {"Content-Disposition": f'attachment; filename="crossings-{id}.{form}"'}
    return StreamedAnswer(_body(context, head + first, rows), MEDIA_TYPES[form], headers, rows, slot)


def _selection(
    line: Sequence[str] | None,
    class_: Sequence[str] | None,
    direction: Sequence[str] | None,
    mask: Sequence[str] | None,
    least: float | None,
    most: float | None,
) -> CrossingSelection:
    """Give what is asked for, each line once; BadInputError where no confidence can be meant."""
    if least is not None and most is not None and least > most:
        raise BadInputError("confidence-empty")
    lines = tuple(dict.fromkeys(one for one in line or () if one))
    return CrossingSelection(
        lines, tuple(class_ or ()), tuple(direction or ()), tuple(mask or ()), least, most
    )


def _page(found: Generator[Crossing, None, None], limit: int, names: DirectionNames) -> bytes:
    with closing(found):
        items = list(islice(found, limit + 1))
    following = _cursor(items[limit - 1]) if len(items) > limit else None
    rows = ",".join(_json(names, item) for item in islice(items, limit))
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


async def _check_classes(
    context: WebContext,
    who: Caller,
    generation: Generation,
    history: LineHistory,
    classes: Sequence[str],
    span: Span,
) -> None:
    """Tell a class that nothing counted because nothing finds it; BadInputError."""
    records = context.database.records(ANSWER_LIMIT_S).of(generation)

    def known() -> set[str]:
        return history.classes() | context.all_classes()

    def is_counted(name: str) -> bool:
        selection = CrossingSelection(classes=(name,))
        with closing(records.crossings(generation.camera, *span, selection)) as found:
            return next(found, None) is not None

    await context.reading.run(who, lambda: check_classes_asked(classes, known, is_counted))


def _csv_head(spreadsheet: Spreadsheet | None) -> bytes:
    names = csv_text([(*COLUMNS, *CSV_COLUMNS_END)], spreadsheet)
    return (csv_begin(spreadsheet) + names).encode()


def _csv_rows(
    names: DirectionNames, zone: tzinfo, spreadsheet: Spreadsheet | None, crossings: Iterable[Crossing]
) -> str:
    return csv_text((_csv_row(names, crossing, zone) for crossing in crossings), spreadsheet)


def _csv_row(names: DirectionNames, crossing: Crossing, zone: tzinfo) -> list[Cell]:
    row = _row(names, crossing)
    return [*(row[column] for column in COLUMNS), local_time_text(crossing.time_s, zone)]


def _json_rows(names: DirectionNames, crossings: Iterable[Crossing]) -> str:
    return "".join(f"{_json(names, item)}\n" for item in crossings)


def _json(names: DirectionNames, crossing: Crossing) -> str:
    return json.dumps(_row(names, crossing), ensure_ascii=False)


def _row(names: DirectionNames, crossing: Crossing) -> JsonObject:
    name = names.name(crossing.line, crossing.line_version, crossing.direction)
    return crossing_object(crossing, name)


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
