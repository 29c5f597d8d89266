"""Query parameters that several routes share."""

from typing import Annotated

from fastapi import Query

from services.core.errors import BadInputError
from services.core.evidence.coverage import Span
from services.web.api.spans import requested_span, zone_of

FromTime = Annotated[
    str | None,
    Query(alias="from", description="ISO 8601, a date alone is the start of its day; default: a day before"),
]
ToTime = Annotated[
    str | None,
    Query(
        alias="to",
        description="ISO 8601, without its end, a date alone is the start of its day; default: now",
    ),
]
CameraParameter = Annotated[str | None, Query(description="default: the oldest camera")]
LineParameter = Annotated[str | None, Query(description="default: all lines")]
ZoneParameter = Annotated[
    str, Query(description="zone of dates and times that name none, and of hours and days")
]

DAY_S = 86_400.0
MOST_DAYS = 3700
"""Longest span of records that are sent one by one."""

MOST_DAYS_COUNTED = 400
"""Longest span that is put together into one answer: more than a year, and as long as records are kept."""


def span_of(from_text: str | None, to_text: str | None, now_s: float, tz: str = "UTC") -> Span:
    """Read the span of a request for records; BadInputError when it is empty or longer than `MOST_DAYS`."""
    span = requested_span(from_text, to_text, now_s, zone_of(tz))
    check_length(*span, MOST_DAYS)
    return span


def check_length(start_s: float, end_s: float, most_days: int) -> None:
    """Check that a span is not longer than so many days; BadInputError says so."""
    if end_s - start_s > most_days * DAY_S:
        raise BadInputError("span-too-long", days=most_days)
