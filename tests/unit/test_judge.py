"""The judge of the chaos tests finds what is missed, doubled and invented; only gaps excuse."""

import pytest

from tests.chaos.judge import Happening, judge

A, B, C = (Happening(time_s, "road", "forward") for time_s in (10.0, 12.0, 30.0))


@pytest.mark.parametrize(
    ("counted", "gaps", "missed", "surplus"),
    [
        ([A, B, C], [], 0, 0),
        ([A, C], [], 1, 0),
        ([A, C], [(11.0, 13.0)], 0, 0),
        ([A, B, C], [(11.0, 13.0)], 0, 0),
        ([A, A, B, C], [], 0, 1),
        ([A, B, B, C], [(11.0, 13.0)], 0, 1),
        ([A, B, C, Happening(20.0, "road", "forward")], [], 0, 1),
        ([A, B, Happening(30.0, "road", "backward")], [], 1, 1),
        ([A, B, Happening(30.9, "road", "forward")], [], 0, 0),
        ([A, B, Happening(31.1, "road", "forward")], [], 1, 1),
    ],
)
def test_what_does_not_agree(
    counted: list[Happening], gaps: list[tuple[float, float]], missed: int, surplus: int
) -> None:
    verdict = judge([A, B, C], counted, gaps)
    assert (len(verdict.missed), len(verdict.surplus)) == (missed, surplus)
