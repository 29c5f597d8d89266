"""At which rate a camera can be counted."""

from collections.abc import Sequence

import pytest

from services.core.evidence.rate import DeliveredRate
from services.core.evidence.seconds import EvidenceJudge
from services.core.sentences.sentence import Sentence
from services.core.times import whole
from services.core.types import CameraId
from services.detector.decode.sampler import Sampler

START, LENGTH_S = 1_000_000, 60
BURSTS = [((0.0, 0.04, 0.08, 0.12), 0.52), ((0.0, 0.04), 0.44), ((0.0, 0.05, 0.1), 0.5)]
"""When the pictures of a burst come, and from one burst to the next."""

EVEN = [((0.0,), 0.25), ((0.0, 0.02), 0.25), ((0.0,), 0.1), ((0.0, 0.05), 0.3)]


def times(offsets: Sequence[float], period_s: float) -> list[float]:
    return [
        whole(START + number * period_s + offset_s)
        for number in range(int(LENGTH_S / period_s))
        for offset_s in offsets
    ]


@pytest.mark.parametrize("fps", [10, 25, 60])
@pytest.mark.parametrize(
    ("offsets", "period_s", "is_countable"),
    [*((*burst, False) for burst in BURSTS), *((*even, True) for even in EVEN)],
)
def test_what_comes_in_bursts_is_as_slow_as_its_bursts(
    offsets: Sequence[float], period_s: float, is_countable: bool, fps: float
) -> None:
    """Two bursts a second show no more than two pictures, however many are in each."""
    sampler, judge, delivered = Sampler(fps), EvidenceJudge(CameraId("gate")), DeliveredRate()
    found = [
        event.second
        for time_s in times(offsets, period_s)
        if not delivered.see(time_s) or not is_countable
        if sampler.pick(time_s)
        for event in judge.add(time_s)
    ]
    assert len(found) >= LENGTH_S - 5 if is_countable else not found
    assert ("in bursts" in str(delivered.cause)) != is_countable


def test_one_hole_that_the_tracker_bears_takes_no_second_of_a_quick_camera() -> None:
    judge = EvidenceJudge(CameraId("gate"))
    frames = [n for n in range(25 * LENGTH_S) if not 0 < n % 250 < 12]
    found = [event.second for n in frames for event in judge.add(whole(START + n / 25))]
    assert len(found) >= LENGTH_S - 4


def test_a_camera_that_slows_down_step_by_step_says_so_and_recovers() -> None:
    delivered, time_s = DeliveredRate(), float(START)
    causes: list[Sentence | None] = []
    for fps, is_slow in ((25.0, False), (4.0, False), (2.0, True), (0.5, True), (4.0, False), (25.0, False)):
        for _ in range(int(20 * fps)):
            time_s = whole(time_s + 1 / fps)
            cause = delivered.see(time_s)
        causes.append(cause)
        assert bool(cause) == is_slow, fps
    assert "2.0 pictures a second, too few" in str(causes[2])


def test_the_order_of_decoding_is_no_burst() -> None:
    """A picture that shows later comes before those that are made from it."""
    delivered = DeliveredRate()
    shown = [whole(START + n / 5) for n in range(5 * LENGTH_S)]
    for place in range(0, len(shown), 4):
        for time_s in (shown[place : place + 4][-1], *shown[place : place + 4][:-1]):
            assert delivered.see(time_s) is None
