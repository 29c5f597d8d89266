import pytest

from services.core.types import AnalysedSecond
from services.detector.coverage import SecondCounter
from services.detector.decode.sampler import Sampler


def evidence(times: list[float], fps: float) -> list[int]:
    counter = SecondCounter("c", fps)
    found = [counter.add(t) for t in times] + [counter.finish()]
    return [item.second for item in found if isinstance(item, AnalysedSecond)]


@pytest.mark.parametrize(
    ("frames", "fps", "counts"), [(10, 10, True), (5, 10, True), (4, 10, False), (3, 5, True), (2, 2, False)]
)
def test_a_second_needs_three_frames_and_half_the_rate(frames, fps, counts):
    times = [100 + i / frames for i in range(frames)]
    assert evidence(times, fps) == ([100] if counts else [])


def test_each_second_is_told_once():
    assert evidence([100 + i / 10 for i in range(35)], 10) == [100, 101, 102, 103]


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
