"""The judge of tests that watch the clock: it excuses only what others caused."""

import subprocess
import sys
import time

import pytest

from tests.machine import OTHERS_SHARE, TOO_BUSY, Others, own_s

SPIN = "import time\nwhile time.process_time() < 0.5: pass"


def test_what_is_covered_passes_however_busy_it_was() -> None:
    Others(0.9).require_time(0.97, 0.95)


def test_a_gap_on_a_quiet_machine_fails() -> None:
    with pytest.raises(AssertionError, match=r"coverage 0\.500"):
        Others(OTHERS_SHARE / 2).require_time(0.5, 0.95)


def test_a_gap_on_a_busy_machine_is_told_as_that() -> None:
    with pytest.raises(pytest.skip.Exception, match=TOO_BUSY):
        Others(OTHERS_SHARE * 2).require_time(0.5, 0.95)


def test_what_was_too_slow_is_judged_alike() -> None:
    Others(0.9).require(True, "1.0 s")
    with pytest.raises(AssertionError, match=r"1\.5 s"):
        Others(OTHERS_SHARE / 2).require(False, "1.5 s")
    with pytest.raises(pytest.skip.Exception, match=rf"{TOO_BUSY}: 1\.5 s"):
        Others(OTHERS_SHARE * 2).require(False, "1.5 s")


def test_own_work_and_that_of_own_children_is_not_others() -> None:
    before_s = own_s()
    began_s = time.process_time()
    while time.process_time() - began_s < 0.3:
        pass
    subprocess.run([sys.executable, "-c", SPIN], check=True)
    assert own_s() - before_s >= 0.7
