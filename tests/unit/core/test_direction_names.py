"""Which names of directions what was counted has."""

from dataclasses import replace

import pytest

from services.core.direction_names import DirectionNames
from services.core.types import Line, LineId, LineVersion

A, B = (0.1, 0.5), (0.9, 0.5)
DOOR = LineId("door")
DRAWN = Line(DOOR, "Door", (A, B), version=1)
NAMED = replace(DRAWN, version=2, forward_name="inn", backward_name="out")
BETTER = replace(NAMED, version=3, forward_name="in")
TURNED = replace(BETTER, version=4, points=(B, A), forward_name="out", backward_name="in")
LIFE = [LineVersion(line, 100.0 * line.version, False) for line in (DRAWN, NAMED, BETTER, TURNED)]


@pytest.mark.parametrize("versions", [LIFE, LIFE[::-1]])
def test_a_name_is_that_of_earlier_crossings_as_long_as_the_line_lies_there(
    versions: list[LineVersion],
) -> None:
    names = DirectionNames(versions)
    assert [names.name(DOOR, version, "forward") for version in (1, 2, 3, 4)] == ["in", "in", "in", "out"]
    assert [names.name(DOOR, version, "backward") for version in (1, 2, 3, 4)] == ["out", "out", "out", "in"]


def test_a_name_that_is_taken_back_is_nobodys() -> None:
    plain = replace(BETTER, version=4, forward_name=None)
    names = DirectionNames([*LIFE[:3], LineVersion(plain, 400.0, False)])
    assert (names.name(DOOR, 2, "forward"), names.name(DOOR, 2, "backward")) == (None, "out")


def test_a_line_that_is_deleted_keeps_its_names_and_the_next_has_its_own() -> None:
    ended = LineVersion(replace(BETTER, version=4), 400.0, True)
    again = LineVersion(replace(DRAWN, version=5, forward_name="north"), 500.0, False)
    names = DirectionNames([*LIFE[:3], ended, again])
    found = [names.name(DOOR, version, "forward") for version in range(1, 6)]
    assert found == ["in", "in", "in", "in", "north"]


def test_what_nobody_knows_has_no_name() -> None:
    names = DirectionNames(LIFE)
    assert names.name(DOOR, 9, "forward") is None
    assert names.name(LineId("other"), 1, "forward") is None
    assert names.of_line("other", 1e9) == (None, None)


def test_a_span_has_the_names_of_the_line_at_its_end() -> None:
    names = DirectionNames(LIFE)
    assert names.of_line("door", 50.0) == ("in", "out"), "it was made later"
    assert names.of_line("door", 150.0) == ("in", "out")
    assert names.of_line("door", 400.0) == ("in", "out")
    assert names.of_line("door", 400.001) == ("out", "in")
