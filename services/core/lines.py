"""Counting lines as people give them: checked, with an answer that says what to do.

Both forms are read everywhere: `{"id","x1","y1","x2","y2"}` and the line object of the API.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

from services.core.errors import BadInputError
from services.core.identifiers import is_id
from services.core.types import MASK_CLASSES, TRAFFIC_CLASSES, Line, LineId, Point

COLOR_PATTERN = re.compile(r"#[0-9a-fA-F]{6}")
KNOWN_CLASSES = (*TRAFFIC_CLASSES, *MASK_CLASSES)
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
        raise BadInputError(f"line id {_shown(id)}: use 1 to 63 of a-z, 0-9 and -, not beginning with -")
    place = f"line {id!r}"
    title = id if name is None or name == "" else name
    if not isinstance(title, str) or len(title) > MAX_NAME_LENGTH or not title.isprintable():
        raise BadInputError(f"{place}: the name is a printable text of at most {MAX_NAME_LENGTH} characters")
    if anchor not in ("centre", "foot"):
        raise BadInputError(f'{place}: anchor is "centre" or "foot", not {_shown(anchor)}')
    if not isinstance(color, str) or COLOR_PATTERN.fullmatch(color) is None:
        raise BadInputError(f'{place}: color is like "#ff6b35", not {_shown(color)}')
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadInputError(f"{place}: version is a whole number from 1, not {_shown(version)}")
    return Line(
        LineId(cast(str, id)),
        title,
        _points(points, place),
        anchor,
        _classes(classes, place),
        color,
        version,
        _direction_name(forward_name, f"{place}: forward_name"),
        _direction_name(backward_name, f"{place}: backward_name"),
    )


def _direction_name(value: object, place: str) -> str | None:
    if value is None:
        return None
    is_text = isinstance(value, str) and value.isprintable() and not value.isspace()
    if not is_text or not 1 <= len(cast(str, value)) <= MAX_DIRECTION_NAME_LENGTH:
        raise BadInputError(
            f"{place} is a printable text of 1 to {MAX_DIRECTION_NAME_LENGTH} characters, or null (not named)"
        )
    return cast(str, value)


def _points(values: object, place: str) -> tuple[Point, ...]:
    if not _is_list(values) or not 2 <= len(values) <= MAX_POINTS:
        raise BadInputError(f"{place}: points is a list of 2 to {MAX_POINTS} points [x, y]")
    points = tuple(_point(value, number, place) for number, value in enumerate(values, 1))
    for number in range(1, len(points)):
        if math.dist(points[number - 1], points[number]) < MIN_LENGTH:
            raise BadInputError(f"{place}: points {number} and {number + 1} are the same; move one of them")
    return points


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _point(value: object, number: int, place: str) -> Point:
    if not _is_list(value) or len(value) != 2:
        raise BadInputError(f"{place}: point {number} is not a pair [x, y]")
    x, y = value
    return _share(x, f"{place}: x of point {number}"), _share(y, f"{place}: y of point {number}")


def _share(value: object, place: str) -> float:
    """Take a coordinate as a share of the picture; NaN and infinity fail the comparison too."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        shown = value if isinstance(value, int | float) else json.dumps(value, default=str)[:40]
        raise BadInputError(f"{place} is {shown}: coordinates are shares of the picture, 0 to 1")
    return float(value)


def _classes(values: object, place: str) -> tuple[str, ...] | None:
    if values is None:
        return None
    if not _is_list(values) or not values:
        raise BadInputError(f"{place}: classes is null (all) or a list of class names")
    unknown = [name for name in values if name not in KNOWN_CLASSES]
    if unknown:
        raise BadInputError(
            f"{place}: class {_shown(unknown[0])} is not known; the classes are {', '.join(KNOWN_CLASSES)}"
        )
    return tuple(dict.fromkeys(str(name) for name in values))


def line_from_object(value: object) -> Line:
    """Read one line in either form; its id may not be missing."""
    if not isinstance(value, Mapping):
        raise BadInputError("a line is an object with id and points (or x1, y1, x2, y2)")
    fields: dict[str, Any] = dict(value)
    unknown = sorted(str(key) for key in fields.keys() - _KEYS)
    if unknown:
        raise BadInputError(f"line {_shown(fields.get('id'))}: unknown key {_shown(unknown[0])}")
    if "id" not in fields:
        raise BadInputError("a line has no id")
    if "points" not in fields:
        missing = [corner for corner in _CORNERS if corner not in fields]
        if missing:
            raise BadInputError(f"line {_shown(fields['id'])}: {missing[0]} is missing (or give points)")
        fields["points"] = [[fields["x1"], fields["y1"]], [fields["x2"], fields["y2"]]]
    elif any(corner in fields for corner in _CORNERS):
        raise BadInputError(f"line {_shown(fields['id'])}: give points or x1, y1, x2, y2, not both")
    return validate_line(**{key: item for key, item in fields.items() if key not in _CORNERS})


def lines_from_json(text: str, source: str = "LINES.json") -> tuple[Line, ...]:
    """Read `{"lines": [...]}`, a bare list of lines or one line; `source` names the text in errors."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = f", line {error.lineno}: {error.msg}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInputError(f"{source} is not JSON{line}") from None
    if isinstance(value, dict) and "lines" in value:
        value = value["lines"]
    elif isinstance(value, dict) and "id" in value:
        value = [value]
    if not isinstance(value, list) or not value:
        raise BadInputError(
            f'{source}: give {{"lines": [{{"id": "main", "x1": 0.1, "y1": 0.7, "x2": 0.9, "y2": 0.7}}]}}'
        )
    try:
        lines = tuple(line_from_object(item) for item in value)
    except BadInputError as error:
        raise BadInputError(f"{source}: {error}") from None
    ids = [line.id for line in lines]
    doubled = [id for id in ids if ids.count(id) > 1]
    if doubled:
        raise BadInputError(f"{source}: two lines have the id {doubled[0]!r}")
    return lines
