"""The scheduler of `tests/lanes.py`, tried in a pytest run of its own."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

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


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _run(folder: Path, *options: str) -> int:
    for name, seconds in (("a", 0.1), ("b", 1), ("c", 0.1)):
        _write(folder / f"tests/unit/test_{name}.py", QUIET.format(seconds=seconds, name=name))
    _write(folder / "tests/integration/cluster/test_first.py", WAITS)
    _write(folder / "tests/integration/test_demo_live.py", MEASURES)
    _write(folder / "tests/perf/test_perf.py", MEASURES)
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", *options]
    command += ["--import-mode=importlib", "--rootdir", str(folder), "tests"]
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True).returncode


def test_what_waits_runs_beside_what_computes_and_what_measures_by_itself(tmp_path: Path) -> None:
    assert _run(tmp_path, "-p", "tests.lanes") == 0


def test_without_it_they_mix(tmp_path: Path) -> None:
    assert _run(tmp_path, "--dist", "loadfile") == 1
