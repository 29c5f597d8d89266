"""The forms in which answers come, and files for spreadsheets.

A spreadsheet runs a cell that begins like a formula, so that a name from elsewhere could send the sheet away:
texts that begin so, or do so behind what may part columns, get an apostrophe there. Programs read UTF-8 as it
is; Excel takes a file without a byte order mark for the code page of the machine, and parts columns as the
machine's region does, so a person asks for a file that is made for their spreadsheet.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import Annotated, Literal

from fastapi import Header, Query

from services.core.errors import BadInputError

Cell = str | int | float | None
Spreadsheet = Literal["comma", "semicolon"]
"""What parts the columns of a spreadsheet; with semicolons, decimals have a comma."""

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

AcceptHeader = Annotated[str, Header(alias="accept", include_in_schema=False)]
SpreadsheetParameter = Annotated[
    Spreadsheet | None,
    Query(
        description="csv made for a spreadsheet to open: with a byte order mark, columns parted by this; with"
        " `semicolon` decimals have a comma, as where Excel is set to German. Default: for programs"
    ),
]

_FORMULA = re.compile(
    '(\\A|[,;\t\r\n])(?=[\\s"\u200b-\u200f\u2060\ufeff]{0,20}[=+@\uff1d\uff0b\uff0d\uff20-])|\\A(?=[\t\r\n])',
)
"""Where a formula begins, also behind what a spreadsheet leaves away, and behind what it may part cells by.

Some of the characters that begin one are the wide forms.
"""

BYTE_ORDER_MARK = "\ufeff"
_DELIMITERS = {None: ",", "comma": ",", "semicolon": ";"}


def form_of(format: str | None, accept: str, forms: Sequence[str] = tuple(MEDIA_TYPES)) -> str:
    """Give the form that a request asks for, by name or else by the `Accept` header; json by default.

    BadInputError when the named one is none of `forms`, json first, or is not built.
    """
    wanted = format
    if wanted is None:
        kinds = [part.split(";")[0].strip().lower() for part in accept.split(",")]
        asked = [ACCEPTED[kind] for kind in kinds if kind in ACCEPTED]
        wanted = next((form for form in asked if form in forms or form == "parquet"), "json")
    if wanted == "parquet":
        raise BadInputError("format-parquet", forms=", ".join(forms[1:]))
    if wanted not in forms:
        raise BadInputError("format-unknown", forms=", ".join(forms), format=wanted[:20])
    return wanted


def local_time_text(time_s: float, zone: tzinfo) -> str:
    """Give a time as `2026-11-21 21:43:29` in a zone, which spreadsheets take for a date."""
    return datetime.fromtimestamp(time_s, zone).strftime("%Y-%m-%d %H:%M:%S")


def csv_text(rows: Iterable[Sequence[Cell]], spreadsheet: Spreadsheet | None = None) -> str:
    """Write rows as RFC 4180 has it; None is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n", delimiter=_DELIMITERS[spreadsheet])
    has_comma = spreadsheet == "semicolon"
    writer.writerows([_cell(value, has_comma) for value in row] for row in rows)
    return text.getvalue()


def csv_begin(spreadsheet: Spreadsheet | None) -> str:
    """Give what a file begins with."""
    return BYTE_ORDER_MARK if spreadsheet else ""


def _cell(value: Cell, has_comma: bool) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, str):
        return _FORMULA.sub(r"\1'", value)
    return str(value).replace(".", ",") if has_comma else value
