"""Several selections of lines from evidence that is read once: the same as each by itself."""

from hypothesis import given
from hypothesis import strategies as st

from services.core.evidence.coverage import AnalysedSeconds
from services.core.evidence.lines import LineEvidence, MinuteEvidence
from services.core.evidence.selections import analysed_of
from services.core.types import LineVersion
from tests.makers import line

FULL = (1 << 60) - 1
M = 1_000_000
LINES = ("a", "b", "c")
REVISIONS = {"one": {"a": 1}, "two": {"a": 1, "b": 1}, "three": {"a": 2, "b": 1, "c": 1}}
SELECTIONS = (None, ("a",), ("b",), ("c",), ("a", "b"), ("a", "b", "c"))

VERSIONS = st.lists(
    st.tuples(st.sampled_from(LINES), st.integers(-120, 700), st.booleans()), min_size=1, max_size=8
)
EVIDENCE = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.sampled_from([FULL, FULL ^ 5, 7, 0]),
        st.sampled_from(["", *REVISIONS, "unknown"]),
        st.dictionaries(st.sampled_from(LINES), st.sampled_from([1, 6]), max_size=1),
    ),
    max_size=25,
)


def _versions(made: list[tuple[str, int, bool]]) -> list[LineVersion]:
    numbers: dict[str, int] = {}
    found = []
    for name, after_s, is_deleted in sorted(made, key=lambda item: item[1]):
        numbers[name] = numbers.get(name, 0) + 1
        shape = line(name, y=0.1 * numbers[name])
        found.append(
            LineVersion(
                type(shape)(shape.id, shape.name, shape.points, version=numbers[name]),
                M * 60 + after_s,
                is_deleted,
            )
        )
    return found


@given(VERSIONS, EVIDENCE)
def test_each_selection_is_covered_as_if_it_were_asked_for_alone(
    made: list[tuple[str, int, bool]], seen: list[tuple[int, int, str, dict[str, int]]]
) -> None:
    versions = _versions(made)
    evidence = [MinuteEvidence(M + minute, *rest) for minute, *rest in sorted(seen, key=lambda item: item[0])]
    found = analysed_of(SELECTIONS, versions, REVISIONS.get, evidence)
    for lines, analysed in zip(SELECTIONS, found, strict=True):
        alone = AnalysedSeconds(LineEvidence(versions, REVISIONS.get, lines).minutes(evidence))
        span = M * 60, (M + 10) * 60
        assert list(analysed.runs(*span)) == list(alone.runs(*span)), lines


def test_what_is_covered_alike_is_one_object_and_revisions_are_asked_once() -> None:
    asked: list[str] = []

    def versions_of(revision: str) -> dict[str, int] | None:
        asked.append(revision)
        return REVISIONS.get(revision)

    versions = [LineVersion(line(name), M * 60 - 100.0, False) for name in LINES]
    evidence = [MinuteEvidence(M + n, FULL, "two") for n in range(5)]
    whole, a, b, c, both, _ = analysed_of(SELECTIONS, versions, versions_of, evidence)
    assert a is b is both and whole is c
    assert a.count(M * 60, M * 60 + 300) == 300 and c.count(M * 60, M * 60 + 300) == 0
    assert asked == ["two"]
