"""What of a file could not be counted."""

import pytest

from services.core.clip_gaps import ClipGap, ClipGaps, PictureState

KEY, OTHER = PictureState(is_key=True), PictureState()
LOST = PictureState(has_lost=True)


def gaps_of(pictures: dict[float, PictureState], declared_s: float | None = None) -> tuple[ClipGaps, float]:
    gaps = ClipGaps(0.1)
    for time_s, picture in pictures.items():
        gaps.see(time_s, 0.1, picture)
    return gaps, gaps.end(declared_s, lost=0)


def steady(begin: int, end: int, picture: PictureState = OTHER) -> dict[float, PictureState]:
    return {number / 10: picture for number in range(begin, end)}


def rounded(gaps: ClipGaps) -> list[tuple[float, float, str]]:
    return [(round(gap.from_s, 3), round(gap.to_s, 3), gap.cause) for gap in gaps.gaps]


def test_a_whole_file_has_none() -> None:
    gaps, length_s = gaps_of(steady(0, 20), 2.15)
    assert (gaps.gaps, length_s, gaps.coverage(length_s)) == ([], pytest.approx(2), 1.0)


def test_a_file_that_ends_early() -> None:
    gaps, length_s = gaps_of(steady(0, 5), 2.0)
    assert rounded(gaps) == [(0.5, 2.0, "cut-off")]
    assert gaps.coverage(length_s) == pytest.approx(0.25)


def test_what_stands_on_a_damaged_picture_is_damaged() -> None:
    gaps, length_s = gaps_of(steady(0, 5) | {0.7: LOST} | steady(8, 10) | {1.0: KEY} | steady(11, 20))
    assert rounded(gaps) == [(0.5, 1.0, "damaged")]
    assert gaps.coverage(length_s) == pytest.approx(0.75)


def test_a_hole_is_told_from_a_slow_rate() -> None:
    assert rounded(gaps_of(steady(0, 5) | steady(15, 20))[0]) == [(0.5, 1.5, "no-pictures")]
    slow = ClipGaps(1.0)
    for number in range(10):
        slow.see(number, 1.0, OTHER)
    assert not slow.gaps


def test_the_end_that_could_not_be_decoded() -> None:
    gaps = ClipGaps(0.1)
    gaps.see(0.0, 0.0, KEY)
    assert gaps.end(None, lost=3) == pytest.approx(0.4)
    assert gaps.gaps == [ClipGap(0.1, pytest.approx(0.4), "damaged")]


def test_what_a_container_lacks_is_a_gap_only_where_pictures_are_missing() -> None:
    doubtful = PictureState(is_doubtful=True)
    assert not gaps_of(steady(0, 5) | {0.5: doubtful} | steady(6, 20))[0].gaps
    gaps, _ = gaps_of(steady(0, 5) | {0.5: doubtful} | {0.8: KEY} | steady(9, 20))
    assert rounded(gaps) == [(0.6, 0.8, "damaged")]
