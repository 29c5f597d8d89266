"""Fixtures that all tests share, and the gate that keeps skipped tests from going unseen.

A test that is skipped for a reason that `allowed_skips.txt` does not list fails, so that a missing
program or data set never looks like a green run. What was skipped is listed at the end.
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")

_skipped: Counter[str] = Counter()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of labelled pictures and clips."""
    folder = Path(os.environ.get("SIGHTLINE_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"labelled data absent: SIGHTLINE_TEST_DATA, or {folder}")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium for Playwright's `executable_path`."""
    path = shutil.which("chromium")
    return path or _absent("Chromium")


@pytest.fixture(scope="session")
def rtsp_python() -> str:
    """A Python interpreter that can import GStreamer's RTSP server."""
    python = "/usr/bin/python3"
    probe = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if Path(python).exists() and subprocess.run([python, "-c", probe], capture_output=True).returncode == 0:
        return python
    return _absent("GStreamer's RTSP server")


@pytest.fixture(scope="session")
def ultralytics_environment() -> Path:
    """The folder of the environment in which Ultralytics is installed."""
    folder = REPOSITORY / ".venv-ultralytics"
    if not (folder / ".installed").is_file():
        pytest.skip("Ultralytics' environment is absent: scripts/setup.sh --ultralytics")
    return folder


def _absent(what: str) -> str:
    """Skip where the run could not install it, fail where it could have."""
    reason = f"{what} is absent"
    if os.geteuid() == 0:
        pytest.fail(f"{reason}: scripts/install-debian.sh test installs it")
    pytest.skip(f"{reason} and not root to install it")


def _allowed_patterns() -> list[re.Pattern[str]]:
    lines = ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines()
    patterns = (line.split("  #")[0].strip() for line in lines)
    return [re.compile(pattern) for pattern in patterns if pattern and not pattern.startswith("#")]


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    return str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix("Skipped: ")


def _judge(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip that is not allowed into a failure."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = _reason(report)
    if not any(pattern.search(reason) for pattern in _allowed_patterns()):
        report.outcome = "failed"  # type: ignore[assignment]  # the two report classes differ in their literals
        report.longrepr = f"skipped for a reason that {ALLOWED_SKIPS.name} does not list: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge the skips of tests."""
    report = yield
    _judge(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Judge the skips of whole files."""
    report = yield
    _judge(report)
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the skips of tests, those of other processes too."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped[_reason(report)] += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Count the skips of whole files."""
    if report.skipped:
        _skipped[_reason(report)] += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what did not run, and why."""
    terminalreporter.section("skipped and why")
    for reason, count in sorted(_skipped.items()):
        terminalreporter.write_line(f"{count:4d}  {reason}")
    terminalreporter.write_line(f"{_skipped.total()} skipped, each for a reason on the list")
