"""Times of a file's pictures, whatever its stamps do."""

import itertools

import pytest

from services.detector.decode.clip_clock import ClipClock

PERIOD_S = 0.1


def times(stamps: list[float | None], has_parts: bool = False) -> list[float]:
    clock = ClipClock(PERIOD_S, has_parts)
    return [round(clock.time_s(stamp), 6) for stamp in stamps]


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([5000.0, 5000.1, 5000.2], [0, 0.1, 0.2]),
        ([-3.0, -2.9, -2.8], [0, 0.1, 0.2]),
        ([None, None, None], [0, 0.1, 0.2]),
        ([0.0, None, 0.2], [0, 0.1, 0.2]),
        ([0.0, 0.0, 0.2], [0, 0.1, 0.2]),
        ([7.0] * 4, [0, 0.1, 0.2, 0.3]),
        ([0.0, 0.05, 0.5, 5.0], [0, 0.05, 0.5, 5.0]),
        ([1.4, 1.5, 1.4, 1.5], [0, 0.1, 0.2, 0.3]),
        ([90.0, 90.1, 1.4, 1.5], [0, 0.1, 0.2, 0.3]),
        ([0.0, 0.1, 900_000.0, 900_000.1], [0, 0.1, 0.2, 0.3]),
    ],
)
def test_stamps(stamps: list[float | None], expected: list[float]) -> None:
    assert times(stamps) == pytest.approx(expected)


def test_a_step_ahead_is_another_part_only_where_parts_are_joined() -> None:
    stamps: list[float | None] = [0.0, 0.1, 60.0, 60.1]
    assert times(stamps, has_parts=True) == pytest.approx([0, 0.1, 0.2, 0.3])
    assert times(stamps) == pytest.approx([0, 0.1, 60.0, 60.1])


def test_times_only_grow() -> None:
    found = times([0.0, 0.1, 0.05, 0.2, 0.15, 0.1, 3.0, None, 2.9, 2.95])
    assert all(after > before for before, after in itertools.pairwise(found))
