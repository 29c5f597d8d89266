"""Times that people and programs give: read within a range that every part of the system can hold."""

import pytest

from services.common.wire import LATEST_TIME_S, parse_milliseconds, parse_time, time_text
from services.core.errors import BadInputError


@pytest.mark.parametrize(
    ("text", "time_s"),
    [
        ("1970-01-01", 0.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("2026-11-21T20:43:29.169Z", 1795293809.169),
        ("2026-11-21 20:43:29.169Z", 1795293809.169),
        ("2026-11-21T20:43:29.169 00:00", 1795293809.169),
        ("1795293809.169", 1795293809.169),
        ("2199-12-31T23:59:59.999Z", LATEST_TIME_S - 0.001),
    ],
)
def test_times_that_are_read(text: str, time_s: float) -> None:
    assert parse_time(text) == pytest.approx(time_s, abs=1e-6)
    assert parse_time(time_text(time_s)) == pytest.approx(time_s, abs=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59.999Z",
        "2200-01-01",
        "9999-12-31T23:59:59.9999Z",
        "9999-12-31T23:59:59-23:59",
        "-1",
        "1e99",
        "inf",
        "9" * 400,
        str(LATEST_TIME_S),
    ],
)
def test_times_that_are_too_far_away(text: str) -> None:
    with pytest.raises(BadInputError, match="years 1970 to 2199") as error:
        parse_time(text)
    assert len(str(error.value)) < 120


@pytest.mark.parametrize("text", ["", "yesterday", "nan", "2026-13-01", "\ud800", "0x10", "x" * 100_000])
def test_texts_that_are_no_times(text: str) -> None:
    with pytest.raises(BadInputError, match="is no time") as error:
        parse_time(text)
    assert len(str(error.value)) < 150


def test_milliseconds_of_cursors() -> None:
    assert parse_milliseconds("1795293809169") == 1795293809.169
    for text in ("", "-5", "1.5", "9" * 400, "9" * 15, "\u0663", "1 "):
        with pytest.raises(BadInputError, match="cursor is not one"):
            parse_milliseconds(text)
