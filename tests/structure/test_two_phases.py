"""The scheduler of `tests/two_phases.py`, tried in a pytest run of its own."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

COMPUTES = """import pathlib, time
def test_it():
    time.sleep({s})
    pathlib.Path("{name}.done").touch()
"""
WATCHES_THE_CLOCK = """import os, pathlib
def test_it():
    assert {path.stem for path in pathlib.Path().glob("*.done")} == {"a", "b", "c"}
    pathlib.Path("worker").write_text(os.environ["PYTEST_XDIST_WORKER"])
def test_no_other_worker_runs():
    assert pathlib.Path("worker").read_text() == os.environ["PYTEST_XDIST_WORKER"]
"""


def _run(folder: Path, *options: str) -> int:
    for name, seconds in (("a", 0.1), ("b", 1), ("c", 0.1)):
        (folder / "tests/unit").mkdir(parents=True, exist_ok=True)
        (folder / f"tests/unit/test_{name}.py").write_text(COMPUTES.format(s=seconds, name=name))
    for part in ("chaos", "perf"):
        (folder / f"tests/{part}").mkdir(parents=True, exist_ok=True)
        (folder / f"tests/{part}/test_{part}.py").write_text(WATCHES_THE_CLOCK)
    command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", *options]
    command += ["--import-mode=importlib", "--rootdir", str(folder), "tests"]
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True).returncode


def test_the_rest_runs_after_what_computes_and_on_one_worker(tmp_path: Path) -> None:
    assert _run(tmp_path, "-p", "tests.two_phases") == 0


def test_without_it_they_mix(tmp_path: Path) -> None:
    assert _run(tmp_path, "--dist", "loadfile") == 1
