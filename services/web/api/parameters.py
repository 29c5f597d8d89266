"""Query parameters that several routes share."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated

from fastapi import Query
from pydantic import StringConstraints

from services.core.errors import BadInputError
from services.core.evidence.coverage import Span
from services.core.model_classes import TASK_CLASSES
from services.core.types import Direction
from services.web.api.answers import MaskState
from services.web.api.spans import requested_span, zone_of

MOST_GENERATIONS = 1_000_000

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
MOST_NAMED = 100
"""How many lines or classes one question may name; a name has at most as many characters."""

Name = Annotated[str, StringConstraints(max_length=MOST_NAMED)]
LinesParameter = Annotated[
    list[str] | None,
    Query(alias="line", max_length=MOST_NAMED, description="may be repeated; default: all lines"),
]
ClassesParameter = Annotated[
    list[Name] | None,
    Query(alias="class", max_length=MOST_NAMED, description="may be repeated; default: all"),
]
DirectionsParameter = Annotated[
    list[Direction] | None,
    Query(alias="direction", max_length=2, description="may be repeated; default: both"),
]
ConfidenceParameter = Annotated[float | None, Query(ge=0, le=1)]
MasksParameter = Annotated[
    list[MaskState] | None, Query(alias="mask", max_length=3, description="may be repeated; default: all")
]
GenerationParameter = Annotated[
    int | None,
    Query(
        alias="generation",
        ge=1,
        le=MOST_GENERATIONS,
        description="which making of the camera, 1 for the first; default: the newest",
    ),
]
ZoneParameter = Annotated[
    str, Query(description="zone of dates and times that name none, and of hours and days")
]

AT_HAND = frozenset(name for classes in TASK_CLASSES.values() for name in classes)
"""Classes of the models that ship."""

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


def check_classes_asked(
    asked: Sequence[str], others: Callable[[], Iterable[str]], is_counted: Callable[[str], bool]
) -> None:
    """Check classes that are asked for; BadInputError names the known ones.

    Right is what a model finds: those that ship, and `others`, with those of all cameras, for a page asks all
    of them the same. And what was counted, whichever model found it then. So a slip of the pen never looks
    like a quiet road.
    """
    unknown = sorted(set(asked) - AT_HAND)
    known = set(others()) if unknown else set()
    for name in unknown:
        if name not in known and not is_counted(name):
            known_names = ", ".join(sorted(AT_HAND | known)[:MOST_NAMED])
            raise BadInputError("class-not-counted", name=name[:40], known=known_names)
