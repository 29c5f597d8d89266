"""Query parameters that several routes share."""

from typing import Annotated

from fastapi import Query

from services.common.wire import parse_time
from services.core.errors import BadInputError
from services.web.counts import default_span
from services.web.coverage import Span

FromTime = Annotated[str | None, Query(alias="from", description="ISO 8601; default: a day before `to`")]
ToTime = Annotated[str | None, Query(alias="to", description="ISO 8601; default: now")]
CameraParameter = Annotated[str | None, Query(description="default: the oldest camera")]
LineParameter = Annotated[str | None, Query(description="default: all lines")]

LONGEST_SPAN_S = 3700 * 86_400.0


def span_of(from_text: str | None, to_text: str | None, now_s: float) -> Span:
    """Read the span of a request; BadInputError when it is empty or absurdly long."""
    from_s = None if from_text is None else parse_time(from_text)
    to_s = None if to_text is None else parse_time(to_text)
    start_s, end_s = default_span(from_s, to_s, now_s)
    if end_s <= start_s:
        raise BadInputError("the span is empty: `to` must be later than `from`")
    if end_s - start_s > LONGEST_SPAN_S:
        raise BadInputError("the span is longer than ten years")
    return start_s, end_s
