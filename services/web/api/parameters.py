"""Query parameters that several routes share."""

from typing import Annotated

from fastapi import Query

from services.common.wire import parse_time
from services.core.errors import BadInputError
from services.core.evidence.coverage import Span
from services.web.counts import default_span

FromTime = Annotated[str | None, Query(alias="from", description="ISO 8601; default: a day before `to`")]
ToTime = Annotated[str | None, Query(alias="to", description="ISO 8601; default: now")]
CameraParameter = Annotated[str | None, Query(description="default: the oldest camera")]
LineParameter = Annotated[str | None, Query(description="default: all lines")]

DAY_S = 86_400.0
MOST_DAYS = 3700
"""Longest span of records that are sent one by one."""

MOST_DAYS_COUNTED = 400
"""Longest span that is put together into one answer: more than a year, and as long as records are kept."""


def span_of(from_text: str | None, to_text: str | None, now_s: float, most_days: int = MOST_DAYS) -> Span:
    """Read the span of a request; BadInputError when it is empty or longer than `most_days`."""
    from_s = None if from_text is None else parse_time(from_text)
    to_s = None if to_text is None else parse_time(to_text)
    start_s, end_s = default_span(from_s, to_s, now_s)
    if end_s <= start_s:
        raise BadInputError("the span is empty: `to` must be later than `from`")
    check_length(start_s, end_s, most_days)
    return start_s, end_s


def check_length(start_s: float, end_s: float, most_days: int) -> None:
    """Check that a span is not longer than so many days; BadInputError says so."""
    if end_s - start_s > most_days * DAY_S:
        raise BadInputError(
            f"the span is longer than {most_days} days: ask for shorter ones, one after the other"
        )
