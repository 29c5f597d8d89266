"""Which seconds cover which line."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.core.evidence.coverage import AnalysedSeconds, coverage_of
from services.core.evidence.lines import LineEvidence, MinuteEvidence, revision_of
from services.core.types import Line, LineId, LineVersion

FULL = (1 << 60) - 1
BASE = 1_000_000 * 60
M = BASE // 60
LATER = BASE + 100_000.0
MAIN = Line(LineId("main"), "Main", ((0.1, 0.5), (0.9, 0.5)))
EXIT = Line(LineId("exit"), "Exit", ((0.1, 0.8), (0.9, 0.8)))


def version(line: Line, at_s: float, is_deleted: bool = False) -> LineVersion:
    return LineVersion(line, BASE + at_s, is_deleted)


def next_of(line: Line, **changes: object) -> Line:
    return replace(line, version=line.version + 1, **changes)


def covered(
    evidence: Sequence[MinuteEvidence],
    versions: Sequence[LineVersion],
    line: str | None,
    *setups: Sequence[Line],
) -> list[float | None]:
    """The coverage of the first minutes; the setups are those whose revisions are known."""
    known = {revision_of(setup): {item.id: item.version for item in setup} for setup in setups}
    analysed = AnalysedSeconds(
        LineEvidence(versions, known.get, None if line is None else (line,)).minutes(evidence)
    )
    return [coverage_of(analysed, BASE + m * 60, BASE + m * 60 + 60, LATER) for m in range(3)]


def counted(*setups: Sequence[Line]) -> list[MinuteEvidence]:
    return [MinuteEvidence(M + n, FULL, revision_of(setup)) for n, setup in enumerate(setups)]


def test_a_revision_is_that_of_the_versions_in_whatever_order() -> None:
    assert revision_of([MAIN, EXIT]) == revision_of([EXIT, MAIN])
    names = [(), (MAIN,), (EXIT,), (MAIN, EXIT), (next_of(MAIN), EXIT), (next_of(MAIN),)]
    assert len({revision_of(lines) for lines in names}) == len(names)


def test_a_line_is_covered_from_when_it_was_counted_and_not_from_when_it_was_drawn() -> None:
    versions = [version(MAIN, -600), version(EXIT, 10)]
    before, after = [MAIN], [MAIN, EXIT]
    evidence = counted(before, before, after)
    assert covered(evidence, versions, "exit", before, after) == [0.0, 0.0, 1.0]
    assert covered(evidence, versions, "main", before, after) == [1.0, 1.0, 1.0]
    assert covered(evidence, versions, None, before, after) == [10 / 60, 0.0, 1.0]


def test_a_line_that_moved_is_covered_from_when_it_was_counted_where_it_lies() -> None:
    moved = next_of(MAIN, points=((0.1, 0.6), (0.9, 0.6)))
    versions = [version(MAIN, -600), version(moved, 30.4)]
    assert covered(counted([MAIN], [MAIN], [moved]), versions, "main", [MAIN], [moved]) == [0.5, 0.0, 1.0]


@pytest.mark.parametrize(
    ("change", "is_counted"),
    [
        ({"name": "Other"}, True),
        ({"color": "#000000"}, True),
        ({"forward_name": "in", "backward_name": "out"}, True),
        ({"anchor": "foot"}, False),
        ({"classes": ("car",)}, False),
    ],
)
def test_only_what_changes_the_counting_takes_coverage(change: dict[str, object], is_counted: bool) -> None:
    other = next_of(MAIN, **change)
    versions = [version(MAIN, -600), version(other, 0), version(next_of(other, name="Last"), 60)]
    found = covered(counted([MAIN], [MAIN], [MAIN]), versions, "main", [MAIN])
    assert found == [1.0 if is_counted else 0.0] * 3


def test_a_clock_that_is_behind_takes_nothing_from_a_line_that_is_counted_already() -> None:
    moved = next_of(MAIN, points=((0.1, 0.6), (0.9, 0.6)))
    versions = [version(MAIN, -600), version(moved, 90)]
    assert covered(counted([moved], [moved], [moved]), versions, "main", [moved]) == [1.0, 1.0, 1.0]


def test_a_line_that_was_made_while_the_clock_was_ahead_ends_when_it_is_deleted() -> None:
    versions = [
        version(EXIT, -600),
        version(next_of(MAIN), 10, is_deleted=True),
        version(MAIN, 60),
    ]
    evidence = counted([EXIT], [EXIT], [EXIT])
    assert covered(evidence, versions, None, [EXIT]) == [1.0, 1.0, 1.0], "it is left out by nobody"
    assert covered(evidence, versions, "main", [EXIT]) == [0.0, 0.0, 0.0]


def test_a_line_that_was_made_and_renamed_within_a_second_is_not_covered_before_it() -> None:
    versions = [version(MAIN, 15.2), version(next_of(MAIN, name="Other"), 15.7)]
    evidence = [MinuteEvidence(M, FULL)]
    assert covered(evidence, versions, "main")[0] == 44 / 60


def test_a_line_that_was_there_is_no_line_before_and_after() -> None:
    versions = [version(MAIN, 15.2), version(next_of(MAIN), 45.9, is_deleted=True)]
    evidence = counted([MAIN], [MAIN])
    assert covered(evidence, versions, "main", [MAIN]) == [29 / 60, 0.0, 0.0]
    assert covered(evidence, versions, None, [MAIN]) == [1.0, 1.0, 0.0], "nothing else is left out"
    again = [*versions, version(replace(MAIN, version=3), 60)]
    assert covered(evidence, again, "main", [MAIN]) == [29 / 60, 0.0, 0.0], "it was made again"


def test_what_a_line_lacks_is_its_own() -> None:
    versions = [version(MAIN, -600), version(EXIT, -600)]
    evidence = [MinuteEvidence(M, FULL, revision_of([MAIN, EXIT]), {"main": 0b111})]
    assert covered(evidence, versions, "main", [MAIN, EXIT])[0] == 57 / 60
    assert covered(evidence, versions, "exit", [MAIN, EXIT])[0] == 1.0
    assert covered(evidence, versions, None, [MAIN, EXIT])[0] == 57 / 60


def test_seconds_of_an_older_release_cover_every_line_that_was_there() -> None:
    versions = [version(MAIN, 1.5), version(next_of(MAIN, points=((0.1, 0.6), (0.9, 0.6))), 90)]
    evidence = [MinuteEvidence(M + n, FULL) for n in range(3)]
    assert covered(evidence, versions, "main") == [58 / 60, 1.0, 1.0]
    assert covered(evidence, versions, None) == [1.0, 1.0, 1.0]


def test_a_revision_that_nobody_knows_covers_no_line() -> None:
    versions = [version(MAIN, -600)]
    assert covered(counted([MAIN], [MAIN]), versions, "main") == [0.0, 0.0, 0.0]
    assert covered(counted([MAIN], [MAIN]), [], None) == [1.0, 1.0, 0.0]
