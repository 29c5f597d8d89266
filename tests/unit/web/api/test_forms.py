"""Files for spreadsheets: what a cell may begin with, and what a program may rely on."""

import csv
import io
import re
from zoneinfo import ZoneInfo

import pytest

from services.core.errors import BadInputError
from services.web.api.forms import csv_begin, csv_text, form_of, local_time_text


@pytest.mark.parametrize(
    "begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\u200b=", "\ufeff+", "\u3000="]
)
def test_no_text_is_run_as_a_formula(begin: str) -> None:
    text = f'{begin}HYPERLINK("http://a","b;c")'
    for spreadsheet, delimiter in ((None, ","), ("comma", ","), ("semicolon", ";")):
        written = csv_text([[text, "plain", -5, None]], spreadsheet)
        ((first, *rest),) = csv.reader(io.StringIO(written, newline=""), delimiter=delimiter)
        assert first == f"'{text}"
        assert rest == ["plain", "-5", ""]


@pytest.mark.parametrize("mark", [",", ";", "\t", "\n"])
@pytest.mark.parametrize("begin", ["=1", " =1", '"=1', "  @x", "-1", "\uff0b1"])
def test_no_column_that_a_spreadsheet_parts_otherwise_begins_with_a_formula(mark: str, begin: str) -> None:
    """Who opens a file with columns parted by commas where semicolons part them, or the other way round."""
    for spreadsheet in (None, "comma", "semicolon"):
        written = csv_text([["main", f"Yard{mark}{begin}", f" {begin}"]], spreadsheet)
        for cell in re.split("[,;\t\r\n]", written):
            assert not re.match(r'[\s"]*[=+@\uff0b-]', cell), cell


def test_names_with_marks_in_them_stay_as_they_are() -> None:
    names = ["North - South", "Gate, east", "a;b", "5+5", "x@y", '"in"', ""]
    assert list(csv.reader(io.StringIO(csv_text([names])))) == [names]


def test_what_parts_columns_and_lines_is_quoted() -> None:
    row = ['a,b;c"d', "e\rf", "g\nh", " i"]
    for spreadsheet, delimiter in ((None, ","), ("semicolon", ";")):
        written = csv_text([row], spreadsheet)
        assert next(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter)) == row
        assert written.endswith("\r\n")


def test_decimals_are_those_of_the_spreadsheet() -> None:
    assert csv_text([[0.98, 12, "0.5"]]) == "0.98,12,0.5\r\n"
    assert csv_text([[0.98, 12, "0.5"]], "semicolon") == "0,98;12;0.5\r\n"
    assert [csv_begin(kind) for kind in (None, "comma", "semicolon")] == ["", "\ufeff", "\ufeff"]


def test_a_local_time_is_the_second_that_it_lies_in() -> None:
    assert local_time_text(1795906799.999, ZoneInfo("Europe/Berlin")) == "2026-11-28 23:59:59"


def test_a_form_is_named_or_accepted() -> None:
    assert form_of(None, "text/html, text/csv;q=0.9, */*") == "csv"
    assert form_of(None, "application/x-ndjson") == "ndjson"
    assert form_of(None, "application/x-ndjson", ("json", "csv")) == form_of(None, "") == "json"
    for forms, words in (
        (("json", "csv"), "ask for csv"),
        (("json", "csv", "ndjson"), "ask for csv, ndjson"),
    ):
        for ask in (("parquet", ""), (None, "application/vnd.apache.parquet")):
            with pytest.raises(BadInputError, match=words):
                form_of(*ask, forms)
    with pytest.raises(BadInputError, match="format is one of json, csv, not 'ndjson'"):
        form_of("ndjson", "", ("json", "csv"))
