"""A camera that sends too much costs little, is told with the reason, and disturbs no other one."""

import re
import time
from contextlib import ExitStack

import pytest

from services.core.types import CameraStatus
from services.ingest.apart.limits import OPENING_BYTES
from tests.hostile_cameras import hostile_camera, ingesting, measured

MEMORY_MB = OPENING_BYTES / 1e6 + 50
"""What opening may take, and what the process of a source takes before it opens anything."""

PROCESSOR_S = 5.0
TIMEOUT_S = 60

TOO_LARGE, ENDLESS, SLOW = "pixels", "memory", "does not answer in time"
GIVEN_UP = "does not answer in time|the stream broke off"
"""The reader of the stream gives up by itself, or is given up, whichever comes first."""


@pytest.mark.parametrize(
    ("habit", "words"),
    [
        ("large-picture", TOO_LARGE),
        ("large-picture-untold", TOO_LARGE),
        ("resizing", "again and again"),
        ("endless-fragments", ENDLESS),
        ("endless-fragments-at-once", ENDLESS),
        ("endless-fragments-h265", ENDLESS),
        ("endless-information", ENDLESS),
        ("endless-aggregates", "pictures a second"),
        ("many-parts", "pictures a second"),
        ("tiny-flood", "pictures a second"),
        ("heavy-flood", "Mbit/s"),
        ("unknown-channels", GIVEN_UP),
        ("many-media-lines", "16 streams or more"),
        ("endless-description", SLOW),
        ("huge-description", "description is too large"),
        ("endless-head", SLOW),
        ("redirect", SLOW),
    ],
)
def test_a_camera_that_sends_too_much(habit: str, words: str):
    with hostile_camera(habit) as url, measured() as cost, ingesting(url) as running:
        reason = running.reason(TIMEOUT_S)
    print(f"{habit}: +{cost.memory_mb:.0f} MB, {cost.processor_s:.1f} s of processor time; {reason}")
    assert re.search(f"{words}|processor time", reason), reason
    assert cost.memory_mb < MEMORY_MB
    assert cost.processor_s < PROCESSOR_S


def test_a_large_camera_that_keeps_the_bounds_is_live():
    with hostile_camera("twelve-megapixels") as url, measured() as cost, ingesting(url) as running:
        with running.hub.reader(running.camera) as reader:
            units = [reader.read(TIMEOUT_S) for _ in range(30)]
        assert all(unit is not None for unit in units)
        assert running.state is not None
        assert running.state.resolution == (4000, 3000)
    assert cost.memory_mb < MEMORY_MB


def test_a_good_camera_beside_hostile_ones_goes_on():
    habits = "endless-fragments", "tiny-flood", "large-picture", "endless-description"
    with ExitStack() as stack:
        good = stack.enter_context(ingesting(stack.enter_context(hostile_camera("good")), "good"))
        reader = stack.enter_context(good.hub.reader(good.camera))
        assert reader.read(TIMEOUT_S) is not None
        others = [stack.enter_context(ingesting(stack.enter_context(hostile_camera(h)), h)) for h in habits]
        while reader.read(0) is not None:
            pass
        begun_s, units = time.monotonic(), []
        while time.monotonic() - begun_s < 8:
            unit = reader.read(1)
            assert unit is not None
            units.append(unit)
        reasons = [other.reason(TIMEOUT_S) for other in others]
        assert all(reasons)
        assert good.is_now(CameraStatus.LIVE)
    assert {unit.connection for unit in units} == {units[0].connection}
    assert [unit.frame for unit in units] == list(range(units[0].frame, units[0].frame + len(units)))
    assert len(units) > 0.8 * 8 * 25
    assert reader.dropped == 0
