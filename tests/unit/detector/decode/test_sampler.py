"""Which pictures are analysed."""

import pytest

from services.detector.decode.sampler import Sampler


@pytest.mark.parametrize("camera_fps", [12, 15, 25, 30])
def test_sampler_keeps_its_rate(camera_fps):
    sampler = Sampler(10)
    picked = sum(sampler.pick(i / camera_fps) for i in range(camera_fps * 20))
    assert 180 <= picked <= 215


def test_sampler_takes_all_of_a_slow_camera():
    sampler = Sampler(10)
    assert sum(sampler.pick(i / 5) for i in range(100)) == 100


def test_overload_lowers_the_rate_and_recovers():
    sampler = Sampler(10)
    for _ in range(40):
        sampler.adapt(backlog_s=3)
    assert sampler.rate == 1.0
    for _ in range(100):
        sampler.adapt(backlog_s=0)
    assert sampler.rate == 10


@pytest.mark.parametrize(
    ("gap", "lost", "is_missed"), [(3, 0, False), (3, 2, False), (6, 5, True), (6, 0, False)]
)
def test_a_lost_picture_is_missed_where_it_was_due(gap: int, lost: int, is_missed: bool) -> None:
    """Of a camera that sends 25 a second, ten are due; of what it did not send, none is."""
    sampler = Sampler(10)
    newest = max(frame for frame in range(26) if sampler.pick(frame / 25))
    assert sampler.pick((newest + gap) / 25)
    assert sampler.has_missed(lost) == is_missed
