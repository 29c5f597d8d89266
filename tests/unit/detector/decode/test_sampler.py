"""Which pictures are analysed."""

import random

import pytest

from services.core.evidence.rate import LEAST_FPS
from services.core.evidence.seconds import EvidenceJudge
from services.core.times import whole
from services.core.types import CameraId
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


@pytest.mark.parametrize("fps", [LEAST_FPS, 4.5, 6.0])
@pytest.mark.parametrize("camera_fps", [4, 4.1, 4.5, 5, 6, 7.5, 12, 25])
def test_each_rate_that_may_be_set_is_covered(fps: float, camera_fps: float) -> None:
    """Whatever a camera sends from the least rate on, and though its times tremble."""
    chance, sampler, judge = random.Random(1), Sampler(fps), EvidenceJudge(CameraId("gate"))
    times = [whole(1000 + n / camera_fps + chance.uniform(-0.02, 0.02)) for n in range(int(60 * camera_fps))]
    picked = [time_s for time_s in times if sampler.pick(time_s)]
    covered = {event.second for time_s in picked for event in judge.add(time_s)}
    assert len(covered & set(range(1003, 1058))) >= 54
    assert len(picked) <= 60 * max(fps * 1.1, min(camera_fps, 1.7 * LEAST_FPS))


def test_a_rate_that_overload_has_lowered_is_kept() -> None:
    sampler = Sampler(LEAST_FPS)
    for _ in range(3):
        sampler.adapt(backlog_s=3)
    assert sum(sampler.pick(n / 5) for n in range(100)) <= 20 * sampler.rate + 2
