"""The vote on a track's class: the detector's own, and a second opinion beside it."""

import pytest

from services.detector.track.classes import SECOND_OPINION_WEIGHT, ClassVote

SURE = SECOND_OPINION_WEIGHT


def voted(confidence: float, looks: list[dict[str, float]], frames: int = 10) -> str:
    vote = ClassVote()
    for _ in range(frames):
        vote.add("no_mask", confidence, 0.04)
    for look in looks:
        vote.add_opinion(look)
    return vote.winner


@pytest.mark.parametrize("frames", [1, 10, 500])
def test_a_second_opinion_decides_where_the_detector_is_unsure_at_any_rate(frames: int) -> None:
    look = {"mask": 0.02, "no_mask": 0.0}
    assert voted(0.9 * SURE, [look], frames) == "mask"
    assert voted(1.1 * SURE, [look] * 5, frames) == "no_mask"


def test_a_second_opinion_that_is_unsure_itself_changes_nothing() -> None:
    assert voted(0.3, [{"mask": 0.4, "no_mask": 0.3, "mask_incorrect": 0.3}]) == "no_mask"
    assert voted(0.3, [{"mask": 0.0}]) == "no_mask"


def test_a_large_view_says_more_than_a_small_one() -> None:
    near, far = {"mask": 0.09}, {"no_mask": 0.01}
    assert voted(0.2, [near, far, far]) == "mask"
    assert voted(0.2, [far, near]) == "mask"
    assert voted(0.2, [far] * 20 + [near]) == "no_mask"
