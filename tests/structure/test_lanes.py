"""The scheduler of `tests/lanes.py`, tried in a pytest run of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [
    *(sys.executable, "-m", "pytest", "-n", "2"),
    *("-p", "no:cacheprovider", "--import-mode=importlib"),
]

QUIET = """import pathlib, time
def test_it():
    pathlib.Path("{name}.began").touch()
    time.sleep({seconds})
    pathlib.Path("{name}.done").touch()
"""
WAITS = """import pathlib, time
def test_something_computes_meanwhile():
    deadline_s = time.monotonic() + 20
    while not list(pathlib.Path().glob("*.began")):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    pathlib.Path("w.done").touch()
"""
MEASURES = """import os, pathlib
def test_it():
    assert {path.stem for path in pathlib.Path().glob("*.done")} == {"a", "b", "c", "w"}
    pathlib.Path("worker").write_text(os.environ["PYTEST_XDIST_WORKER"])
def test_no_other_worker_runs():
    assert pathlib.Path("worker").read_text() == os.environ["PYTEST_XDIST_WORKER"]
"""
DIES = """import os
def test_before(): pass
def test_its_worker_dies(): os._exit(139)
def test_after(): pass
"""


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _run(folder: Path, *options: str) -> int:
    for name, seconds in (("a", 0.1), ("b", 1), ("c", 0.1)):
        _write(folder / f"tests/unit/test_{name}.py", QUIET.format(seconds=seconds, name=name))
    _write(folder / "tests/integration/cluster/test_first.py", WAITS)
    _write(folder / "tests/integration/test_demo_live.py", MEASURES)
    _write(folder / "tests/perf/test_perf.py", MEASURES)
    return _end(folder, [*COMMAND, *options, "--rootdir", str(folder), "tests"])[0]


def _end(folder: Path, command: list[str]) -> tuple[int, str]:
    """Give the exit status and the last line of a run that ends; one that does not is an error."""
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    ended = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=90)
    return ended.returncode, ended.stdout.splitlines()[-1]


def test_what_waits_runs_beside_what_computes_and_what_measures_by_itself(tmp_path: Path) -> None:
    assert _run(tmp_path, "-p", "tests.lanes") == 0


def test_without_it_they_mix(tmp_path: Path) -> None:
    assert _run(tmp_path, "--dist", "loadfile") == 1


@pytest.mark.parametrize(
    "dying", ["unit/test_a.py", "unit/test_z.py", "integration/cluster/test_last.py", "perf/test_perf.py"]
)
def test_a_worker_that_dies_costs_one_test_and_ends_no_run(tmp_path: Path, dying: str) -> None:
    """Whether others have ended, wait or measure by then: each other test runs."""
    files = {f"unit/test_{name}.py": "def test_it(): pass\n" for name in "bcdefz"}
    files["integration/cluster/test_first.py"] = "import time\ndef test_it(): time.sleep(1)\n"
    files["integration/cluster/test_last.py"] = "import time\ndef test_it(): time.sleep(2)\n"
    files["integration/test_demo_live.py"] = "def test_it(): pass\n"
    files["perf/test_perf.py"] = "def test_it(): pass\n"
    for name, text in (files | {dying: DIES}).items():
        _write(tmp_path / "tests" / name, text)
    others = len(files.keys() - {dying}) + 2
    code, last = _end(tmp_path, [*COMMAND, "-p", "tests.lanes", "--rootdir", str(tmp_path), "tests"])
    assert code == 1
    assert f"1 failed, {others} passed" in last
