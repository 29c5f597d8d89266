"""Lines as people give them."""

import json
import math

import pytest

from services.common.wire import line_object
from services.core.errors import BadInputError
from services.core.lines import line_from_object, lines_from_json, validate_line

POINTS = [[0.1, 0.7], [0.9, 0.7]]


def test_both_forms_give_the_same_line() -> None:
    short = line_from_object({"id": "main", "x1": 0.1, "y1": 0.7, "x2": 0.9, "y2": 0.7})
    assert short == line_from_object({"id": "main", "points": POINTS})
    assert short.points == ((0.1, 0.7), (0.9, 0.7))
    assert (short.name, short.anchor, short.classes) == ("main", "centre", None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"points": [[0.1, 0.7]]}, "2 to 100 points"),
        ({"points": [[0.1, 0.7], [0.1, 0.7]]}, "the same"),
        ({"points": [[0.1, 0.7], [0.9, 0.7], [0.9, 0.7]]}, "points 2 and 3 are the same"),
        ({"points": [[0.1, 0.7], [1.1, 0.7]]}, "0 to 1"),
        ({"points": [[0.1, -0.01], [0.9, 0.7]]}, "0 to 1"),
        ({"points": [[math.nan, 0.7], [0.9, 0.7]]}, "nan"),
        ({"points": [[0.1, 0.7], [math.inf, 0.7]]}, "inf"),
        ({"points": [[True, 0.7], [0.9, 0.7]]}, "x of point 1"),
        ({"points": [["0.1", 0.7], [0.9, 0.7]]}, "x of point 1"),
        ({"points": [[0.1, 0.7, 1], [0.9, 0.7]]}, "pair"),
        ({"points": "no"}, "points"),
        ({"id": "Main Road"}, "a-z"),
        ({"id": "-a"}, "a-z"),
        ({"id": "a" * 64}, "1 to 63"),
        ({"id": 5}, "a-z"),
        ({"anchor": "top"}, "anchor"),
        ({"classes": []}, "classes"),
        ({"classes": ["x" * 61]}, "at most 60"),
        ({"classes": ["car", ""]}, "no name of a class"),
        ({"classes": ["a\nb"]}, "no name of a class"),
        ({"classes": [7]}, "no name of a class"),
        ({"classes": ["x"] * 1001}, "classes"),
        ({"classes": "car"}, "classes"),
        ({"color": "red"}, "color"),
        ({"name": 7}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"version": 0}, "version"),
        ({"forward_name": ""}, "forward_name has 1 to 40 characters"),
        ({"forward_name": "x" * 41}, "forward_name"),
        ({"forward_name": "a\nb"}, "forward_name"),
        ({"backward_name": " "}, "backward_name"),
        ({"backward_name": 7}, "backward_name"),
        ({"backward_name": ["out"]}, "backward_name"),
        ({"thickness": 3}, "thickness"),
        ({"x1": 0.5}, "not both"),
    ],
)
def test_what_cannot_be_used_is_named(change: dict[str, object], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        line_from_object({"id": "main", "points": POINTS} | change)


def test_directions_have_the_names_that_people_give_them() -> None:
    plain = line_from_object({"id": "main", "points": POINTS})
    assert (plain.forward_name, plain.backward_name) == (None, None)
    corners = {"id": "main", "x1": 0.1, "y1": 0.7, "x2": 0.9, "y2": 0.7}
    (named,) = lines_from_json(json.dumps(corners | {"forward_name": "ü" * 40, "backward_name": None}))
    assert (named.forward_name, named.backward_name) == ("ü" * 40, None)
    assert line_from_object(line_object(named)) == named


def test_missing_parts_are_named() -> None:
    with pytest.raises(BadInputError, match="no id"):
        line_from_object({"points": POINTS})
    with pytest.raises(BadInputError, match="y2 is missing"):
        line_from_object({"id": "a", "x1": 0, "y1": 0, "x2": 1})
    with pytest.raises(BadInputError, match="object"):
        line_from_object([1, 2])


def test_a_line_takes_what_the_api_gives() -> None:
    line = validate_line("a", POINTS, "Main", "foot", ["car", "car", "bus"], "#00FF00", 3)
    assert line.classes == ("car", "bus")
    assert line.version == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "x.json is not JSON, line 1"),
        ("[" * 5000, "not JSON"),
        (f'{{"id": "a", "x1": {"1" * 5000}}}', "not JSON"),
        ("[]", "give"),
        ('{"lines": 3}', "give"),
        ('{"lines": [{"id": "a"}]}', "x1 is missing"),
        (json.dumps([{"id": "a", "points": POINTS}] * 2), "two lines have the id 'a'"),
        ('[{"id": "a", "points": [[NaN, 0], [1, 1]]}]', "nan"),
    ],
)
def test_broken_files_are_explained(text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        lines_from_json(text, "x.json")


def test_files_may_hold_lines_in_several_forms() -> None:
    line = {"id": "a", "points": POINTS}
    for value in ({"lines": [line]}, [line], line):
        assert [found.id for found in lines_from_json(json.dumps(value))] == ["a"]
