"""Counting lines as people give them: checked, with an answer that says what to do.

Both forms are read everywhere: `{"id","x1","y1","x2","y2"}` and the line object of the API.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

from services.core.errors import BadInputError
from services.core.identifiers import clean_name, is_id
from services.core.model_classes import LONGEST_CLASS_NAME, MOST_CLASSES, class_name_from
from services.core.types import Line, LineId, Point

COLOR_PATTERN = re.compile(r"#[0-9a-fA-F]{6}")
DEFAULT_COLOR = "#ff6b35"
MAX_POINTS = 100
MAX_NAME_LENGTH = 200
MAX_DIRECTION_NAME_LENGTH = 40
LONGEST_SHOWN = 80
MIN_LENGTH = 1e-4
"""Points nearer than this, in shares of the picture, are one point."""

_CORNERS = ("x1", "y1", "x2", "y2")
_DIRECTION_NAMES = ("forward_name", "backward_name")
_KEYS = frozenset(
    {"id", "name", "points", "anchor", "classes", "color", "version", *_DIRECTION_NAMES, *_CORNERS}
)


def _shown(value: object) -> str:
    """Give what somebody gave for an error, where it may be anything of any length."""
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def validate_line(
    id: object,
    points: object,
    name: object = None,
    anchor: object = "centre",
    classes: object = None,
    color: object = DEFAULT_COLOR,
    version: object = 1,
    forward_name: object = None,
    backward_name: object = None,
) -> Line:
    """Make a line of values that nobody has checked; BadInputError names the first that cannot be used."""
    if not is_id(id):
        raise BadInputError("line-id-invalid", line=_shown(id))
    line = str(id)
    title = clean_name(name, MAX_NAME_LENGTH) if isinstance(name, str) else ("" if name is None else None)
    if title is None:
        raise BadInputError("line-name-invalid", line=line, most=MAX_NAME_LENGTH)
    if anchor not in ("centre", "foot"):
        raise BadInputError("line-anchor-invalid", line=line, anchor=_shown(anchor))
    if not isinstance(color, str) or COLOR_PATTERN.fullmatch(color) is None:
        raise BadInputError("line-color-invalid", line=line, color=_shown(color))
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadInputError("line-version-invalid", line=line, version=_shown(version))
    return Line(
        LineId(cast(str, id)),
        title or line,
        _points(points, line),
        anchor,
        _classes(classes, line),
        color,
        version,
        _direction_name(forward_name, line, "forward_name"),
        _direction_name(backward_name, line, "backward_name"),
    )


def _direction_name(value: object, line: str, key: str) -> str | None:
    if value is None:
        return None
    name = clean_name(value, MAX_DIRECTION_NAME_LENGTH) if isinstance(value, str) else None
    if not name:
        raise BadInputError("line-direction-name", line=line, key=key, most=MAX_DIRECTION_NAME_LENGTH)
    return name


def _points(values: object, line: str) -> tuple[Point, ...]:
    if not _is_list(values) or not 2 <= len(values) <= MAX_POINTS:
        raise BadInputError("line-points-number", line=line, most=MAX_POINTS)
    points = tuple(_point(value, number, line) for number, value in enumerate(values, 1))
    for number in range(1, len(points)):
        if math.dist(points[number - 1], points[number]) < MIN_LENGTH:
            raise BadInputError("line-points-same", line=line, number=number, next=number + 1)
    return points


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _point(value: object, number: int, line: str) -> Point:
    if not _is_list(value) or len(value) != 2:
        raise BadInputError("line-point-invalid", line=line, number=number)
    x, y = value
    return _share(x, "x", number, line), _share(y, "y", number, line)


def _share(value: object, axis: str, number: int, line: str) -> float:
    """Take a coordinate as a share of the picture; NaN and infinity fail the comparison too."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        shown = str(value) if isinstance(value, int | float) else json.dumps(value, default=str)[:40]
        raise BadInputError("line-coordinate-invalid", line=line, axis=axis, number=number, value=shown)
    return float(value)


def _classes(values: object, line: str) -> tuple[str, ...] | None:
    if values is None:
        return None
    if not _is_list(values) or not 0 < len(values) <= MOST_CLASSES:
        raise BadInputError("line-classes-invalid", line=line)
    names = [class_name_from(value) for value in values]
    if None in names:
        wrong = _shown(values[names.index(None)])
        raise BadInputError("line-class-invalid", line=line, class_name=wrong, most=LONGEST_CLASS_NAME)
    return tuple(dict.fromkeys(name for name in names if name is not None))


def line_from_object(value: object) -> Line:
    """Read one line in either form; its id may not be missing."""
    if not isinstance(value, Mapping):
        raise BadInputError("line-not-object")
    fields: dict[str, Any] = dict(value)
    unknown = sorted(str(key) for key in fields.keys() - _KEYS)
    if unknown:
        raise BadInputError("line-key-unknown", line=_shown(fields.get("id")), key=_shown(unknown[0]))
    if "id" not in fields:
        raise BadInputError("line-id-missing")
    if "points" not in fields:
        missing = [corner for corner in _CORNERS if corner not in fields]
        if missing:
            raise BadInputError("line-corner-missing", line=_shown(fields["id"]), corner=missing[0])
        fields["points"] = [[fields["x1"], fields["y1"]], [fields["x2"], fields["y2"]]]
    elif any(corner in fields for corner in _CORNERS):
        raise BadInputError("line-both-forms", line=_shown(fields["id"]))
    return validate_line(**{key: item for key, item in fields.items() if key not in _CORNERS})


def lines_from_json(text: str, source: str = "LINES.json") -> tuple[Line, ...]:
    """Read `{"lines": [...]}`, a bare list of lines or one line; `source` names the text in errors."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadInputError(
            "lines-not-json-at", source=source, number=error.lineno, fault=error.msg
        ) from None
    except (RecursionError, ValueError):  # too deep, or a number of thousands of digits
        raise BadInputError("lines-not-json", source=source) from None
    if isinstance(value, dict) and "lines" in value:
        value = value["lines"]
    elif isinstance(value, dict) and "id" in value:
        value = [value]
    if not isinstance(value, list) or not value:
        raise BadInputError("lines-not-lines", source=source)
    try:
        lines = tuple(line_from_object(item) for item in value)
    except BadInputError as error:
        raise BadInputError("lines-line-invalid", source=source, reason=error.sentence) from None
    times = Counter(line.id for line in lines)
    doubled = [id for id, number in times.items() if number > 1]
    if doubled:
        raise BadInputError("line-id-twice", source=source, line=doubled[0])
    return lines
